import { metricOfType } from "../domain/catalogue.ts";
import type { SampleChunk } from "../domain/sample.ts";
import { drop } from "../flow/outcome.ts";
import type { RawRecord } from "../flow/ports.ts";
import type { Stage } from "../flow/stage.ts";
import type { ChunkInput, Facts } from "./facts.ts";
import type { StagingRows } from "./rows.ts";

/** Null selects everything. */
export type ChunkSelection = { athletes: readonly string[] | null; metrics: readonly string[] | null };

/**
 * The part of a chunk that was selected, or null where nothing is left. A deletion whose type is not known stays: its id
 * may be of any metric. Types that we do not know have no metric, and are left out.
 */
export const selectChunk = (chunk: SampleChunk, { athletes, metrics }: ChunkSelection): SampleChunk | null => {
  if (athletes && !athletes.includes(chunk.athlete_id)) return null;
  if (!metrics) return chunk;
  const wanted = (type: string): boolean => {
    const metric = metricOfType(type);
    return metric !== undefined && metrics.includes(metric.key);
  };
  const series = chunk.series.filter(({ type }) => wanted(type));
  const deletions = chunk.deletions.filter(({ type }) => type === null || wanted(type));
  const daily = chunk.daily.filter(({ type }) => wanted(type));
  return series.length + deletions.length + daily.length > 0 ? { ...chunk, series, deletions, daily } : null;
};

const isOf = (record: RawRecord, athletes: readonly string[] | null): boolean =>
  athletes === null || athletes.includes(record.key?.toString() ?? "");

/** The staging stage on a selection of what it reads. `taken` is called for each record that goes on. */
export const selecting = (
  stage: Stage<ChunkInput, Facts, StagingRows>,
  selection: ChunkSelection,
  taken: () => void,
): Stage<ChunkInput, Facts, StagingRows> => ({
  ...stage,
  decode: async (record) => {
    // By the key, before anything is decoded.
    if (!isOf(record, selection.athletes)) return drop("not_selected");
    const decoded = await stage.decode(record);
    if (decoded.kind !== "ok") {
      taken();
      return decoded;
    }
    const chunk = selectChunk(decoded.value.chunk, selection);
    if (chunk === null) return drop("not_selected");
    taken();
    return { kind: "ok", value: { ...decoded.value, chunk } };
  },
});
