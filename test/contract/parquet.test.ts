import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import type { StreamRow } from "../../src/domain/sleep/streams.ts";
import { canonicalJson } from "../../src/domain/canonical.ts";
import { compareRows } from "../../src/domain/merge.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { daySamples } from "../support/day-samples.ts";

// DuckDB is the independent reader: nothing of it was used for writing.
const folder = mkdtempSync(join(tmpdir(), "parquet-"));
const duck = await (await DuckDBInstance.create(":memory:")).connect();
afterAll(() => {
  duck.closeSync();
  rmSync(folder, { recursive: true });
});

let files = 0;
/** Each under a name of its own: DuckDB remembers a file by name, size and second, and would mix two of them. */
const written = (bytes: Uint8Array): string => {
  files += 1;
  const path = join(folder, `${files}.parquet`);
  writeFileSync(path, bytes);
  return path;
};
const ask = async (sql: string): Promise<Record<string, unknown>[]> => {
  const reader = await duck.runAndReadAll(sql);
  return reader.getRowObjectsJson();
};

const shown = (row: Sample): Record<string, unknown> => ({
  athlete_id: row.athlete_id,
  metric: row.metric,
  unit: row.unit,
  source: row.source,
  device: row.device,
  tz: row.tz,
  local_date: row.local_date,
  start_at: String(row.start_at),
  end_at: String(row.end_at),
  value: row.value,
  attributes: canonicalJson({ ...row.attributes, received_at: row.received_at }),
  sample_id: row.sample_id,
});

test("another reader finds every cell of every row, in our order", async () => {
  await fc.assert(
    fc.asyncProperty(daySamples(), async (samples) => {
      const path = written(parquetFormat.encodeDay(samples));
      const rows = await ask(
        `select athlete_id, metric, unit, source, device, tz, strftime(local_date, '%Y-%m-%d') as local_date,
           epoch_ms(start_at) as start_at, epoch_ms(end_at) as end_at, value, attributes, sample_id
         from read_parquet('${path}')`,
      );
      expect(rows).toEqual(samples.toSorted(compareRows).map(shown));
    }),
    { numRuns: 40 },
  );
});

test("the columns are those of the contract, in name, order and logical type", async () => {
  const samples = fc.sample(daySamples({ minLength: 5 }), { numRuns: 1, seed: 1 })[0] ?? [];
  const path = written(parquetFormat.encodeDay(samples));
  const columns = await ask(`describe select * from read_parquet('${path}')`);
  expect(columns.map((each) => [each["column_name"], each["column_type"]])).toEqual([
    ["athlete_id", "VARCHAR"],
    ["metric", "VARCHAR"],
    ["unit", "VARCHAR"],
    ["source", "VARCHAR"],
    ["device", "VARCHAR"],
    ["tz", "VARCHAR"],
    ["local_date", "DATE"],
    ["start_at", "TIMESTAMP WITH TIME ZONE"],
    ["end_at", "TIMESTAMP WITH TIME ZONE"],
    ["value", "DOUBLE"],
    ["attributes", "VARCHAR"],
    ["sample_id", "UUID"],
  ]);
});

test("another reader filters by metric and time through the statistics we wrote", async () => {
  const samples = fc.sample(daySamples({ minLength: 40 }), { numRuns: 1, seed: 2 })[0] ?? [];
  const path = written(parquetFormat.encodeDay(samples));
  const half = samples.toSorted((a, b) => a.start_at - b.start_at)[20]?.start_at ?? 0;
  const [found] = await ask(
    `select count(*)::int as n from read_parquet('${path}') where metric = 'steps' and start_at >= make_timestamptz(${half}000)`,
  );
  expect(found?.["n"]).toBe(samples.filter((each) => each.metric === "steps" && each.start_at >= half).length);
});

const shownRow = ({ start_at, end_at, ...row }: StreamRow) => ({
  ...row,
  start_at: String(start_at),
  end_at: String(end_at),
});

test("another reader finds every row of a sleep stream, its columns those of the contract", async () => {
  const session_id = "00112233-4455-6677-8899-aabbccddeeff";
  const night: StreamRow[] = [
    {
      session_id,
      channel: "sleep_stage",
      start_at: 1_764_000_000_000,
      end_at: 1_764_000_030_000,
      value: 3,
      source: "Watch",
    },
    {
      session_id,
      channel: "heart_rate",
      start_at: 1_764_000_001_000,
      end_at: 1_764_000_001_000,
      value: 51.5,
      source: "iPhone ✓",
    },
  ];
  const path = written(parquetFormat.encodeSleep(night));
  const columns = await ask(`describe select * from read_parquet('${path}')`);
  expect(columns.map((each) => [each["column_name"], each["column_type"]])).toEqual([
    ["session_id", "UUID"],
    ["channel", "VARCHAR"],
    ["start_at", "TIMESTAMP WITH TIME ZONE"],
    ["end_at", "TIMESTAMP WITH TIME ZONE"],
    ["value", "DOUBLE"],
    ["source", "VARCHAR"],
  ]);
  const rows = await ask(
    `select session_id, channel, epoch_ms(start_at) as start_at, epoch_ms(end_at) as end_at, value, source
     from read_parquet('${path}')`,
  );
  expect(rows).toEqual(night.toReversed().map(shownRow));
});
