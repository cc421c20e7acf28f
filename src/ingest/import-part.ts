import type { BatchBody } from "./batch-body.ts";
import type { BatchContext } from "./decide.ts";

/** A part of an import: one batch, and where its entries stand in the file. */
export type ImportPart = {
  body: BatchBody;
  door: BatchContext["door"];
  synthetic: boolean;
  /** What the batch id is made from where the body has none. */
  body_hash: string;
  /** Left out before the batch was made, by type. */
  ignored: Record<string, number>;
  /** Samples with the metric, time and source of one before. */
  twins: number;
  /** The line on which an entry begins. */
  lineOf(index: number): number;
  sent?: NonNullable<BatchContext["sent"]>;
  place?: NonNullable<BatchContext["place"]>;
};

/** What a file's reader finds: parts, elements that are not samples, and faults that end or interrupt it. */
export type Found =
  | { kind: "part"; part: ImportPart }
  | { kind: "skipped"; name: string }
  | { kind: "fault"; line: number | null; detail: string }
  /** Samples read since, for the progress display. */
  | { kind: "read"; records: number };
