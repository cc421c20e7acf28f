import { textTable } from "../src/ops/text-table.ts";
import type { EdgeRow } from "./edge.ts";
import { EDGE } from "./edge-contenders.ts";
import { short, spreadText } from "./figures.ts";

const provenText = ({ lost, as_sent }: EdgeRow): string => {
  if (lost !== 0) return lost > 0 ? `${lost} LOST` : `${-lost} TWICE`;
  return as_sent ? "as sent" : "NOT AS SENT";
};

/** A line a contender and size of bodies; `edge is` says how many times as fast as it the edge was. */
export const edgeText = (rows: readonly EdgeRow[]): string => {
  const edgeAt = (size: number): number =>
    rows.find((row) => row.size === size && row.what === EDGE)?.samples_s.median ?? Number.NaN;
  const head = ["samples a body", "", "samples/s", "CPU s a million", "peak MB", "records", "the log holds", "edge is"];
  const cells = rows.map((row) => [
    String(row.size),
    row.what,
    spreadText(row.samples_s),
    spreadText(row.cpu_us),
    short(row.peak_mb),
    String(row.records),
    provenText(row),
    `${short(edgeAt(row.size) / row.samples_s.median)} ×`,
  ]);
  return textTable([head, ...cells]).join("\n");
};
