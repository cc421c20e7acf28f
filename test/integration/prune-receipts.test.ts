import { afterAll, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../src/io/postgres.ts";
import { pruneReceipts } from "../../src/ops/prune-receipts.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("prune-receipts");
const db = openDatabase({ url: here.env.DATABASE_URL, max: 4 });
afterAll(() => db.close());
beforeEach(() => db.query("truncate ingest_batches"));

const DAY = 86_400_000;
const NOW = Date.parse("2026-11-23T00:00:00Z");
const deps = { db, clock: { now: () => NOW }, kept_ms: 90 * DAY };

/** `days`: the ages of an athlete's receipts. */
const given = (athlete: string, days: readonly number[]) =>
  db.query(
    `insert into ingest_batches (athlete_id, batch_id, received_at, body_hash, received, accepted, deletions, rejected, ignored, written)
     select $1, 'b' || n, $2::timestamptz - make_interval(days => d), 'ff', 1, 1, 0, '[]', '{}', '[]'
     from unnest($3::int[]) with ordinality as t(d, n)`,
    [athlete, new Date(NOW), days],
  );
const left = async (athlete: string): Promise<number[]> => {
  const rows = await db.query<{ received_at: number }>(
    `select received_at from ingest_batches where athlete_id = $1 order by received_at desc`,
    [athlete],
  );
  return rows.map(({ received_at }) => Math.round((NOW - received_at) / DAY));
};

test("receipts beyond their time go, younger ones stay, and so does each athlete's newest, however old", async () => {
  await given("anna", [1, 89, 90, 91, 400]);
  await given("quiet", [200, 300, 400]);
  await expect(pruneReceipts(deps)).resolves.toBe(4);
  expect(await left("anna")).toEqual([1, 89, 90]);
  expect(await left("quiet")).toEqual([200]);
  await expect(pruneReceipts(deps)).resolves.toBe(0);
});

test("more than a step holds is removed step by step, also beside another who prunes and over many of one moment", async () => {
  await given("anna", [1, ...Array.from({ length: 6000 }, (_, n) => 100 + (n % 50))]);
  await given("bulk", [1, ...Array.from({ length: 5000 }, () => 120)]);
  await given(
    "newest-alike",
    Array.from({ length: 4500 }, () => 130),
  );
  const [one, other] = await Promise.all([pruneReceipts(deps), pruneReceipts(deps)]);
  expect((one ?? 0) + (other ?? 0)).toBe(11_000);
  expect(await left("anna")).toEqual([1]);
  expect(await left("bulk")).toEqual([1]);
  expect(await left("newest-alike")).toHaveLength(4500);
});

test("what is old is found by an index, not by reading every receipt", async () => {
  await given("anna", [1]);
  const plan = await db.transaction(async (tx) => {
    await tx.query("set local enable_seqscan = off");
    return tx.query(`explain select 1 from ingest_batches where received_at < now() order by received_at limit 10`);
  });
  expect(JSON.stringify(plan)).toContain("ingest_batches_age");
});
