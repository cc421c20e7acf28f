import { expect, test } from "vitest";
import { openEdge } from "../support/ingest/edge.ts";
import { openRouteTable } from "../support/route-table.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("hostile-queries");
const { routes } = openRouteTable(here);
const edge = await openEdge(routes);

/** Status and the parameter that the answer must name. */
type Case = readonly [path: string, status: number, names: string];

const HEART = "/samples?metric=heart_rate";
const bad = (path: string, names: string, values: readonly string[]): Case[] =>
  values.map((value) => [`${path}${encodeURIComponent(value)}`, 400, names]);

const TIMES = [
  "yesterday",
  "2026-11-20T06:00:00",
  "2026-02-30",
  "2026-13-01",
  "1795240800",
  "",
  "2026-11-20T25:00:00Z",
];
const YEARS = ["1899-12-31", "2200-01-01", "0001-01-01", "9999-12-31"];
const DATES = ["yesterday", "2026-02-30", "2026-13-01", "20261120", "", "2026-11-20T06:00:00Z", "２０２６-11-20"];

const SAMPLES: Case[] = [
  ["/samples", 400, "metric"],
  ...bad("/samples?metric=", "metric", ["", "heartrate", "HEART_RATE", "constructor", "*", "a".repeat(3000)]),
  ...bad(`${HEART}&from=`, "from", [...TIMES, ...YEARS]),
  ...bad(`${HEART}&to=`, "to", [...TIMES, ...YEARS]),
  ...bad(`${HEART}&resolution=`, "resolution", ["", "2m", "1D", "minute"]),
  ...bad(`${HEART}&limit=`, "limit", ["", "0", "-1", "1.5", "50001", "1e3", "ten", "99999999999999999999"]),
  ...bad(`${HEART}&cursor=`, "cursor", ["", "x", "W10", "e30", "WzEsMl0", "bnVsbA", "WyJhIiwiYiIsImMiXQ", "%"]),
  [`${HEART}&from=2026-11-20&to=2026-11-19`, 400, "from"],
  [`${HEART}&from=2020-01-01&to=2026-11-20`, 400, "from"],
  [`${HEART}&from=2020-01-01&to=2026-11-20&resolution=1d`, 400, "from"],
  [`${HEART}&from=2026-01-01&to=2026-11-20&resolution=1m`, 400, "resolution"],
  [`${HEART}&metric=steps`, 400, "metric"],
  [`${HEART}&since=2026-11-20`, 400, "since"],
];

const METRICS: Case[] = [
  ...bad("/metrics?from=", "from", [...DATES, ...YEARS]),
  ...bad("/metrics?to=", "to", [...DATES, ...YEARS]),
  ...bad("/metrics?metric=", "metric", ["", "Steps", "steps;", "*", "../steps", "a".repeat(65)]),
  ...bad("/metrics?source=", "source", ["", "garmin", "Manual", "manual,derived"]),
  ...bad("/metrics?view=", "view", ["", "none", "ALL", "__proto__"]),
  ["/metrics?from=2026-11-20&to=2026-11-19", 400, "from"],
  ["/metrics?from=2000-01-01&to=2026-11-20", 400, "from"],
  ["/metrics?day=2026-11-20", 400, "day"],
  ...["yesterday", "2026-02-30"].map((date): Case => [`/metrics/${date}/steps/explain`, 400, "date"]),
  ["/metrics/2026-11-20/steps/explain?source=garmin", 400, "source"],
];

const SLEEP: Case[] = [
  ...bad("/sleep?from=", "from", [...DATES, ...YEARS]),
  ...bad("/sleep?to=", "to", [...DATES, ...YEARS]),
  ["/sleep?from=2026-11-20&to=2026-11-19", 400, "from"],
  ["/sleep?night=2026-11-20", 400, "night"],
  ...["x", "7", "2026-11-20", "00000000-0000-0000-0000-00000000000g", "null"].map((id): Case => [
    `/sleep/${id}`,
    404,
    "session_id",
  ]),
];

const EXPORT: Case[] = bad("/export?format=", "format", ["", "xlsx", "JSON", "../json"]);

const MANY: Case[] = [
  ...bad("/v1/metrics?athletes=", "athletes", ["", ",", "anna,", "../anna", "a b", "a".repeat(65), "anna,*"]),
  ...bad("/v1/metrics?limit=", "limit", ["0", "-1", "201", "x"]),
  ...bad("/v1/metrics?cursor=", "cursor", ["%", "Li4", "LS1h"]),
  ...bad("/v1/metrics?from=", "from", DATES),
  ["/v1/metrics?from=2020-01-01&to=2026-11-20", 400, "from"],
];

const CASES = [...SAMPLES, ...METRICS, ...SLEEP, ...EXPORT, ...MANY];

test("the table of bad questions has at least 120, each asked once", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(120);
  expect(new Set(CASES.map(([path]) => path)).size).toBe(CASES.length);
});

test.each(CASES)("GET %s is answered with %i, which names %s", async (path, status, names) => {
  const answer = await edge.ask(path.startsWith("/v1/") ? path : `/v1/athletes/anna${path}`);
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  expect(answer.body).toMatchObject({
    status,
    errors: expect.arrayContaining([expect.objectContaining({ path: names })]) as unknown,
  });
});
