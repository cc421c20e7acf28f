import type { Sample } from "../domain/sample.ts";
import type { CopyType } from "./ports.ts";

/** Columns of health_samples_staging that make a sample, in the order in which COPY carries them. */
export const STAGED_COLUMNS: readonly { name: keyof Sample; type: CopyType }[] = [
  { name: "athlete_id", type: "text" },
  { name: "sample_id", type: "uuid" },
  { name: "metric", type: "text" },
  { name: "start_at", type: "timestamptz" },
  { name: "end_at", type: "timestamptz" },
  { name: "value", type: "float8" },
  { name: "unit", type: "text" },
  { name: "source", type: "text" },
  { name: "device", type: "text" },
  { name: "tz", type: "text" },
  { name: "local_date", type: "date" },
  { name: "attributes", type: "jsonb" },
  { name: "received_at", type: "timestamptz" },
];

const NAMES = STAGED_COLUMNS.map(({ name }) => name);
export const STAGED_NAMES = NAMES.join(", ");
export const STAGED_TYPES = STAGED_COLUMNS.map(({ type }) => type);

/** A row as Postgres answers it: no attributes are null there. */
export type StagedRow = Omit<Sample, "attributes"> & { attributes: Sample["attributes"] | null };

export const asSample = (row: StagedRow): Sample => ({ ...row, attributes: row.attributes ?? {} });

/** A row of COPY, its cells in the order of `STAGED_COLUMNS`. */
export const sampleOfCells = (cells: readonly unknown[]): Sample => {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < NAMES.length; at += 1) row[NAMES[at] as string] = cells[at];
  row["attributes"] ??= {};
  return row as Sample;
};

/** The inverse of `sampleOfCells`. */
export const cellsOfSample = (sample: Sample): unknown[] => STAGED_COLUMNS.map(({ name }) => sample[name]);
