import { expect, test } from "vitest";
import { type WrittenMetric, removeMetrics, writeMetrics } from "../../src/flow/metric-rows.ts";
import type { Tx } from "../../src/flow/ports.ts";
import { topicNames } from "../../src/flow/topics.ts";

const of = { athlete_id: "anna", topic: topicNames("t."), now: 1_000 };

const weight: WrittenMetric = {
  date: "2026-11-21",
  metric: "weight",
  source: "manual",
  value: 71.5,
  unit: "kg",
  locked: false,
  synced_value: null,
  is_final: true,
  method: null,
  input_hash: null,
  provenance: null,
  pane: null,
  revision: 7,
};

/** Writes down what is asked of it; the statements themselves run against Postgres in the stages' tests. */
const recorder = () => {
  const seen: { text: string; params: readonly unknown[] }[] = [];
  const query = async (text: string, params: readonly unknown[] = []): Promise<unknown[]> => {
    seen.push({ text, params });
    return [];
  };
  return { seen, tx: { query } as unknown as Tx };
};

test("a written row is one upsert and one event with the full row, its date as days and its provenance as text", async () => {
  const { seen, tx } = recorder();
  const row = { ...weight, source: "derived" as const, pane: "late", provenance: { count: 2 } };
  const events = await writeMetrics(tx, of, [row]);
  expect(seen.map(({ text }) => /^insert into (\w+)/.exec(text)?.[1])).toEqual(["athlete_metrics"]);
  expect(seen[0]?.params).toEqual(["anna", new Date(1_000), JSON.stringify([row])]);
  expect(events).toEqual([
    {
      topic: "t.health.metrics.v1",
      athlete_id: "anna",
      key: "anna|2026-11-21|weight|derived",
      value: { ...row, athlete_id: "anna", date: 20_778, provenance: '{"count":2}', updated_at: 1_000 },
    },
  ]);
});

test("a row without provenance says so in its event", async () => {
  const [event] = await writeMetrics(recorder().tx, of, [weight]);
  expect(event?.value).toMatchObject({ pane: null, provenance: null, revision: 7 });
});

test("a removed row is a tombstone that carries its number as a header", async () => {
  const { seen, tx } = recorder();
  const key = { date: "2026-11-21", metric: "weight", source: "manual" as const, revision: 8 };
  expect(await removeMetrics(tx, of, [key])).toEqual([
    {
      topic: "t.health.metrics.v1",
      athlete_id: "anna",
      key: "anna|2026-11-21|weight|manual",
      value: null,
      headers: { revision: "8" },
    },
  ]);
  expect(seen.map(({ text, params }) => [/^delete from (\w+)/.exec(text)?.[1], params])).toEqual([
    ["athlete_metrics", ["anna", JSON.stringify([key])]],
  ]);
});

test("nothing to write or remove asks nothing of the table and tells nobody", async () => {
  const { seen, tx } = recorder();
  expect([await writeMetrics(tx, of, []), await removeMetrics(tx, of, [])]).toEqual([[], []]);
  expect(seen).toEqual([]);
});
