import { afterAll, beforeAll, expect, test } from "vitest";
import { sendings, type NativeBatch } from "../../bench/generator/batches.ts";
import type { RecomputePreview } from "../../src/ops/recompute-text.ts";
import { logicalDump } from "../support/logical-dump.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("recompute-command");
let service: Service;
const batches = sendings({ seed: SEED, athletes: 2, days: 4, firstDate: "2026-03-27", size: 40, density: 0.3 });
const athlete = batches[0]?.athlete_id ?? "";
const DAY = "2026-03-28";

const preview = async (...args: string[]): Promise<RecomputePreview> =>
  JSON.parse(await service.command("recompute", "--dry-run", "--json", ...args)) as RecomputePreview;
const stepsOfDay = () =>
  service.sql<{ value: number }>(
    `select value from athlete_metrics where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
    [athlete, DAY],
  );

beforeAll(async () => {
  service = await openService(here);
  await service.settled(() => sendAll(service, batches));
}, 120_000);
afterAll(() => service.close(), 60_000);

test("a value that a wrong rule left behind: the dry run prints old and new and changes nothing, the recompute does just that", async () => {
  expect(await preview("--all-athletes")).toMatchObject({ athletes: 2, objects: [], metrics: [], sessions: 0 });
  const [right] = await stepsOfDay();
  await service.sql(
    `update athlete_metrics set value = 7, input_hash = 'old'
     where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
    [athlete, DAY],
  );
  const before = await logicalDump(here.databaseUrl);
  const told = await preview("--athlete", athlete, "--rule", "steps_merge");
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
  const change = { athlete_id: athlete, date: DAY, metric: "steps", before: 7, after: right?.value };
  expect(told).toMatchObject({ objects: [], metrics: [change] });
  expect(await service.command("recompute", "--dry-run", "--athlete", athlete)).toMatch(/steps +derived +7 /);

  await service.settled(async () => {
    const said = await service.command("recompute", "--athlete", athlete, "--from", DAY, "--to", DAY, "--wait");
    expect(said).toContain("1 days of 1 athletes are computed");
  });
  expect(await stepsOfDay()).toEqual([right]);
  expect(await preview("--all-athletes")).toMatchObject({ objects: [], metrics: [], sessions: 0 });
}, 180_000);

const measured = (type: string, unit: string, at: { date: string; n: number }, value: number) => ({
  uuid: `00000000-0000-4000-8000-${type.length.toString(16).padStart(4, "0")}${at.n.toString(16).padStart(8, "0")}`,
  type: `HKQuantityTypeIdentifier${type}`,
  start: `${at.date}T03:00:00Z`,
  end: `${at.date}T03:00:00Z`,
  value,
  unit,
  source: { name: "Watch", bundle_id: "com.apple.health.W", product_type: "Watch7,5" },
  created: `${at.date}T03:00:00Z`,
  metadata: { HKTimeZone: "UTC" },
});
const vitals: NativeBatch = {
  batch_id: "vitals",
  provider: "apple_health",
  time_zone: "UTC",
  samples: Array.from({ length: 24 }, (_, n) => {
    const at = { date: `2026-01-${String(n + 1).padStart(2, "0")}`, n };
    return [
      measured("HeartRateVariabilitySDNN", "ms", at, 40 + ((n * 7) % 11)),
      measured("RestingHeartRate", "count/min", at, 50 + (n % 3)),
    ];
  }).flat(),
  deleted: [],
  daily: [],
};
const readinessOf = (athleteId: string) =>
  service.sql<{ date: string; value: number; method: string }>(
    `select date::text, value, method from athlete_metrics where athlete_id = $1 and metric = 'readiness' order by date`,
    [athleteId],
  );

test("a second version of a rule is looked at first, then put in force, then computed: just what was printed changes", async () => {
  await service.settled(() => service.client.send({ athlete_id: "vera", body: vitals }));
  const first = await readinessOf("vera");
  expect(first).toHaveLength(10);
  expect(first.every(({ method }) => method === "readiness/1")).toBe(true);

  const before = await logicalDump(here.databaseUrl);
  const told = await preview("--athlete", "vera", "--rule", "readiness/2");
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
  expect(told.objects).toEqual([]);
  expect(told.metrics.filter((change) => change.before !== change.after).length).toBeGreaterThan(3);
  await expect(service.command("recompute", "--athlete", "vera", "--rule", "readiness/2")).rejects.toThrow(
    /readiness\/2 is not in force.*set RULES=readiness\/2/,
  );

  Object.assign(service.env, { RULES: "readiness/2" });
  await service.settled(() => service.command("recompute", "--all-athletes", "--rule", "readiness/2", "--wait"));
  const second = await readinessOf("vera");
  expect(second.every(({ method }) => method === "readiness/2")).toBe(true);
  const after = new Map(told.metrics.map((change) => [change.date, change.after]));
  expect(second.map(({ date, value }) => [date, value])).toEqual(
    first.map(({ date, value }) => [date, after.get(date) ?? value]),
  );
  expect(await preview("--all-athletes")).toMatchObject({ objects: [], metrics: [], sessions: 0 });
}, 180_000);
