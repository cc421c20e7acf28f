import { afterAll, beforeAll, expect, test } from "vitest";
import { sendings, type NativeBatch } from "../../bench/generator/batches.ts";
import type { ReplayPreview } from "../../src/ops/replay-preview.ts";
import { logicalDump } from "../support/logical-dump.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("replay-preview");
let service: Service;
const batches = sendings({ seed: SEED, athletes: 2, days: 4, firstDate: "2026-03-27", size: 40, density: 0.3 });
const athlete = batches[0]?.athlete_id ?? "";

const preview = async (...args: string[]): Promise<ReplayPreview> =>
  JSON.parse(await service.command("replay", "--dry-run", "--json", ...args)) as ReplayPreview;

beforeAll(async () => {
  service = await openService(here);
  await service.settled(() => sendAll(service, batches));
}, 120_000);
afterAll(() => service.close(), 60_000);

test("where nothing was missed, a dry run says so and leaves a logical dump equal", async () => {
  const before = await logicalDump(here.databaseUrl);
  expect(await preview()).toMatchObject({ objects: [], metrics: [], staged: [], tombstones: 0, totals: 0 });
  expect(await service.command("replay", "--dry-run")).toContain("a replay would change nothing");
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
}, 120_000);

const DAY = "2026-03-28";
const walk = (uuid: string, start: string, value: number): NativeBatch["samples"][number] => ({
  uuid,
  type: "HKQuantityTypeIdentifierStepCount",
  start,
  end: new Date(Date.parse(start) + 600_000).toISOString(),
  value,
  unit: "count",
  source: { name: "Other phone", bundle_id: "com.apple.health.X", product_type: "iPhone17,1" },
  created: start,
  metadata: { HKTimeZone: "UTC" },
});

test("records that were skipped: the dry run says which rows, objects and metrics change, and a replay does just that", async () => {
  const gone = await service.sql<{ sample_id: string }>(`select sample_id from sample_tombstones`);
  const victim = batches
    .filter((batch) => batch.athlete_id === athlete)
    .flatMap((batch) => batch.body.samples)
    .find(
      ({ uuid, unit, value }) => unit === "count/min" && value < 200 && gone.every((row) => row.sample_id !== uuid),
    );
  const skipped: NativeBatch = {
    batch_id: "skipped",
    provider: "apple_health",
    time_zone: "UTC",
    samples: [
      walk("11111111-1111-4111-8111-111111111111", `${DAY}T03:00:00Z`, 400),
      walk("22222222-2222-4222-8222-222222222222", new Date(Date.now() - 3_600_000).toISOString(), 70),
    ],
    deleted: [{ uuid: victim?.uuid ?? "", type: victim?.type ?? "" }],
    daily: [{ date: DAY, type: "HKQuantityTypeIdentifierStepCount", value: 9_999, unit: "count" }],
  };
  await service.client.send({ athlete_id: athlete, body: skipped });
  await service.command("positions", "set", "--to", "latest", "--yes");
  await service.sql(
    `update athlete_metrics set locked = true, synced_value = value, value = 1
     where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
    [athlete, DAY],
  );
  await service.settled(async () => undefined);

  const before = await logicalDump(here.databaseUrl);
  const told = await preview("--athlete", athlete);
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
  expect(told).toMatchObject({ athletes: 1, tombstones: 1, totals: 1, staged: [{ athlete_id: athlete, added: 1 }] });
  expect(told.objects).toContainEqual(
    expect.objectContaining({ change: "rewritten", period_start: DAY, rows_added: 1 }),
  );
  expect(told.objects.reduce((sum, object) => sum + object.rows_removed, 0)).toBe(1);
  const steps = { date: DAY, metric: "steps" };
  expect(told.metrics).toContainEqual(expect.objectContaining({ ...steps, source: "apple_health", after: 9_999 }));
  expect(told.metrics).toContainEqual(
    expect.objectContaining({ ...steps, source: "derived", locked: true, before: 1, after: 1 }),
  );

  const keysBefore = await service.sql<{ object_key: string }>(`select object_key from health_streams`);
  await service.settled(() => service.command("replay", "--athlete", athlete));
  expect(await preview("--athlete", athlete)).toMatchObject({ objects: [], metrics: [], staged: [], tombstones: 0 });
  const written = await service.sql<{ period_start: string }>(
    `select period_start::text from health_streams where object_key <> all($1) order by 1`,
    [keysBefore.map((row) => row.object_key)],
  );
  expect(written.map((row) => row.period_start)).toEqual(told.objects.map((object) => object.period_start));
  for (const { date, metric, source, after } of told.metrics) {
    const rows = await service.sql(
      `select value from athlete_metrics where athlete_id = $1 and date = $2 and metric = $3 and source = $4`,
      [athlete, date, metric, source],
    );
    expect(rows, `${date} ${metric} ${source}`).toEqual(after === null ? [] : [{ value: after }]);
  }
}, 180_000);
