import type { Instant } from "../domain/sample.ts";
import type { Clock, Database, LogInfo } from "../flow/ports.ts";

/** Whether everything that the broker took for a topic partition before `moment` is applied. */
export type AppliedPast = (partition: number, moment: Instant) => Promise<boolean>;

type Ends = { read_at: Instant; bounds: Map<number, { low: number; high: number }> };

const FRESH = 1000;

/**
 * The broker's side of closing a day (architecture §3): for each live topic the last applied record is of `moment`
 * or later, or the position has reached an end of the log that was read after `moment`. An idle topic thus holds no
 * day open, and a lagging one does.
 */
export const createAppliedPast = (deps: {
  db: Database;
  log: LogInfo;
  clock: Clock;
  /** health.samples.v1 and health.sleep.v1: not the backfill, whose length must not keep others' days open. */
  topics: readonly string[];
  group: string;
}): AppliedPast => {
  const ends = new Map<string, Ends>();
  const endOf = async (topic: string, partition: number, moment: Instant): Promise<{ low: number; high: number }> => {
    const now = deps.clock.now();
    let known = ends.get(topic);
    if (!known || known.read_at < moment || now - known.read_at > FRESH) {
      known = { read_at: now, bounds: await deps.log.bounds(topic) };
      ends.set(topic, known);
    }
    const bounds = known.bounds.get(partition);
    if (!bounds) throw new Error(`${topic} has no topic partition ${partition}: run \`health-sync topics plan\``);
    return bounds;
  };
  return async (partition, moment) => {
    const rows = await deps.db.query<{ topic: string; position: number; last_timestamp: Instant | null }>(
      `select topic, position, last_timestamp from consumer_offsets
       where group_id = $1 and topic = any($2::text[]) and topic_partition = $3`,
      [deps.group, deps.topics, partition],
    );
    for (const topic of deps.topics) {
      const place = rows.find((row) => row.topic === topic);
      if (place && place.last_timestamp !== null && place.last_timestamp >= moment) continue;
      const { low, high } = await endOf(topic, partition, moment);
      if (high > low && (place?.position ?? -1) < high) return false;
    }
    return true;
  };
};
