import { compare } from "../canonical.ts";
import type { Span } from "../interval.ts";
import type { DeviceClass } from "../sample.ts";
import type { Candidate } from "./candidates.ts";

/** Sleep order of D11: beds and other devices rank alike, so do phones and apps. */
const CLASS_RANK: Record<DeviceClass, number> = { watch: 0, ring: 1, bed: 2, device: 2, phone: 3, app: 3, manual: 4 };

/** How one source stands in a cluster. */
type Standing = {
  source_key: string;
  device_class: DeviceClass;
  has_stages: boolean;
  total_sleep_s: number;
  segments: number;
  sessions: Candidate[];
};

/** The rule of §3.2 step 6 that told the winner from the next best; null where there was nobody else. */
export type DecidedBy = "a" | "b" | "c" | "d" | "e" | null;

/** Sessions of several sources that overlap, the sources best first: the first one has the stage layer. */
export type Verdict = { span: Span; standings: [Standing, ...Standing[]]; decided_by: DecidedBy };

/** Candidates that overlap, directly or through others, whatever their source (§3.2 step 6). */
const clustersOf = (candidates: readonly Candidate[]): Candidate[][] => {
  const clusters: Candidate[][] = [];
  let end = -Infinity;
  for (const candidate of candidates.toSorted((a, b) => a.layer.from - b.layer.from)) {
    if (candidate.layer.from < end) (clusters.at(-1) as Candidate[]).push(candidate);
    else clusters.push([candidate]);
    end = Math.max(end, candidate.layer.to);
  }
  return clusters;
};

const byRank = (a: DeviceClass, b: DeviceClass): number => CLASS_RANK[a] - CLASS_RANK[b] || compare(a, b);

const standingOf = (source_key: string, sessions: Candidate[]): Standing => {
  const segments = new Set(sessions.flatMap(({ runs }) => runs.map(({ segment }) => segment)));
  const classes = [...segments].map(({ attributes }) => attributes.device_class ?? "device").toSorted(byRank);
  return {
    source_key,
    device_class: classes[0] as DeviceClass,
    has_stages: sessions.some(({ figures }) => figures.has_stages),
    total_sleep_s: sessions.reduce((sum, { figures }) => sum + figures.total_sleep_s, 0),
    segments: segments.size,
    sessions,
  };
};

const judge = (cluster: readonly Candidate[], order: ReadonlyMap<string, number>): Verdict => {
  const criteria = [
    ["a", ({ has_stages }: Standing) => (has_stages ? 0 : 1)],
    ["b", ({ device_class }: Standing) => CLASS_RANK[device_class]],
    ["c", ({ total_sleep_s }: Standing) => -total_sleep_s],
    ["d", ({ source_key }: Standing) => order.get(source_key) ?? Infinity],
  ] as const;
  const deciding = (a: Standing, b: Standing) => criteria.find(([, of]) => of(a) !== of(b));
  const standings = [...Map.groupBy(cluster, ({ source_key }) => source_key)]
    .map(([source_key, sessions]) => standingOf(source_key, sessions))
    .toSorted((a, b) => {
      const [, of] = deciding(a, b) ?? [];
      return of ? compare(of(a), of(b)) : compare(a.source_key, b.source_key);
    }) as [Standing, ...Standing[]];
  const [first, second] = standings;
  const from = Math.min(...cluster.map(({ layer }) => layer.from));
  const to = Math.max(...cluster.map(({ layer }) => layer.to));
  const decided_by = second === undefined ? null : (deciding(first, second)?.[0] ?? "e");
  return { span: { from, to }, standings, decided_by };
};

/** The winning source of each cluster. `order` is the athlete's own order of source keys, which may be empty. */
export const verdicts = (candidates: readonly Candidate[], order: readonly string[]): Verdict[] => {
  const places = new Map(order.map((key, at) => [key, at] as const).toReversed());
  return clustersOf(candidates).map((cluster) => judge(cluster, places));
};
