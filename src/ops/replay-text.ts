import type { Instant } from "../domain/sample.ts";
import type { Missing, ReplayPlan } from "./replay-plan.ts";
import { recordsIn } from "./replay-plan.ts";
import type { ReplayEnd, ReplayStatus } from "./replay-run.ts";
import { LIFELESS_MS, type ReplayProgress } from "./replay-store.ts";
import { textTable } from "./text-table.ts";

const whole = (n: number): string => Math.round(n).toLocaleString("en");
const percent = (done: number, total: number): string => `${total === 0 ? 100 : Math.floor((done / total) * 100)} %`;

const duration = (seconds: number): string => {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** One line while it runs: how far, how fast, how long still. Records are those of the topics: chunks of samples. */
export const progressLine = ({ id, done, total, began, ms, waiting }: ReplayStatus): string => {
  const here = `replay ${id}: ${whole(done)} of ${whole(total)} records (${percent(done, total)})`;
  if (waiting) return `${here}, waiting for Postgres to answer`;
  const rate = (done - began) / Math.max(ms / 1000, 0.001);
  return rate > 0 ? `${here}, ${whole(rate)} records/s, ${duration((total - done) / rate)} left` : here;
};

const missingLine = ({ topic, topic_partition, begins, records }: Missing): string => {
  const place = `  ${topic}/${topic_partition}: the log begins at offset ${begins}`;
  return records === null
    ? `${place}; what came before and fits the time is gone`
    : `${place}; ${whole(records)} records before it are gone`;
};

/** What will be read, and what the log no longer holds. */
export const planLines = ({ ranges, missing }: ReplayPlan): string[] => [
  `${whole(recordsIn(ranges))} records in ${ranges.length} topic partitions`,
  ...(missing.length === 0
    ? []
    : [
        "not in the log any more, and so not replayed (`health-sync recompute` works on what is stored):",
        ...missing.map(missingLine),
      ]),
];

const NEXT: Record<ReplayEnd["outcome"], (id: string) => string> = {
  done: () => "done; the worker fires the days that it touched (`health-sync wait`)",
  paused: (id) => `paused; go on with \`health-sync replay resume ${id}\``,
  cancelled: () => "cancelled; what was applied stays, and is the same as before where nothing had changed",
  taken_over: () => "another process goes on with it",
};

export const endLines = ({ outcome, status }: ReplayEnd): string[] => [
  `replay ${status.id}: ${whole(status.done)} of ${whole(status.total)} records, ${NEXT[outcome](status.id)}`,
  ...Object.entries(status.tally)
    .toSorted((a, b) => b[1] - a[1])
    .map(([fate, n]) => `  ${whole(n).padStart(10)}  ${fate}`),
];

const stateOf = (replay: ReplayProgress, now: Instant): string =>
  replay.state === "running" && now - replay.seen_at > LIFELESS_MS ? "stopped: resume it" : replay.state;

const selected = ({ athletes, metrics }: ReplayProgress["selection"]): string =>
  [athletes ?? ["all athletes"], metrics ?? ["all metrics"]].map((names) => names.join(",")).join(" · ");

export const listLines = (replays: readonly ReplayProgress[], now: Instant): string[] =>
  replays.length === 0
    ? ["there are no replays"]
    : textTable([
        ["id", "state", "records", "of", "done", "began", "selection"],
        ...replays.map((replay) => [
          replay.replay_id,
          stateOf(replay, now),
          replay.done,
          replay.total,
          percent(replay.done, replay.total),
          new Date(replay.created_at).toISOString().slice(0, 19).concat("Z"),
          selected(replay.selection),
        ]),
      ]);
