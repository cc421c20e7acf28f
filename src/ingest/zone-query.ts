import { Type } from "typebox";
import { isZone } from "../domain/local-day.ts";
import { Problem, type RouteRequest } from "../flow/route.ts";

/** The query parameter `time_zone` of doors whose bodies name no zone. */
export const zoneSchema = Type.Optional(
  Type.String({ maxLength: 64, description: "IANA zone of samples that carry none, like Europe/Amsterdam" }),
);

/** The batch's zone (D4), or null. Throws Problem 400. */
export const zoneQuery = (request: Pick<RouteRequest, "query">): string | null => {
  const zone = request.query["time_zone"];
  if (typeof zone !== "string") return null;
  if (isZone(zone)) return zone;
  const detail = "must be an IANA zone like Europe/Amsterdam, or an offset like +01:00";
  throw new Problem(400, `query parameter time_zone ${detail}`, { errors: [{ path: "time_zone", detail }] });
};
