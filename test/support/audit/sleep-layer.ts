import { deviceOf, originKey } from "./identity.ts";
import type { Expected } from "./expected-samples.ts";

/** The auditor's own reading of healthkit.md §3.2, steps 2 to 4, D8, D11 and D12: one source's stage layer, cut and chained. */
const MINUTE = 60_000;
const GAP = 60 * MINUTE;
const LONGEST = 24 * 60 * MINUTE;
const ONSET_RUN = MINUTE;
const WAKE_BOUT = 5 * MINUTE;
const LEAST_SLEEP = 20 * MINUTE;

export type Piece = { from: number; to: number; stage: number; tz: string };
/** Chain of pieces of one source that slept at least twenty minutes. Durations in milliseconds. */
export type Candidate = {
  key: string;
  rank: number;
  first: number;
  last: number;
  onset: number;
  wake: number;
  tz: string;
  slept: number;
  staged: boolean;
  byStage: number[];
  /** Null where neither stages nor awake rows tell. */
  awake: number | null;
  bouts: number | null;
  /** What the same source tells nothing about, before and after: an envelope may reach so far. */
  free: { from: number; to: number };
};

export const isSleep = (sample: Expected): boolean => sample.metric === "sleep_analysis";
export const usable = (sample: Expected): boolean =>
  sample.end_at > sample.start_at && sample.end_at - sample.start_at <= LONGEST && !sample.aggregated;

const CLASS = { watch: 0, ring: 1, bed: 2, device: 2, phone: 3, app: 3, manual: 4 } as const;
const detail = (stage: number): number => (stage >= 3 ? 2 : stage === 2 ? 1 : 0);

/** Whose stage counts where rows of one source overlap: the first of the sorted. */
const firstOf = (a: Expected, b: Expected): number =>
  (b.sync_version ?? -1) - (a.sync_version ?? -1) ||
  (b.created ?? -1) - (a.created ?? -1) ||
  detail(b.value) - detail(a.value) ||
  b.start_at - a.start_at ||
  b.value - a.value ||
  b.end_at - a.end_at ||
  (a.sample_id > b.sample_id ? -1 : 1);

const paint = (samples: readonly Expected[]): Piece[] => {
  const cuts = [...new Set(samples.flatMap((s) => [s.start_at, s.end_at]))].toSorted((a, b) => a - b);
  const waiting = samples.toSorted((a, b) => a.start_at - b.start_at);
  const pieces: Piece[] = [];
  let covering: Expected[] = [];
  let next = 0;
  for (const [i, from] of cuts.entries()) {
    const to = cuts[i + 1];
    if (to === undefined) break;
    covering = covering.filter((s) => s.end_at > from);
    for (let s = waiting[next]; s && s.start_at <= from; s = waiting[next]) {
      covering.push(s);
      next += 1;
    }
    const told = covering.toSorted(firstOf)[0];
    if (told) pieces.push({ from, to, stage: told.value, tz: told.tz });
  }
  return pieces;
};

const chained = (pieces: readonly Piece[]): Piece[][] => {
  const chains: Piece[][] = [];
  for (const piece of pieces) {
    const chain = chains.at(-1);
    if (chain && piece.from - (chain.at(-1)?.to ?? 0) <= GAP) chain.push(piece);
    else chains.push([piece]);
  }
  return chains;
};

const asleep = (piece: Piece): boolean => piece.stage !== 2;

/** Maximal runs of touching pieces that `wanted` holds for. */
const runs = (chain: readonly Piece[], wanted: (piece: Piece) => boolean): { from: number; to: number }[] => {
  const out: { from: number; to: number }[] = [];
  for (const { from, to } of chain.filter(wanted)) {
    const run = out.at(-1);
    if (run?.to === from) run.to = to;
    else out.push({ from, to });
  }
  return out;
};
const total = (spans: readonly { from: number; to: number }[]): number =>
  spans.reduce((sum, { from, to }) => sum + to - from, 0);

const candidate = (chain: readonly Piece[], { key, rank, free }: Told): Candidate | null => {
  const sleeping = runs(chain, asleep);
  const onset = sleeping.find((run) => run.to - run.from >= ONSET_RUN)?.from;
  const wake = sleeping.at(-1)?.to;
  const [first, last] = [chain[0]?.from, chain.at(-1)?.to];
  if (onset === undefined || wake === undefined || first === undefined || last === undefined) return null;
  const inside = chain.filter((p) => p.from >= onset && p.to <= wake);
  const slept = total(inside.filter(asleep));
  if (slept < LEAST_SLEEP) return null;
  const byStage = [0, 1, 2, 3, 4, 5].map((stage) => total(inside.filter((p) => p.stage === stage)));
  const staged = [3, 4, 5].filter((stage) => (byStage[stage] ?? 0) > 0).length >= 2;
  const known = staged || chain.some((p) => p.stage === 2);
  const awake = runs(inside, (p) => p.stage === 2);
  return {
    key,
    rank,
    free,
    first,
    last,
    onset,
    wake,
    tz: inside.findLast(asleep)?.tz ?? "UTC",
    slept,
    staged,
    byStage,
    awake: known ? total(awake) : null,
    bouts: known ? awake.filter((run) => run.to - run.from >= WAKE_BOUT).length : null,
  };
};

type Told = Pick<Candidate, "key" | "rank" | "free">;

/** All candidates of an athlete, source by source, each in order of time. */
export const candidatesOf = (samples: readonly Expected[]): Candidate[] => {
  const stages = samples.filter((s) => isSleep(s) && usable(s) && s.value >= 1);
  return [...Map.groupBy(stages, (s) => originKey(s.origin))].flatMap(([key, own]) =>
    chained(paint(own)).flatMap((chain, i, chains) => {
      const [from, to] = [chain[0]?.from ?? 0, chain.at(-1)?.to ?? 0];
      const rows = own.filter((s) => s.start_at < to && s.end_at > from);
      const rank = Math.min(...rows.map((s) => CLASS[deviceOf(s.origin, s.user_entered)]));
      const free = {
        from: chains[i - 1]?.at(-1)?.to ?? Number.NEGATIVE_INFINITY,
        to: chains[i + 1]?.[0]?.from ?? Number.POSITIVE_INFINITY,
      };
      return candidate(chain, { key, rank, free }) ?? [];
    }),
  );
};

/** In-bed rows of all sources, merged where they touch or lie within `within` of each other. */
export const inBedSpans = (
  samples: readonly Expected[],
  within: number,
): { from: number; to: number; tz: string }[] => {
  const rows = samples
    .filter((s) => isSleep(s) && usable(s) && s.value === 0)
    .toSorted((a, b) => a.start_at - b.start_at || a.end_at - b.end_at);
  const spans: { from: number; to: number; tz: string; key: string }[] = [];
  for (const row of rows) {
    const key = originKey(row.origin);
    const span = spans.at(-1);
    if (!span || row.start_at - span.to > within) {
      spans.push({ from: row.start_at, to: row.end_at, tz: row.tz, key });
    } else if (row.end_at > span.to || (row.end_at === span.to && key < span.key)) {
      Object.assign(span, { to: row.end_at, tz: row.tz, key });
    }
  }
  return spans;
};
