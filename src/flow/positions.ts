import type { Instant } from "../domain/sample.ts";
import type { Database, RawRecord, TopicPartition, Tx } from "./ports.ts";
import { digest } from "./digest.ts";

/** The stored position cannot be trusted: start only after `health-sync positions set` (exit code 78, never retried). */
export class Refusal extends Error {}
/** Another owner took this topic partition: nothing was written. */
export class Fenced extends Error {}

/** A group's place in one topic partition, as consumer_offsets holds it. */
export type Position = TopicPartition & {
  /** Next offset to apply; null before the first commit: the start of the log. */
  position: number | null;
  epoch: number;
  fingerprint: string | null;
  cluster_id: string | null;
  attempts: number;
  crashed_offset: number | null;
};

/** What a record at a given place must still be, if the log is still the same log. */
export const fingerprintOf = (record: Pick<RawRecord, "timestamp" | "value">): string =>
  digest.sha256(`${record.timestamp}|${record.value === null ? "" : record.value.toString("base64")}`).slice(0, 32);

/** Takes the topic partitions over: raises each epoch, so that a paused former owner's commit changes nothing. */
export const takeOver = async (
  db: Database,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<Position[]> =>
  db.query<Position>(
    `insert into consumer_offsets (group_id, topic, topic_partition, position, epoch)
     select $1, topic, topic_partition, -1, 1
     from unnest($2::text[], $3::int[]) as t(topic, topic_partition) order by topic, topic_partition
     on conflict (group_id, topic, topic_partition) do update set epoch = consumer_offsets.epoch + 1
     returning topic, topic_partition, case when position < 0 then null else position end as position, epoch, fingerprint,
       cluster_id, attempts, crashed_offset`,
    [group, partitions.map((p) => p.topic), partitions.map((p) => p.topic_partition)],
  );

type Mine = TopicPartition & { epoch: number };

/** Counts a try before work on a record, so that a record that kills its worker is found (architecture §2, errors). */
export const countAttempt = async (db: Database, group: string, lane: Mine): Promise<number> => {
  const rows = await db.query<{ attempts: number }>(
    `update consumer_offsets set attempts = attempts + 1
     where group_id = $1 and topic = $2 and topic_partition = $3 and epoch = $4 returning attempts`,
    [group, lane.topic, lane.topic_partition, lane.epoch],
  );
  const row = rows[0];
  if (!row) throw new Fenced(`${lane.topic}/${lane.topic_partition} has another owner`);
  return row.attempts;
};

/** Takes a counted try back: this process lived, so the record did not kill it. */
export const forgiveAttempt = async (db: Database, group: string, lane: TopicPartition): Promise<void> => {
  await db.query(
    `update consumer_offsets set attempts = greatest(attempts - 1, 0)
     where group_id = $1 and topic = $2 and topic_partition = $3`,
    [group, lane.topic, lane.topic_partition],
  );
};

/** Moves the position on, inside the transaction that writes the records' effects (I1). Throws Fenced. */
export const advance = async (
  tx: Tx,
  group: string,
  lane: Mine,
  to: { position: number; fingerprint: string; timestamp: Instant; cluster_id: string; crashed_offset: number | null },
): Promise<void> => {
  const rows = await tx.query(
    `update consumer_offsets set position = $5, fingerprint = $6, last_offset = $5 - 1, last_timestamp = $7,
       cluster_id = $8, crashed_offset = $9, attempts = 0, updated_at = now()
     where group_id = $1 and topic = $2 and topic_partition = $3 and epoch = $4 and position < $5 returning 1`,
    [
      group,
      lane.topic,
      lane.topic_partition,
      lane.epoch,
      to.position,
      to.fingerprint,
      new Date(to.timestamp),
      to.cluster_id,
      to.crashed_offset,
    ],
  );
  if (rows.length === 0) throw new Fenced(`${lane.topic}/${lane.topic_partition} has another owner`);
};

/** Why a stored position does not fit the log, or null if it does. */
export const misfit = (place: Position, bounds: { low: number; high: number }, clusterId: string): string | null => {
  const name = `${place.topic}/${place.topic_partition}`;
  if (place.cluster_id !== null && place.cluster_id !== clusterId) {
    return `${name}: the stored position belongs to cluster ${place.cluster_id}, this is ${clusterId}`;
  }
  if (place.position === null) return null;
  if (place.position < bounds.low) {
    return `${name}: records ${place.position} to ${bounds.low - 1} were removed from the log before they were applied`;
  }
  if (place.position > bounds.high) {
    return `${name}: stored position ${place.position} is beyond the end of the log (${bounds.high}); the topic was recreated or truncated`;
  }
  return null;
};

/** How every refusal ends: the way out. */
export const wayOut = "look with `health-sync positions show`, then decide with `health-sync positions set`";
