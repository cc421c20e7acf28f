import type { Reader, LogInfo } from "../flow/ports.ts";

/** Ends of topic partitions, `topic/partition` → the offset that a position must reach. */
export type Ends = Map<string, number>;

export type Pending = {
  /** Records below the ends that staging has not applied. */
  records: number;
  /** Windows with changes that no pane has read, or past their close and not closed. */
  windows: number;
  /** Days whose facts later days have not been computed with yet. */
  history: number;
  /** Deletions whose row is still looked for. */
  deletions: number;
  /** Events that Kafka has not acknowledged. */
  outbox: number;
};

export const isQuiet = (pending: Pending): boolean => Object.values(pending).every((count) => count === 0);

const say = (n: number, one: string, many: string): string[] => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}`]);

/** `3 records to stage, 1 window to fire`: what is still under way, or `nothing`. */
export const pendingText = (pending: Pending): string => {
  const parts = [
    ...say(pending.records, "record to stage", "records to stage"),
    ...say(pending.windows, "window to fire", "windows to fire"),
    ...say(pending.history, "day to pass on", "days to pass on"),
    ...say(pending.deletions, "deletion to find", "deletions to find"),
    ...say(pending.outbox, "event to publish", "events to publish"),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
};

/** Where the topics end now. An empty topic partition has nothing to wait for. */
export const readEnds = async (logInfo: LogInfo, topics: readonly string[]): Promise<Ends> => {
  const ends: Ends = new Map();
  for (const topic of topics) {
    for (const [partition, { low, high }] of await logInfo.bounds(topic)) {
      if (high > low) ends.set(`${topic}/${partition}`, high);
    }
  }
  return ends;
};

const missingRecords = async (tx: Reader, group: string, ends: Ends): Promise<number> => {
  const rows = await tx.query<{ place: string; position: number }>(
    `select topic || '/' || topic_partition as place, position from consumer_offsets where group_id = $1`,
    [group],
  );
  const positions = new Map(rows.map((row) => [row.place, row.position]));
  let missing = 0;
  // A position of −1 (taken over, nothing committed yet) counts like none: everything is still to come.
  for (const [place, end] of ends) missing += Math.max(0, end - Math.max(0, positions.get(place) ?? 0));
  return missing;
};

const one = async (tx: Reader, text: string, params: readonly unknown[]): Promise<number> =>
  (await tx.query<{ n: number }>(text, params))[0]?.n ?? 0;

/** What is under way in this snapshot, of one athlete or (null) of all; records are counted for all either way. */
export const readPending = async (
  tx: Reader,
  at: { group: string; ends: Ends; athlete: string | null; now: number; grace: number },
): Promise<Pending> => ({
  records: await missingRecords(tx, at.group, at.ends),
  windows: await one(
    tx,
    `select count(*) as n from windows where ($1::text is null or athlete_id = $1)
       and (dirty > fired or (closed_at is null and closes_at <= $2))`,
    [at.athlete, new Date(at.now - at.grace)],
  ),
  history: await one(
    tx,
    `select count(*) as n from day_facts
     where passed_hash is distinct from hash and ($1::text is null or athlete_id = $1)`,
    [at.athlete],
  ),
  deletions: await one(
    tx,
    `select count(*) as n from sample_tombstones where resolved_at is null and ($1::text is null or athlete_id = $1)`,
    [at.athlete],
  ),
  // Dead letters have no athlete_id of their own in the outbox, but the athlete as key.
  outbox: await one(
    tx,
    `select count(*) as n from outbox where $1::text is null or athlete_id = $1 or (athlete_id is null and key = $1)`,
    [at.athlete],
  ),
});
