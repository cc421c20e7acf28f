import type { Instant } from "../domain/sample.ts";
import type { Database, LogInfo, Reader, TopicPartition, Tx } from "../flow/ports.ts";

export type StoredPosition = TopicPartition & {
  group_id: string;
  /** Next offset to apply; null before the first commit. */
  position: number | null;
  epoch: number;
  fingerprint: string | null;
  last_timestamp: Instant | null;
  cluster_id: string | null;
  attempts: number;
  crashed_offset: number | null;
};

/** A stored position beside its log. `low`, `high` and `lag` are null where the log has no such topic partition. */
export type ShownPosition = StoredPosition & { low: number | null; high: number | null; lag: number | null };

export type Target = "earliest" | "latest" | number;
export type Bounds = { low: number; high: number };

/** What `positions set` would do to one topic partition. */
export type PositionChange = TopicPartition & {
  from: number | null;
  to: number;
  low: number;
  high: number;
  /** Records in the log that would never be applied. */
  lost: number;
  /** Records that would be applied again (their effects are idempotent). */
  repeated: number;
  /** Records that the log no longer holds and that were never applied. */
  gone: number;
};

const READ = `select group_id, topic, topic_partition, case when position < 0 then null else position end as position,
  epoch, fingerprint, last_timestamp, cluster_id, attempts, crashed_offset from consumer_offsets`;

export const readPositions = async (db: Reader | Database, group: string | null): Promise<StoredPosition[]> =>
  db.query<StoredPosition>(
    `${READ} where $1::text is null or group_id = $1 order by group_id, topic, topic_partition`,
    [group],
  );

/** A topic that is gone must not hide the others; if no topic answers, it is Kafka that does not. */
const boundsOf = async (logInfo: LogInfo, topics: Iterable<string>): Promise<Map<string, Map<number, Bounds>>> => {
  const bounds = new Map<string, Map<number, Bounds>>();
  let failure: unknown = null;
  const ask = async (topic: string): Promise<void> => {
    try {
      bounds.set(topic, await logInfo.bounds(topic));
    } catch (error) {
      failure = error;
    }
  };
  // At once: they share a connection.
  await Promise.all([...new Set(topics)].map(ask));
  if (bounds.size === 0 && failure !== null) throw failure;
  return bounds;
};

/** Every stored position with its log. */
export const showPositions = async (
  deps: { db: Database; logInfo: LogInfo },
  group: string | null,
): Promise<ShownPosition[]> => {
  const stored = await readPositions(deps.db, group);
  const bounds = await boundsOf(
    deps.logInfo,
    stored.map((row) => row.topic),
  );
  return stored.map((row) => {
    const found = bounds.get(row.topic)?.get(row.topic_partition);
    if (!found) return Object.assign(row, { low: null, high: null, lag: null });
    return Object.assign(row, found, { lag: Math.max(0, found.high - (row.position ?? found.low)) });
  });
};

/** Pure: where the position would go, and what that would lose or repeat. Throws RangeError outside the log. */
export const planChange = (place: TopicPartition & { from: number | null }, bounds: Bounds, target: Target) => {
  const { low, high } = bounds;
  const to = target === "earliest" ? low : target === "latest" ? high : target;
  if (to < low || to > high) {
    throw new RangeError(
      `${place.topic}/${place.topic_partition}: ${to} is outside the log, which holds offsets ${low} to ${high}; ` +
        "give an offset in that range, earliest or latest",
    );
  }
  // A position beyond the log belongs to another log: nothing of this one is known to be applied.
  const applied = place.from === null || place.from > high ? low : place.from;
  return {
    ...place,
    to,
    low,
    high,
    lost: Math.max(0, to - Math.max(applied, low)),
    repeated: Math.max(0, applied - to),
    gone: Math.max(0, low - applied),
  } satisfies PositionChange;
};

export type SetRequest = {
  group: string;
  topics: readonly string[];
  /** All of the topics' when null. */
  topicPartition: number | null;
  target: Target;
};

/** What the request would change, partition by partition. */
export const planSet = async (
  deps: { db: Database; logInfo: LogInfo },
  request: SetRequest,
): Promise<PositionChange[]> => {
  const stored = await readPositions(deps.db, request.group);
  const changes: PositionChange[] = [];
  for (const topic of request.topics) {
    const bounds = await deps.logInfo.bounds(topic);
    const wanted =
      request.topicPartition === null ? [...bounds.keys()].toSorted((a, b) => a - b) : [request.topicPartition];
    for (const partition of wanted) {
      const found = bounds.get(partition);
      if (!found) throw new RangeError(`${topic} has no topic partition ${partition}`);
      const row = stored.find((p) => p.topic === topic && p.topic_partition === partition);
      const place = { topic, topic_partition: partition, from: row?.position ?? null };
      changes.push(planChange(place, found, request.target));
    }
  }
  return changes;
};

/**
 * Stores the positions. The epoch rises, so that a worker which still runs commits nothing more from its old place;
 * fingerprint and crash count go, because they belong to the old place; the cluster id becomes the present one.
 */
export const applySet = async (
  tx: Tx,
  group: string,
  clusterId: string,
  changes: readonly PositionChange[],
): Promise<void> => {
  await tx.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position, epoch, cluster_id)
     select $1, topic, topic_partition, position, 1, $2
     from unnest($3::text[], $4::int[], $5::bigint[]) as t(topic, topic_partition, position)
     on conflict (group_id, topic, topic_partition) do update set position = excluded.position,
       epoch = consumer_offsets.epoch + 1, cluster_id = excluded.cluster_id, fingerprint = null, last_offset = null,
       last_timestamp = null, attempts = 0, crashed_offset = null, updated_at = now()`,
    [
      group,
      clusterId,
      changes.map((change) => change.topic),
      changes.map((change) => change.topic_partition),
      changes.map((change) => change.to),
    ],
  );
};
