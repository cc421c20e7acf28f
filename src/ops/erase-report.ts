import type { Instant } from "../domain/sample.ts";
import type { Removed } from "./erase-objects.ts";
import type { Keys } from "./erase-sql.ts";

/** A topic as declared: its name and its settings. */
export type DeclaredTopic = { name: string; config: Readonly<Record<string, string>> };

export type EraseReport = {
  athlete_id: string;
  dry_run: boolean;
  /** ISO 8601. Input received up to then is dropped for ever; null in a dry run. */
  erased_before: string | null;
  /** Rows by table, objects with their bytes, and keys by compacted topic that a tombstone goes out for. */
  removed: { rows: Record<string, number>; objects: number; bytes: number; tombstones: Keys };
  /** Where data can still stand, until when (ISO 8601), and what ends it. */
  still_held: { topic: string; until: string; why: string }[];
};

/** Kafka's own default where a topic does not say: records go with their whole segment. */
const DEFAULT_SEGMENT_MS = 7 * 86_400_000;

const heldBy = ({ name, config }: DeclaredTopic, now: Instant): EraseReport["still_held"][number] => {
  const segment = Number(config["segment.ms"] ?? DEFAULT_SEGMENT_MS);
  const compacted = config["cleanup.policy"] === "compact";
  const ends = Number((compacted ? config["max.compaction.lag.ms"] : config["retention.ms"]) ?? Number.NaN);
  if (Number.isNaN(ends)) throw new Error(`topic ${name} declares no end for its records: give it one in topics/`);
  return {
    topic: name,
    until: new Date(now + ends + segment).toISOString(),
    why: compacted
      ? "tombstones were sent for every key; compaction removes the values behind them"
      : "records go with their segment, once its newest is past the topic's retention",
  };
};

export const eraseReport = (
  of: { athlete_id: string; dry_run: boolean; erased_before: Instant | null; now: Instant },
  removed: { rows: Record<string, number>; tombstones: Keys; objects: Removed },
  topics: readonly DeclaredTopic[],
): EraseReport => ({
  athlete_id: of.athlete_id,
  dry_run: of.dry_run,
  erased_before: of.erased_before === null ? null : new Date(of.erased_before).toISOString(),
  removed: { rows: removed.rows, ...removed.objects, tombstones: removed.tombstones },
  still_held: topics.map((topic) => heldBy(topic, of.now)),
});

/** For people. */
export const reportLines = (report: EraseReport): string[] => {
  const verb = report.dry_run ? "would remove" : "removed";
  const { rows, tombstones, objects, bytes } = report.removed;
  const some = Object.entries(rows).filter(([, count]) => count > 0);
  return [
    `athlete ${report.athlete_id}`,
    ...some.map(([table, count]) => `  ${verb} ${count} rows of ${table}`),
    `  ${verb} ${objects} objects (${bytes} bytes)`,
    ...Object.entries(tombstones).map(([topic, keys]) => `  tombstones for ${keys} keys of ${topic}`),
    ...(report.erased_before === null
      ? []
      : [`  input received up to ${report.erased_before} is dropped for ever, and tokens issued before are refused`]),
    "still held until, at the latest:",
    ...report.still_held.map(({ topic, until, why }) => `  ${until}  ${topic}: ${why}`),
  ];
};
