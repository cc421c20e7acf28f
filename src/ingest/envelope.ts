import { isZone } from "../domain/local-day.ts";
import { Problem } from "../flow/route.ts";
import { type BatchBody, MAX_ENTRIES } from "./batch-body.ts";

const badField = (path: string, detail: string): Problem =>
  new Problem(400, `the body is not as it should be: ${path} ${detail}`, { errors: [{ path, detail }] });

/** What the envelope's schema cannot say. Throws Problem 400. */
export const checkEnvelope = (body: BatchBody): void => {
  if (!body.samples && !body.deleted && !body.daily) {
    throw badField("samples", "is required, unless there is deleted or daily");
  }
  const entries = (body.samples?.length ?? 0) + (body.deleted?.length ?? 0) + (body.daily?.length ?? 0);
  if (entries > MAX_ENTRIES)
    throw badField("samples", `with deleted and daily may hold ${MAX_ENTRIES} entries: split it`);
  if (body.time_zone !== undefined && body.time_zone !== null && !isZone(body.time_zone)) {
    throw badField("time_zone", "must be an IANA zone like Europe/Amsterdam, or an offset like +01:00");
  }
};
