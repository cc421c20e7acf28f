import type { Span } from "../interval.ts";
import type { Sample } from "../sample.ts";
import { sourceKeyOf } from "../source.ts";
import { type NightFigures, nightFigures } from "./night-figures.ts";
import { type StageLayer, type StageRun, spanOf, splitAtGaps, stageLayer } from "./stage-layer.ts";

/** What one source says of one session, before sources are compared. */
export type Candidate = {
  source_key: string;
  runs: readonly StageRun[];
  /** First to last instant of the stage layer. */
  layer: Span;
  /** Where the same source's stage layer ends before this session, and begins again after it. */
  free: Span;
  figures: NightFigures;
};

/** Candidates of one source, and the rows that its cleaning set aside. */
export type SourceNights = { candidates: Candidate[] } & Pick<StageLayer, "duplicates" | "conflicts">;

const nightsOf = (source_key: string, segments: readonly Sample[]): SourceNights => {
  const { runs, duplicates, conflicts } = stageLayer(segments);
  const groups = splitAtGaps(runs);
  const spans = groups.map(spanOf);
  const candidates = groups.flatMap((group, at): Candidate[] => {
    const figures = nightFigures(group);
    if (figures === null) return [];
    const free = { from: spans[at - 1]?.to ?? -Infinity, to: spans[at + 1]?.from ?? Infinity };
    return [{ source_key, runs: group, layer: spanOf(group), free, figures }];
  });
  return { candidates, duplicates, conflicts };
};

/** Sessions as each source sees them (§3.2 steps 2–4). `segments` are of all sources, without in-bed rows. */
export const sourceNights = (segments: readonly Sample[]): SourceNights[] =>
  [...Map.groupBy(segments, sourceKeyOf)].map(([source_key, own]) => nightsOf(source_key, own));
