import { type ReplayPreview, differenceLines } from "./replay-preview.ts";

/** What a recompute would change: sleep sessions that come, go or change, objects, metrics old and new. */
export type RecomputePreview = Pick<ReplayPreview, "objects" | "metrics" | "sessions">;

/** As people read it: figures first, then each object and metric. */
export const recomputePreviewLines = (of: { athletes: number; days: number }, preview: RecomputePreview): string[] => {
  const { objects, metrics, sessions } = preview;
  const head = `${of.days} days of ${of.athletes} athletes would be computed anew`;
  if (objects.length + metrics.length + sessions === 0) return [head, "nothing would change"];
  return [
    `${head}; nothing was changed yet:`,
    `objects    ${objects.length} (day partitions of the lake)`,
    `metrics    ${metrics.length}`,
    `sessions   ${sessions}`,
    ...differenceLines(preview),
  ];
};
