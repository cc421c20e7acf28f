import type { Database } from "../flow/ports.ts";
import type { BatchReceipt } from "./publish.ts";

/** The group under which staging stores its positions: what it has passed is durable. */
const STAGING_GROUP = "staging";

/** SHA-256 of the body that came under this batch id before, or null. */
export const knownBodyHash = async (db: Database, athleteId: string, batchId: string): Promise<string | null> => {
  const rows = await db.query<{ body_hash: string }>(
    "select body_hash from ingest_batches where athlete_id = $1 and batch_id = $2",
    [athleteId, batchId],
  );
  return rows[0]?.body_hash ?? null;
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
