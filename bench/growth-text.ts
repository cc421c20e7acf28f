import { textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { GrowthFigures } from "./growth.ts";

/** Slopes over log-log: of CPU and bytes against samples, of a query against everything stored. */
export const growthText = ({ cells, slopes }: GrowthFigures): string => {
  const head = ["athletes", "days", "samples", "CPU s", "CPU µs/sample", "stored B/sample", "query ms"];
  const body = cells.map((cell) => [
    cell.athletes,
    cell.days,
    cell.samples,
    short(cell.cpu_s),
    short((1e6 * cell.cpu_s) / cell.samples),
    short(cell.stored_bytes / cell.samples),
    short(cell.query_ms),
    short(cell.query_cpu_ms),
    `${short(cell.idle)} %`,
    short(cell.seconds),
  ]);
  return [
    ...textTable([[...head, "query CPU ms", "idle CPU", "seconds"], ...body]),
    "",
    `slopes: ingest CPU ${short(slopes.cpu)} (goal ≤ 1.05), stored bytes ${short(slopes.stored)} (goal ≤ 1), ` +
      `point query ${short(slopes.query)} (goal ≤ 0.1), CPU at rest against athletes ${short(slopes.idle)} (goal: 0)`,
  ].join("\n");
};
