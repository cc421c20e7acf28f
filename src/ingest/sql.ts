import type { Database } from "../flow/ports.ts";
import type { BatchReceipt } from "./publish.ts";

/** The group under which staging stores its positions: what it has passed is durable. */
const STAGING_GROUP = "staging";

export type AskedBatch = { athlete_id: string; batch_id: string };

/** SHA-256 of the body that came under each batch id before, or null, in the order asked for. */
export const knownBodyHashes = async (db: Database, asked: readonly AskedBatch[]): Promise<(string | null)[]> => {
  const rows = await db.query<{ body_hash: string | null }>(
    `select (select body_hash from ingest_batches b
       where b.athlete_id = asked.athlete_id and b.batch_id = asked.batch_id) as body_hash
     from unnest($1::text[], $2::text[]) with ordinality as asked (athlete_id, batch_id, n) order by n`,
    [asked.map(({ athlete_id }) => athlete_id), asked.map(({ batch_id }) => batch_id)],
  );
  return rows.map(({ body_hash }) => body_hash);
};

export type StoredReceipt = BatchReceipt & {
  /** Every offset that the batch wrote is below the stored positions. */
  applied: boolean;
};

/** The receipt as consumed, or null where it was not consumed yet. */
export const storedReceipt = async (
  db: Database,
  athleteId: string,
  batchId: string,
): Promise<StoredReceipt | null> => {
  const rows = await db.query<StoredReceipt>(
    `select athlete_id, batch_id, received_at, body_hash, anchor, received, accepted, deletions, rejected, ignored, written,
       not exists (
         select from jsonb_to_recordset(written) as w(topic text, topic_partition int, last_offset bigint)
         left join consumer_offsets o
           on o.group_id = $3 and o.topic = w.topic and o.topic_partition = w.topic_partition
         where coalesce(o.position, 0) <= w.last_offset
       ) as applied
     from ingest_batches where athlete_id = $1 and batch_id = $2`,
    [athleteId, batchId, STAGING_GROUP],
  );
  return rows[0] ?? null;
};
