import type { Codec, Database, OutgoingRecord } from "../flow/ports.ts";

export const BATCH_ROWS = 500;

export type OutboxRow = {
  id: number;
  topic: string;
  key: string | null;
  value: unknown;
  headers: Record<string, string>;
};

/** The oldest rows of a lane. Per athlete, ids rise in commit order; across athletes a gap may fill late. */
export const readRows = async (db: Database, shard: number): Promise<OutboxRow[]> =>
  db.query<OutboxRow>(
    `select id, topic, key, value, headers from outbox where shard = $1 order by id limit ${BATCH_ROWS}`,
    [shard],
  );

/** By id, never `id <= max`: a row of another athlete may have committed in between under a smaller id. */
export const deleteRows = async (db: Database, ids: readonly number[]): Promise<void> => {
  await db.query(`delete from outbox where id = any($1::bigint[])`, [ids]);
};

/** Lanes among those given that have something to send. */
export const lanesWithRows = async (db: Database, shards: readonly number[]): Promise<number[]> => {
  const rows = await db.query<{ shard: number }>(
    `select s as shard from unnest($1::smallint[]) as t(s) where exists (select 1 from outbox where shard = s)`,
    [shards],
  );
  return rows.map((row) => row.shard);
};

/** The inverse of what `enqueue` (flow/outbox.ts) does to bytes. */
export const reviveBytes = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reviveBytes);
  if (value === null || typeof value !== "object") return value;
  const base64 = (value as { $base64?: unknown }).$base64;
  if (typeof base64 === "string") return Buffer.from(base64, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reviveBytes(inner)]));
};

/** What could be encoded before the first row that could not, and that row's error. */
export type Encoded = { records: OutgoingRecord[]; ids: number[]; failed: { row: OutboxRow; error: unknown } | null };

/** Encodes rows in order and stops at the first failure: what stands behind a row must not overtake it. */
export const encodeRows = async (codec: Codec, rows: readonly OutboxRow[]): Promise<Encoded> => {
  const encoded: Encoded = { records: [], ids: [], failed: null };
  for (const row of rows) {
    try {
      const value = row.value === null ? null : await codec.encode(row.topic, reviveBytes(row.value));
      encoded.records.push({ topic: row.topic, key: row.key, value, headers: row.headers });
      encoded.ids.push(row.id);
    } catch (error) {
      encoded.failed = { row, error };
      break;
    }
  }
  return encoded;
};
