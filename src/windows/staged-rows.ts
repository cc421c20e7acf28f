import type { Sample } from "../domain/sample.ts";
import type { CopyType } from "../flow/ports.ts";

/** Columns of health_samples_staging that make a sample. */
export const STAGED_COLUMNS: readonly (readonly [keyof Sample, CopyType])[] = [
  ["athlete_id", "text"],
  ["sample_id", "uuid"],
  ["metric", "text"],
  ["start_at", "timestamptz"],
  ["end_at", "timestamptz"],
  ["value", "float8"],
  ["unit", "text"],
  ["source", "text"],
  ["device", "text"],
  ["tz", "text"],
  ["local_date", "date"],
  ["attributes", "jsonb"],
  ["received_at", "timestamptz"],
];

export const STAGED_NAMES = STAGED_COLUMNS.map(([name]) => name).join(", ");

/** A row as Postgres answers it: no attributes are null there. */
export type StagedRow = Omit<Sample, "attributes"> & { attributes: Sample["attributes"] | null };

export const asSample = (row: StagedRow): Sample => ({ ...row, attributes: row.attributes ?? {} });

/** A row of COPY, its cells in the order of `STAGED_COLUMNS`. */
export const sampleOfCells = (cells: readonly unknown[]): Sample => {
  const sample: Record<string, unknown> = {};
  for (const [at, [name]] of STAGED_COLUMNS.entries()) sample[name] = cells[at];
  sample["attributes"] ??= {};
  return sample as Sample;
};
