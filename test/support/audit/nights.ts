import type { Expected } from "./expected-samples.ts";
import { NAMESPACE, nameUuid } from "./identity.ts";
import { clockOf, localDateOf } from "./local-time.ts";
import { candidatesOf, inBedSpans, isSleep, usable, type Candidate } from "./sleep-layer.ts";

/** The auditor's own `sleep_session/1` (healthkit.md §3.2 steps 5 to 8, D7 to D10), over an athlete's whole life at once. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const [BEFORE, AFTER] = [120 * MINUTE, 60 * MINUTE];
const NAP = { from: 9 * HOUR, to: 18 * HOUR, below: 180 * MINUTE };
const DAY_CUT = 18 * HOUR;
const IN_BED_GAP = 60 * MINUTE;
const IN_BED_LEAST = 180 * MINUTE;

export type Night = {
  session_id: string;
  athlete_id: string;
  date: string;
  source: string;
  kind: "main" | "nap" | "secondary" | "in_bed_only";
  is_main_sleep: boolean;
  start_at: number;
  end_at: number;
  tz: string;
  onset_at: number | null;
  final_wake_at: number | null;
  time_in_bed_s: number;
  total_sleep_s: number | null;
  deep_s: number | null;
  rem_s: number | null;
  light_s: number | null;
  unspecified_s: number | null;
  awake_s: number | null;
  gap_s: number | null;
  onset_latency_s: number | null;
  wakeup_count: number | null;
  efficiency: number | null;
  superseded_by: string | null;
};

const overlap = (a: { first: number; last: number }, b: { first: number; last: number }): number =>
  Math.min(a.last, b.last) - Math.max(a.first, b.first);

const clustersOf = (candidates: readonly Candidate[]): Candidate[][] => {
  const clusters: Candidate[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const one of candidates.toSorted((a, b) => a.first - b.first)) {
    if (one.first < end) clusters.at(-1)?.push(one);
    else clusters.push([one]);
    end = Math.max(end, one.last);
  }
  return clusters;
};

/** Step 6: stages, device, sleep in the cluster, the athlete's order, the key. */
const winnerOf = (cluster: readonly Candidate[], order: readonly string[]): string => {
  const place = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  const sources = [...Map.groupBy(cluster, (c) => c.key)].map(([key, own]) => ({
    key,
    by: [
      own.some((c) => c.staged) ? 0 : 1,
      Math.min(...own.map((c) => c.rank)),
      -own.reduce((sum, c) => sum + c.slept, 0),
      place(key),
    ],
  }));
  const better = (a: (typeof sources)[number], b: (typeof sources)[number]): number => {
    const at = a.by.findIndex((value, i) => value !== b.by[i]);
    return at < 0 ? (a.key < b.key ? -1 : 1) : (a.by[at] ?? 0) - (b.by[at] ?? 0);
  };
  return sources.toSorted(better)[0]?.key ?? "";
};

const sessionId = (athlete: string, source: string, at: number): string =>
  nameUuid(NAMESPACE, `${athlete}|${source}|${new Date(at).toISOString().slice(0, 16)}Z`);
const seconds = (ms: number): number => ms / 1000;

type Parts = readonly { from: number; to: number }[];

/** D7 and §3.3: from bedtime to rise, never inside a stage layer of the same source. */
const bedOf = (one: Candidate, parts: Parts) => {
  const told = parts.filter((p) => p.from <= one.last && p.to >= one.first);
  const before = Math.max(one.onset - BEFORE, one.free.from);
  const after = Math.min(one.wake + AFTER, one.free.to);
  const start = Math.min(one.first, Math.max(before, Math.min(one.first, ...told.map((p) => p.from))));
  const end = Math.max(one.last, Math.min(after, Math.max(one.last, ...told.map((p) => p.to))));
  return { start, end, told: told.length > 0 };
};

const nightOf = (athlete_id: string, one: Candidate, parts: Parts): Night => {
  const { start, end, told } = bedOf(one, parts);
  const staged = (stage: number): number | null => (one.staged ? seconds(one.byStage[stage] ?? 0) : null);
  return {
    session_id: sessionId(athlete_id, one.key, one.onset),
    athlete_id,
    date: localDateOf(one.wake, one.tz),
    source: one.key,
    kind: "secondary",
    is_main_sleep: false,
    start_at: start,
    end_at: end,
    tz: one.tz,
    onset_at: one.onset,
    final_wake_at: one.wake,
    time_in_bed_s: seconds(end - start),
    total_sleep_s: seconds(one.slept),
    light_s: staged(3),
    deep_s: staged(4),
    rem_s: staged(5),
    unspecified_s: staged(1),
    awake_s: one.awake === null ? null : seconds(one.awake),
    gap_s: seconds(one.wake - one.onset - one.slept - (one.awake ?? 0)),
    onset_latency_s: told ? seconds(one.onset - start) : null,
    wakeup_count: one.bouts,
    efficiency: one.slept / (end - start),
    superseded_by: null,
  };
};

const inBedOnly = (athlete_id: string, samples: readonly Expected[]): Night[] => {
  const asleep = samples.filter((s) => isSleep(s) && usable(s) && s.value !== 0 && s.value !== 2);
  return inBedSpans(samples, IN_BED_GAP)
    .filter((p) => p.to - p.from >= IN_BED_LEAST)
    .filter((p) => !asleep.some((s) => s.start_at < p.to && s.end_at > p.from))
    .map(({ from, to, tz }) => ({
      session_id: sessionId(athlete_id, "pooled", from),
      athlete_id,
      date: localDateOf(to, tz),
      source: "pooled",
      kind: "in_bed_only",
      is_main_sleep: false,
      start_at: from,
      end_at: to,
      tz,
      onset_at: null,
      final_wake_at: null,
      time_in_bed_s: seconds(to - from),
      ...NOT_SLEPT,
    }));
};
const NOT_SLEPT = {
  total_sleep_s: null,
  deep_s: null,
  rem_s: null,
  light_s: null,
  unspecified_s: null,
  awake_s: null,
  gap_s: null,
  onset_latency_s: null,
  wakeup_count: null,
  efficiency: null,
  superseded_by: null,
};

/** Step 7: naps, and of each date's other winners the longest that ended by 18:00, else the longest. */
const nameKinds = (winners: readonly Night[]): void => {
  const clock = (night: Night, at: number | null): number => clockOf(at ?? 0, night.tz);
  for (const ofDate of Map.groupBy(winners, (night) => night.date).values()) {
    const isNap = (night: Night): boolean => {
      const onset = clock(night, night.onset_at);
      return onset >= NAP.from && onset < NAP.to && (night.total_sleep_s ?? 0) < seconds(NAP.below);
    };
    for (const night of ofDate) if (isNap(night)) night.kind = "nap";
    const others = ofDate.filter((night) => night.kind !== "nap");
    const early = others.filter((night) => clock(night, night.final_wake_at) <= DAY_CUT);
    const longest = (early.length > 0 ? early : others).toSorted(
      (a, b) => (b.total_sleep_s ?? 0) - (a.total_sleep_s ?? 0) || (a.onset_at ?? 0) - (b.onset_at ?? 0),
    )[0];
    if (longest) Object.assign(longest, { kind: "main", is_main_sleep: true });
  }
};

/** Every session of an athlete's live samples. `order`: the athlete's source order for sleep. */
export const nightsOf = (athlete_id: string, samples: readonly Expected[], order: readonly string[]): Night[] => {
  const candidates = candidatesOf(samples);
  const parts = inBedSpans(samples, 0);
  const winners: Night[] = [];
  const losers: Night[] = [];
  for (const cluster of clustersOf(candidates)) {
    const key = winnerOf(cluster, order);
    const make = (one: Candidate): Night => nightOf(athlete_id, one, parts);
    const won = cluster.filter((c) => c.key === key).map((one) => ({ one, night: make(one) }));
    winners.push(...won.map(({ night }) => night));
    for (const lost of cluster.filter((c) => c.key !== key)) {
      const over = won.toSorted((a, b) => overlap(b.one, lost) - overlap(a.one, lost))[0];
      losers.push({ ...make(lost), superseded_by: over?.night.session_id ?? null });
    }
  }
  nameKinds(winners);
  return [...winners, ...losers, ...inBedOnly(athlete_id, samples)];
};
