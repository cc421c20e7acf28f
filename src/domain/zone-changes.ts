import type { Instant } from "./sample.ts";
import { type ZoneEvidence, zoneAt } from "./zone.ts";

/** From when to when ([from, to)) a history gives another zone than before; undefined where a history says nothing. */
export type ZoneChange = { from: Instant; to: Instant; before: string | undefined; after: string | undefined };

/** Where two zone histories differ, ascending; endless to both sides where they do. */
export const zoneChanges = (before: ZoneEvidence["history"], after: ZoneEvidence["history"]): ZoneChange[] => {
  const edges = [...new Set([Number.NEGATIVE_INFINITY, ...[...before, ...after].map(({ from }) => from)])];
  const ascending = edges.toSorted((a, b) => a - b);
  return ascending.flatMap((from, at) => {
    const change = {
      from,
      to: ascending[at + 1] ?? Infinity,
      before: zoneAt(before, from),
      after: zoneAt(after, from),
    };
    return change.before === change.after ? [] : [change];
  });
};
