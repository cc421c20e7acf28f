import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { NAMESPACE, nameUuid } from "../audit/identity.ts";
import {
  ACCEPTED,
  ATHLETE,
  BATCH,
  DAYS,
  DELETED_ID,
  REFUSED_PATH,
  TODAY,
  metricRows,
  rowsOf,
  type CleanMetric,
  type CleanRow,
} from "./content.ts";
import type { Place } from "./place.ts";

/** Parquet written by DuckDB: another writer than the product's. */
export const parquetOf = async (rows: readonly CleanRow[]): Promise<Uint8Array> => {
  const folder = await mkdtemp(join(tmpdir(), "health-sync-clean-"));
  const instance = await DuckDBInstance.create(":memory:");
  const duck = await instance.connect();
  const values = rows.map(
    (r) =>
      `('${ATHLETE}', '${r.metric}', '${r.unit}', '${r.source.replaceAll("'", "''")}', null::varchar, 'Europe/Amsterdam', '${r.local_date}'::date,
        make_timestamptz(${r.start_at * 1000}), make_timestamptz(${r.end_at * 1000}), ${r.value}::double, null::varchar, '${r.sample_id}'::uuid)`,
  );
  const columns =
    "athlete_id, metric, unit, source, device, tz, local_date, start_at, end_at, value, attributes, sample_id";
  const file = join(folder, "day.parquet");
  try {
    await duck.run(`copy (select * from (values ${values.join(",")}) as t(${columns})) to '${file}' (format parquet)`);
    return await readFile(file);
  } finally {
    duck.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
};

const days = (date: string): number => Math.round(Date.parse(`${date}T00:00:00Z`) / 86_400_000);
const instant = (ms: number): string => new Date(ms).toISOString();
export const letterId = nameUuid(NAMESPACE, `${ATHLETE}|${BATCH}|${REFUSED_PATH}`);

/** The value of a metric's event, as the table has it. */
export const metricEvent = (m: CleanMetric, revision: number): Record<string, unknown> => ({
  athlete_id: ATHLETE,
  ...m,
  date: days(m.date),
  is_final: m.date !== TODAY,
  pane: "on_time",
  method: "m",
  input_hash: null,
  provenance: null,
  revision,
  updated_at: 1,
});
export const metricKey = (m: CleanMetric): string => `${ATHLETE}|${m.date}|${m.metric}|${m.source}`;

export const letterEvent = (id: string): Record<string, unknown> => ({
  id,
  athlete_id: ATHLETE,
  reason: "out_of_range",
  path: REFUSED_PATH,
  detail: "",
  content_type: "application/json",
  payload: Buffer.from("{}"),
  origin: { kind: "http", batch_id: BATCH, index: 0, topic: null, topic_partition: null, offset: null },
  attempts: 1,
  first_seen_at: 1,
});

/** Puts an object for the day and points to it; answers its key. */
export const pointTo = async (
  place: Place,
  date: string,
  rows: readonly CleanRow[],
  generation: number,
): Promise<string> => {
  const body = await parquetOf(rows);
  const hash = createHash("sha256").update(body).digest("hex");
  const key = `health_streams/athlete=a_${ATHLETE}/month=${date.slice(0, 7)}/${date}.g${generation}.${hash.slice(0, 12)}.parquet`;
  await place.put(key, body);
  await place.sql("delete from health_streams where athlete_id = $1 and period_start = $2", [ATHLETE, date]);
  await place.sql(
    `insert into health_streams values ($1, $2, $2, 'day', $3, $4, $5, $6, $7, 'rows', null, '{}', $4, now())`,
    [ATHLETE, date, key, generation, rows.length, body.byteLength, hash],
  );
  const period = days(date);
  const value = {
    athlete_id: ATHLETE,
    period_start: period,
    period_end: period,
    level: "day",
    object_key: key,
    generation,
    row_count: rows.length,
    bytes: body.byteLength,
    content_hash: hash,
    written_at: 1,
    rows_hash: "rows",
    revision: generation,
  };
  await place.send("day-partitions", [{ key: `${ATHLETE}|${date}`, value }]);
  return key;
};

export const stage = async (place: Place, rows: readonly CleanRow[]): Promise<void> => {
  for (const r of rows) {
    await place.sql(
      `insert into health_samples_staging values ($1,$2,$3,$4,$5,$6,$7,$8,null,'Europe/Amsterdam',$9,'{}',now(),1)`,
      [ATHLETE, r.sample_id, r.metric, instant(r.start_at), instant(r.end_at), r.value, r.unit, r.source, r.local_date],
    );
  }
};

const fates = async (place: Place): Promise<void> => {
  const rejected = [{ index: 0, uuid: null, reason: "out_of_range", path: REFUSED_PATH, detail: "" }];
  await place.sql(`insert into ingest_batches values ($1, $2, now(), 'hash', null, $3, $4, 1, $5, '{}', '[]')`, [
    ATHLETE,
    BATCH,
    ACCEPTED + 1,
    ACCEPTED,
    JSON.stringify(rejected),
  ]);
  const letter = letterEvent(letterId);
  await place.sql(
    `insert into dead_letters values ($1, $2, 'out_of_range', $3, '', 'application/json', '', $4, 1, now())`,
    [letterId, ATHLETE, REFUSED_PATH, JSON.stringify(letter["origin"])],
  );
  await place.send("deadletter", [{ key: ATHLETE, value: letter }]);
  const receipt = { athlete_id: ATHLETE, batch_id: BATCH, received_at: 1, body_hash: "hash", anchor: null };
  const counts = { received: ACCEPTED + 1, accepted: ACCEPTED, deletions: 1, rejected, written: [], ignored: {} };
  await place.send("batches", [{ key: ATHLETE, value: { ...receipt, ...counts } }]);
};

/** Writes the whole clean state: what the auditor must call right. */
export const writeCleanState = async (place: Place): Promise<void> => {
  await fates(place);
  for (const [i, date] of DAYS.entries()) await pointTo(place, date, rowsOf(date), i + 1);
  await stage(place, rowsOf(TODAY));
  await place.sql(
    `insert into sample_tombstones (athlete_id, sample_id, reason, deleted_at, resolved_at) values ($1, $2, 'deleted', now(), now())`,
    [ATHLETE, DELETED_ID],
  );
  for (const date of [...DAYS, TODAY]) {
    await place.sql(`insert into windows values ($1, $2, 1, 1, now(), $3, now(), now(), 'live', 'samples', 0)`, [
      ATHLETE,
      date,
      date === TODAY ? null : instant(0),
    ]);
  }
  for (const [i, m] of metricRows.entries()) {
    await place.sql(
      `insert into athlete_metrics values ($1,$2,$3,$4,$5,$6,$7,$8,$9,'on_time','m',null,null,$10,now())`,
      [ATHLETE, m.date, m.metric, m.source, m.value, m.unit, m.locked, m.synced_value, m.date !== TODAY, i + 1],
    );
  }
  await place.send(
    "metrics",
    metricRows.map((m, i) => ({ key: metricKey(m), value: metricEvent(m, i + 1) })),
  );
};
