import { Type } from "typebox";
import { digest, sha256Hex } from "../flow/digest.ts";
import { Problem, type Route, type RouteRequest } from "../flow/route.ts";
import { answerSchema } from "./batch-body.ts";
import { uploadRoute, type UploadDeps } from "./apple-export/upload-route.ts";
import type { BatchDecision } from "./decide.ts";
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
import { zoneQuery, zoneSchema } from "./zone-query.ts";

/** A door: one format of one client, described as a route; its folder makes the one shape inside of it. */
type Door = {
  name: DoorRequest["door"];
  path: string;
  summary: string;
  body: object;
  query?: object;
  convert(request: Pick<RouteRequest, "body" | "query" | "headers">): Converted;
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
        time_zone: zoneQuery(request),
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
      return { ...converted, time_zone: zoneQuery(request) };
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

/**
 * A client's body again, as a dead letter kept it: through the same converter. Throws Problem where it is none of the
 * door's, and RangeError where there is no such door.
 */
export const decideAgain = (
  body: unknown,
  from: DoorRequest & { kind: "http" | "import"; time_zone: string | null },
): BatchDecision => {
  const door = DOORS.find(({ name }) => name === from.door);
  if (!door) throw new RangeError(`there is no door ${from.door}`);
  const query = from.time_zone === null ? {} : { time_zone: from.time_zone };
  return decideConverted(door.convert({ body, query, headers: {} }), from, digest);
};

/** Clients that have a format of their own. */
export const doorRoutes = (deps: IngestDeps & UploadDeps): Route[] => {
  const submit = submitter(deps);
  return [...DOORS.map((door) => routeOf(door, submit)), uploadRoute(deps)];
};
