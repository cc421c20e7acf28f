import { compare } from "../copies.ts";
import { type Span, midpoint } from "../interval.ts";
import { preferSamples } from "../metric-value.ts";
import type { Instant, Sample } from "../sample.ts";
import { sourceKeyOf } from "../source.ts";
import { POOLED } from "./in-bed-only.ts";
import { mergedInBed } from "./in-bed.ts";
import { IN_BED, sleepSegments } from "./segments.ts";
import type { SleepSession } from "./session.ts";
import { spanOf, splitAtGaps, stageLayer } from "./stage-layer.ts";

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

/**
 * The winning source's stages, each instant once, neighbours that say the same joined. Of samples that are newer than
 * the session it is what has most in common with it: a reader must see no gap until the next pane.
 */
const hypnogram = ({ source, onset_at, final_wake_at }: SleepSession, segments: readonly Sample[]): Part[] => {
  const sleep = { from: onset_at as Instant, to: final_wake_at as Instant };
  const own = segments.filter((segment) => segment.value !== IN_BED && sourceKeyOf(segment) === source);
  const [runs = []] = splitAtGaps(stageLayer(own).runs)
    .filter((group) => overlap(spanOf(group), sleep) > 0)
    .toSorted((a, b) => overlap(spanOf(b), sleep) - overlap(spanOf(a), sleep));
  const parts: Part[] = [];
  for (const { from, to, stage, segment } of runs) {
    const before = parts.at(-1);
    if (before?.end_at === from && before.value === stage && before.source === segment.source) before.end_at = to;
    else parts.push({ channel: "sleep_stage", start_at: from, end_at: to, value: stage, source: segment.source });
  }
  return parts;
};

const timeInBed = ({ start_at, end_at }: SleepSession, segments: readonly Sample[]): Part[] =>
  mergedInBed(segments.filter(({ value }) => value === IN_BED))
    .filter(({ from, to }) => from >= start_at && to <= end_at)
    .map(({ from, to }) => ({ channel: "sleep_stage", start_at: from, end_at: to, value: IN_BED, source: POOLED }));

const vitals = ({ start_at: from, end_at: to }: SleepSession, samples: readonly Sample[]): Part[] =>
  Object.entries(VITALS).flatMap(([metric, channel]) =>
    preferSamples(
      samples.filter((sample) => sample.metric === metric && midpoint(sample) >= from && midpoint(sample) <= to),
    ).map(({ start_at, end_at, value, source }) => ({ channel, start_at, end_at, value, source })),
  );

const inOrder = (a: Part, b: Part): number =>
  compare(a.channel, b.channel) ||
  a.start_at - b.start_at ||
  a.end_at - b.end_at ||
  compare(a.source, b.source) ||
  a.value - b.value;

/**
 * A session's hypnogram, and what was measured between bedtime and rise (by midpoint; aggregates only where a channel
 * has no samples, D21), in the order of its file. `samples` are live, of all metrics, and hold at least what
 * `sleepSessions` made the session of.
 */
export const sessionStreams = (session: SleepSession, samples: readonly Sample[]): StreamRow[] => {
  const { segments } = sleepSegments(samples);
  const stages = session.kind === "in_bed_only" ? timeInBed(session, segments) : hypnogram(session, segments);
  return [...stages, ...vitals(session, samples)]
    .toSorted(inOrder)
    .map((part) => ({ session_id: session.session_id, ...part }));
};
