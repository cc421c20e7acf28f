import { Type } from "typebox";
import { isZone } from "../domain/local-day.ts";
import { digest, sha256Hex } from "../flow/digest.ts";
import { Problem, type Route, type RouteRequest } from "../flow/route.ts";
import { answerSchema } from "./batch-body.ts";
import { type Converted, decideConverted, type DoorRequest } from "./door.ts";
import {
  aggregationOf,
  convertHealthAutoExport,
  type HealthAutoExportBody,
  healthAutoExportSchema,
} from "./health-auto-export/door.ts";
import { deeperThan, MAX_DEPTH } from "./json-bounds.ts";
import { convertOpenMhealth, openMhealthSchema } from "./open-mhealth/door.ts";
import { convertOpenWearables, type OpenWearablesBody, openWearablesSchema } from "./open-wearables/door.ts";
import { type IngestDeps, type Submit, submitter } from "./submit.ts";

/** A door: one format of one client, described as a route; its folder makes the one shape inside of it. */
type Door = {
  name: DoorRequest["door"];
  path: string;
  summary: string;
  body: object;
  query?: object;
  convert(request: RouteRequest): Converted;
};

const zoneSchema = Type.Optional(
  Type.String({ maxLength: 64, description: "IANA zone of samples that carry none, like Europe/Amsterdam" }),
);

const zoneOf = (request: RouteRequest): string | null => {
  const zone = request.query["time_zone"];
  if (typeof zone !== "string") return null;
  if (isZone(zone)) return zone;
  const detail = "must be an IANA zone like Europe/Amsterdam, or an offset like +01:00";
  throw new Problem(400, `query parameter time_zone ${detail}`, { errors: [{ path: "time_zone", detail }] });
};

const AGGREGATION = Type.Union(
  (["none", "second", "minute", "hour", "day", "week", "month", "year"] as const).map((name) => Type.Literal(name)),
  { description: "How the points were summarised; the app's header automation-aggregation where this is absent" },
);

const DOORS: readonly Door[] = [
  {
    name: "health_auto_export",
    path: "health-auto-export",
    summary: "The Health Auto Export app's JSON, version 1 or 2, as that app sends it",
    body: healthAutoExportSchema,
    query: Type.Object({ time_zone: zoneSchema, aggregation: Type.Optional(AGGREGATION) }),
    convert: (request) =>
      convertHealthAutoExport(request.body as HealthAutoExportBody, {
        time_zone: zoneOf(request),
        aggregation: aggregationOf(
          (request.query["aggregation"] as string | undefined) ?? request.headers["automation-aggregation"],
        ),
      }),
  },
  {
    name: "open_wearables",
    path: "open-wearables",
    summary: "The payload of the Open Wearables SDK",
    body: openWearablesSchema,
    convert: (request) => convertOpenWearables(request.body as OpenWearablesBody),
  },
  {
    name: "open_mhealth",
    path: "open-mhealth",
    summary: "Open mHealth data points, as far as HealthKit has their measures",
    body: openMhealthSchema,
    query: Type.Object({ time_zone: zoneSchema }),
    convert: (request) => {
      const converted = convertOpenMhealth(request.body as unknown[]);
      return { ...converted, time_zone: zoneOf(request) };
    },
  },
];

/** Levels around a sample in a client's body, above those that a sample may have itself. */
const LEVELS_AROUND = 8;

const routeOf = (door: Door, submit: Submit): Route => ({
  method: "POST",
  path: `/v1/athletes/{athlete_id}/${door.path}`,
  scope: "ingest",
  summary: door.summary,
  schema: {
    body: door.body,
    ...(door.query === undefined ? {} : { query: door.query }),
    responses: { 202: { description: "Acknowledged by Kafka", schema: answerSchema } },
  },
  handler: (request) =>
    submit(request, () => {
      // What is refused is written out again, entry by entry: depth may not break that.
      if (deeperThan(request.body, MAX_DEPTH + LEVELS_AROUND)) {
        throw new Problem(400, `the body may nest ${MAX_DEPTH + LEVELS_AROUND} levels at most`);
      }
      const { received_at } = request;
      const from = { athlete_id: request.athlete_id ?? "", received_at, door: door.name, kind: "http" as const };
      return decideConverted(door.convert(request), { ...from, body_hash: sha256Hex(request.raw) }, digest);
    }),
});

/** Clients that have a format of their own. */
export const doorRoutes = (deps: IngestDeps): Route[] => {
  const submit = submitter(deps);
  return DOORS.map((door) => routeOf(door, submit));
};
