import { expect, test } from "vitest";
import { doorRoutes } from "../../../src/ingest/door-routes.ts";
import type { RouteRequest } from "../../../src/flow/route.ts";
import { convertHealthAutoExport, type HealthAutoExportBody } from "../../../src/ingest/health-auto-export/door.ts";
import { convertOpenMhealth } from "../../../src/ingest/open-mhealth/door.ts";
import { convertOpenWearables, type OpenWearablesBody } from "../../../src/ingest/open-wearables/door.ts";
import { bodyValidator } from "../../../src/io/http-validate.ts";
import { throughDoor } from "../../support/ingest/doors.ts";
import * as hostile from "../../support/ingest/hostile.ts";

const DATE = "2026-11-20T08:00:00Z";

const metric = (more: object) => ({
  data: {
    metrics: [{ name: "heart_rate", units: "count/min", data: [{ date: DATE, qty: 57, source: "W" }], ...more }],
  },
});
const point = (more: object) => metric({ data: [{ date: DATE, qty: 57, source: "W", ...more }] });
const night = (more: object) =>
  metric({ name: "sleep_analysis", units: "hr", data: [{ date: "2026-11-20", totalSleep: 7, ...more }] });
const segment = (more: object) => ({
  startDate: "2026-11-20T01:00:00Z",
  endDate: "2026-11-20T02:00:00Z",
  value: "Core",
  source: "W",
  ...more,
});
const segments = (more: object) => metric({ name: "sleep_analysis", units: "hr", data: [segment(more)] });
const workout = (more: object) => ({ data: { workouts: [{ start: DATE, end: DATE, name: "Run", ...more }] } });
const mind = (more: object) => ({ data: { stateOfMind: [{ start: DATE, end: DATE, valence: 0, ...more }] } });
const AT = "data.metrics[0].data[0]";
const { casesOf, TIMES, NUMBERS, UNITS, ENTRIES, TEXTS, TYPES } = hostile;

const HEALTH_AUTO_EXPORT: hostile.Case[] = [
  ...casesOf("a point's date", TIMES, `${AT}.date`, (date) => point({ date })),
  ...casesOf("a point's figure", NUMBERS, `${AT}.qty`, (qty) => point({ qty })),
  ...casesOf("a metric's units", UNITS, "data.metrics[0].units", (units) => metric({ units })),
  ...casesOf("a point", ENTRIES, AT, (entry) => metric({ data: [entry] })),
  ...casesOf("a point's source", TEXTS.slice(0, 4), `${AT}.source`, (source) => point({ source })),
  ...casesOf(
    "a metric's name",
    TYPES.filter(([, name]) => typeof name === "string"),
    "data.metrics[0].name",
    (name) => metric({ name }),
  ),
  ...casesOf("a segment", ENTRIES, AT, (entry) => metric({ name: "sleep_analysis", data: [entry] })),
  ...casesOf("a workout", ENTRIES, "data.workouts[0]", (entry) => ({ data: { workouts: [entry] } })),
  ...casesOf("a state of mind", ENTRIES, "data.stateOfMind[0]", (entry) => ({ data: { stateOfMind: [entry] } })),
  ["a source of 300 kB", point({ source: "x".repeat(300_000) }), AT, /^too_large$/],
  ["a stage that is none", segments({ value: "Dreaming" }), `${AT}.value`, /^bad_value$/],
  ["a segment without end", segments({ endDate: undefined }), `${AT}.endDate`, /^bad_time$/],
  ["a segment backwards", segments({ endDate: "2026-11-20T00:00:00Z" }), `${AT}.endDate`, /^end_before_start$/],
  ["a segment of a week", segments({ startDate: "2026-11-12T00:00:00Z" }), `${AT}.endDate`, /^too_long$/],
  ["a night of words", night({ totalSleep: "seven" }), `${AT}.totalSleep`, /^bad_value$/],
  ["a night below zero", night({ totalSleep: -1 }), `${AT}.totalSleep`, /^out_of_range$/],
  ["a night without anything", night({ totalSleep: undefined }), `${AT}.totalSleep`, /^bad_value$/],
  ["a night of no date", night({ date: "soon" }), `${AT}.date`, /^bad_time$/],
  [
    "a night in kilograms",
    metric({ name: "sleep_analysis", units: "kg", data: [{ date: "2026-11-20", totalSleep: 7 }] }),
    "data.metrics[0].units",
    /^bad_unit$/,
  ],
  ["a workout without end", workout({ end: undefined }), "data.workouts[0].end", /^bad_time$/],
  ["a workout backwards", workout({ end: "2026-11-20T07:00:00Z" }), "data.workouts[0].end", /^end_before_start$/],
  ["a workout of a week", workout({ start: "2026-11-10T00:00:00Z" }), "data.workouts[0].end", /^too_long$/],
  ["a workout of 300 kB", workout({ notes: "x".repeat(300_000) }), "data.workouts[0]", /^too_large$/],
  ["a valence of 2", mind({ valence: 2 }), "data.stateOfMind[0].valence", /^out_of_range$/],
  ["a valence in words", mind({ valence: "pleasant" }), "data.stateOfMind[0].valence", /^bad_value$/],
  [
    "half a pressure",
    metric({ name: "blood_pressure", units: "mmHg", data: [{ date: DATE, systolic: 120 }] }),
    `${AT}.diastolic`,
    /^bad_value$/,
  ],
  [
    "a pressure of no time",
    metric({ name: "blood_pressure", units: "mmHg", data: [{ systolic: 120, diastolic: 80 }] }),
    `${AT}.date`,
    /^bad_time$/,
  ],
];

const record = (more: object) => ({
  id: "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11",
  type: "HKQuantityTypeIdentifierHeartRate",
  startDate: DATE,
  endDate: DATE,
  zoneOffset: "+01:00",
  value: 57,
  unit: "count/min",
  source: { name: "W" },
  ...more,
});
const records = (more: object) => ({ data: { records: [record(more)] } });
const sleep = (more: object) => ({ data: { sleep: [{ ...record({}), stage: "light", ...more }] } });
const ROW = "data.records[0]";

const OPEN_WEARABLES: hostile.Case[] = [
  ...casesOf("a record's start", TIMES, `${ROW}.startDate`, (startDate) => records({ startDate, endDate: startDate })),
  ...casesOf("a record's value", NUMBERS, `${ROW}.value`, (value) => records({ value })),
  ...casesOf("a record's unit", UNITS, `${ROW}.unit`, (unit) => records({ unit })),
  ...casesOf("a record", ENTRIES, ROW, (entry) => ({ data: { records: [entry] } })),
  ...casesOf("a segment", ENTRIES, "data.sleep[0]", (entry) => ({ data: { sleep: [entry] } })),
  ...casesOf("a workout", ENTRIES, "data.workouts[0]", (entry) => ({ data: { workouts: [entry] } })),
  ...casesOf("a source's name", TEXTS.slice(0, 4), `${ROW}.source.name`, (name) => records({ source: { name } })),
  ...casesOf("a bundle", TEXTS.slice(0, 4), `${ROW}.source.bundleIdentifier`, (bundleIdentifier) =>
    records({ source: { bundleIdentifier } }),
  ),
  ...casesOf("a record's type", TYPES, `${ROW}.type`, (type) => records({ type })),
  ["a source of text", records({ source: "Watch" }), `${ROW}.source`, /^bad_value$/],
  ["a zone of another planet", records({ zoneOffset: "Mars/Olympus" }), `${ROW}.zoneOffset`, /^bad_time$/],
  ["a zone that is a number", records({ zoneOffset: 60 }), `${ROW}.zoneOffset`, /^bad_time$/],
  ["a group that is a number", records({ parentId: 60 }), `${ROW}.parentId`, /^bad_value$/],
  ["metadata of 300 kB", records({ metadata: { note: "x".repeat(300_000) } }), ROW, /^too_large$/],
  ["an end before its start", records({ endDate: "2026-11-20T07:00:00Z" }), `${ROW}.endDate`, /^end_before_start$/],
  ["a record of a week", records({ startDate: "2026-11-10T08:00:00Z" }), `${ROW}.endDate`, /^too_long$/],
  ["a stage that is none", sleep({ stage: "dreaming" }), "data.sleep[0].stage", /^bad_value$/],
  ["a stage that is a number", sleep({ stage: 9 }), "data.sleep[0].stage", /^bad_value$/],
  ["a deletion without id", { data: {}, deleted: [{}] }, "deleted[0].id", /^missing_uuid$/],
  ["a deletion of another id", { data: {}, deleted: [{ id: "7" }] }, "deleted[0].id", /^bad_uuid$/],
];

const schema_id = { namespace: "omh", name: "heart-rate", version: "2.0" };
const omh = (body: object, header: object = {}) => [
  {
    header: { schema_id, ...header },
    body: { heart_rate: { value: 57, unit: "beats/min" }, effective_time_frame: { date_time: DATE }, ...body },
  },
];
const frame = (time_interval: unknown) => omh({ effective_time_frame: { time_interval } });
const FRAME = "[0].body.effective_time_frame";
const LONG_AGO = "2026-11-01T00:00:00Z";

const OPEN_MHEALTH: hostile.Case[] = [
  ...casesOf("a point's time", TIMES, `${FRAME}.date_time`, (date_time) =>
    omh({ effective_time_frame: { date_time } }),
  ),
  ...casesOf("a value", NUMBERS, "[0].body.heart_rate.value", (value) =>
    omh({ heart_rate: { value, unit: "beats/min" } }),
  ),
  ...casesOf("a unit", UNITS, "[0].body.heart_rate.unit", (unit) => omh({ heart_rate: { value: 57, unit } })),
  ...casesOf("a point", ENTRIES, "[0]", (entry) => [entry]),
  ...casesOf("a schema", TYPES, "[0].header.schema_id.name", (name) => omh({}, { schema_id: { name } })),
  ...casesOf("a source", TEXTS.slice(0, 4), "[0].header.acquisition_provenance.source_name", (source_name) =>
    omh({}, { acquisition_provenance: { source_name } }),
  ),
  ["an interval of nothing", frame({}), `${FRAME}.time_interval.start_date_time`, /^bad_time$/],
  ["an interval of text", frame("today"), `${FRAME}.date_time`, /^bad_time$/],
  [
    "a part of a day",
    frame({ date: "2026-11-20", part_of_day: "morning" }),
    `${FRAME}.time_interval.start_date_time`,
    /^bad_time$/,
  ],
  [
    "a length of words",
    frame({ start_date_time: DATE, duration: "long" }),
    `${FRAME}.time_interval.duration`,
    /^bad_time$/,
  ],
  [
    "a length in light years",
    frame({ start_date_time: DATE, duration: { value: 1, unit: "ly" } }),
    `${FRAME}.time_interval.duration`,
    /^bad_time$/,
  ],
  [
    "a length without end",
    frame({ start_date_time: DATE, duration: { value: 1e300, unit: "d" } }),
    `${FRAME}.time_interval.duration`,
    /^bad_time$/,
  ],
  [
    "a length below zero",
    frame({ start_date_time: DATE, duration: { value: -1, unit: "h" } }),
    `${FRAME}.time_interval.duration`,
    /^end_before_start$/,
  ],
  [
    "an interval of weeks",
    frame({ start_date_time: LONG_AGO, end_date_time: DATE }),
    `${FRAME}.time_interval.end_date_time`,
    /^too_long$/,
  ],
  ["a night without its total", [{ header: { schema_id: { name: "sleep-episode" } }, body: {} }], FRAME, /^bad_time$/],
];

const TABLES = [
  {
    door: "health-auto-export",
    name: "health_auto_export",
    cases: HEALTH_AUTO_EXPORT,
    convert: (body: unknown) =>
      convertHealthAutoExport(body as HealthAutoExportBody, { aggregation: null, time_zone: null }),
  },
  {
    door: "open-wearables",
    name: "open_wearables",
    cases: OPEN_WEARABLES,
    convert: (body: unknown) => convertOpenWearables(body as OpenWearablesBody),
  },
  {
    door: "open-mhealth",
    name: "open_mhealth",
    cases: OPEN_MHEALTH,
    convert: (body: unknown) => convertOpenMhealth(body as unknown[]),
  },
] as const;

const never = (): never => {
  throw new Error("a door that refuses its body publishes nothing");
};
const routes = doorRoutes({
  producer: { send: never, close: never },
  codec: { encode: never, decode: never },
  db: { query: never, transaction: never, snapshot: never, close: never },
  topics: (name) => name,
  isTransient: () => false,
  clock: { now: () => 0 },
});
const routeOf = (door: string) => routes.find(({ path }) => path.endsWith(door));

for (const { door, name, cases, convert } of TABLES) {
  const validate = bodyValidator(routeOf(door)?.schema.body ?? {});

  test(`${door}: the table of bad inputs has at least 60, each under a name of its own`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(([label]) => label)).size).toBe(cases.length);
  });

  test.each(cases)(
    `${door}: %s is refused with its reason and path, never an error of ours`,
    (_, body, path, reason) => {
      const sent = JSON.parse(JSON.stringify(body)) as unknown;
      const fate = hostile.fateOf(() => {
        validate(sent);
        return throughDoor(name, convert(sent));
      });
      expect(fate.status).toBe(202);
      expect(fate.reasons.length).toBeGreaterThan(0);
      expect(fate.paths[0]?.startsWith(path), `${fate.paths[0]} begins with ${path}`).toBe(true);
      expect(fate.reasons[0]).toMatch(reason);
    },
  );

  test.each<[string, unknown]>([
    ["null", null],
    ["a number", 7],
    ["text", "x"],
    ["another client's object", { samples: [] }],
    ["data of text", { data: "x" }],
    ["data of a list", { data: [] }],
    ["lists of text", { data: { metrics: "x", records: "x" } }],
    ["lists of numbers", { data: { metrics: [7], records: 7 } }],
    ["a provider of elsewhere", { provider: "other", data: { metrics: 1 } }],
    ["an anchor of a list", { data: { metrics: {} }, anchor: [] }],
  ])(`${door}: a body that is %s is a 400`, (_, body) => {
    expect(() => validate(body)).toThrow(expect.objectContaining({ status: 400 }));
  });
}

const request = (body: unknown, more: Partial<RouteRequest> = {}): RouteRequest => ({
  athlete_id: "a1",
  params: {},
  query: {},
  headers: {},
  body,
  raw: new Uint8Array(),
  received_at: Date.parse("2026-11-21T12:00:00Z"),
  request_id: "r",
  subject: null,
  athletes: "*",
  ...more,
});

test.each([
  ["health-auto-export", 400, point({ note: hostile.DEEP })],
  ["health-auto-export", 400, workout({ note: hostile.FAR_TOO_DEEP })],
  ["open-wearables", 400, records({ metadata: hostile.FAR_TOO_DEEP })],
  ["open-mhealth", 400, omh({ note: hostile.FAR_TOO_DEEP })],
  ["health-auto-export", 413, metric({ data: Array.from({ length: 20_001 }, () => 1) })],
  ["health-auto-export", 413, metric({ data: Array.from({ length: 5001 }, () => 1) })],
  ["open-wearables", 413, { data: { records: Array.from({ length: 20_001 }, () => 1) } }],
  ["open-mhealth", 413, Array.from({ length: 20_001 }, () => 1)],
] as const)("%s answers %i where a body is too deep or too much", async (door, status, body) => {
  await expect(routeOf(door)?.handler(request(body))).rejects.toMatchObject({ status });
});

test("a zone that is none is a 400 that names it", async () => {
  for (const door of ["health-auto-export", "open-mhealth"]) {
    const body = door === "open-mhealth" ? [] : { data: {} };
    const answer = routeOf(door)?.handler(request(body, { query: { time_zone: "Mars/Olympus" } }));
    await expect(answer).rejects.toMatchObject({ status: 400, errors: [{ path: "time_zone" }] });
  }
});
