import { compare } from "../canonical.ts";
import { type Span, midpoint } from "../interval.ts";
import { preferSamples } from "../metric-value.ts";
import type { Instant, Sample } from "../sample.ts";
import { sourceKeyOf } from "../source.ts";
import { POOLED } from "./in-bed-only.ts";
import { type InBed, mergedInBed } from "./in-bed.ts";
import { placedBy } from "./placed.ts";
import { IN_BED, sleepSegments } from "./segments.ts";
import type { SleepSession } from "./session.ts";
import { type StageRun, spanOf, splitAtGaps, stageLayer } from "./stage-layer.ts";

/** The channels of a session besides its stages, and the metrics that they show. */
const VITALS = {
  heart_rate: "heart_rate",
  spo2: "spo2",
  respiratory_rate: "respiratory_rate",
  hrv_sdnn: "hrv",
} as const;

export type StreamChannel = "sleep_stage" | (typeof VITALS)[keyof typeof VITALS];

/**
 * A row of sleep_streams (contract §4). A stage's value is its category (healthkit.md §2), a vital's is in its metric's
 * canonical unit; `source` is the source's name, `pooled` for time in bed of several.
 */
export type StreamRow = {
  session_id: string;
  channel: StreamChannel;
  start_at: Instant;
  end_at: Instant;
  value: number;
  source: string;
};

type Part = Omit<StreamRow, "session_id">;

const overlap = (a: Span, b: Span): number => Math.min(a.to, b.to) - Math.max(a.from, b.from);

const stagePart = ({ from, to, stage, segment }: StageRun): Part => ({
  channel: "sleep_stage",
  start_at: from,
  end_at: to,
  value: stage,
  source: segment.source,
});

/**
 * The winning source's stages, each instant once, neighbours that say the same joined. Of samples that are newer than
 * the session it is what has most in common with it: a reader must see no gap until the next pane.
 */
const hypnogram = ({ onset_at, final_wake_at }: SleepSession, nights: readonly [StageRun, ...StageRun[]][]): Part[] => {
  const sleep = { from: onset_at as Instant, to: final_wake_at as Instant };
  const [runs = []] = nights
    .filter((night) => overlap(spanOf(night), sleep) > 0)
    .toSorted((a, b) => overlap(spanOf(b), sleep) - overlap(spanOf(a), sleep));
  const parts: Part[] = [];
  for (const part of runs.map(stagePart)) {
    const before = parts.at(-1);
    if (before?.end_at === part.start_at && before.value === part.value && before.source === part.source)
      before.end_at = part.end_at;
    else parts.push(part);
  }
  return parts;
};

const timeInBed = ({ start_at, end_at }: SleepSession, inBed: readonly InBed[]): Part[] =>
  inBed
    .filter(({ from, to }) => from < end_at && to > start_at)
    .map(({ from, to }) => ({ channel: "sleep_stage", start_at: from, end_at: to, value: IN_BED, source: POOLED }));

const inOrder = (a: Part, b: Part): number =>
  compare(a.channel, b.channel) ||
  a.start_at - b.start_at ||
  a.end_at - b.end_at ||
  compare(a.source, b.source) ||
  a.value - b.value;

/**
 * Answers a session's hypnogram, and what was measured between bedtime and rise (by midpoint; aggregates only where a
 * channel has no samples, D21), in the order of its file. `samples` are live, of all metrics, and hold at least what
 * `sleepSessions` made the session of.
 */
export const streamsOf = (samples: readonly Sample[]): ((session: SleepSession) => StreamRow[]) => {
  const { segments } = sleepSegments(samples);
  const inBed = mergedInBed(segments.filter(({ value }) => value === IN_BED));
  const bySource = Map.groupBy(
    segments.filter(({ value }) => value !== IN_BED),
    sourceKeyOf,
  );
  const nights = new Map([...bySource].map(([key, own]) => [key, splitAtGaps(stageLayer(own).runs)] as const));
  const channels = Object.entries(VITALS).map(([metric, channel]) => {
    const own = samples.filter((sample) => sample.metric === metric);
    return { channel, find: placedBy(own, midpoint) };
  });
  return (session) => {
    const span = { from: session.start_at, to: session.end_at };
    const { kind, source, session_id } = session;
    const stages = kind === "in_bed_only" ? timeInBed(session, inBed) : hypnogram(session, nights.get(source) ?? []);
    const vitals = channels.flatMap(({ channel, find }) =>
      preferSamples(find(span)).map(({ start_at, end_at, value, source }) => ({
        channel,
        start_at,
        end_at,
        value,
        source,
      })),
    );
    return [...stages, ...vitals].toSorted(inOrder).map((part) => ({ session_id, ...part }));
  };
};

/** The streams of one session alone. */
export const sessionStreams = (session: SleepSession, samples: readonly Sample[]): StreamRow[] =>
  streamsOf(samples)(session);
