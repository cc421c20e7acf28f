import { textTable } from "../src/ops/text-table.ts";
import { EDGE, type EdgeRow } from "./edge.ts";
import { short, spreadText } from "./figures.ts";

/** A line a contender and size of bodies; `edge is` says how many times as fast as it the edge was. */
export const edgeText = (rows: readonly EdgeRow[]): string => {
  const edgeAt = (size: number): number =>
    rows.find((row) => row.size === size && row.what === EDGE)?.samples_s.median ?? Number.NaN;
  const head = ["samples a body", "", "samples/s", "CPU µs/sample", "records", "edge is"];
  const cells = rows.map(({ size, what, samples_s, cpu_us, records }) => [
    String(size),
    what,
    spreadText(samples_s),
    spreadText(cpu_us),
    String(records),
    `${short(edgeAt(size) / samples_s.median)} ×`,
  ]);
  return textTable([head, ...cells]).join("\n");
};
