import { textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { IdleFigures } from "./idle.ts";

/** CPU in % of one core, memory of all processes of the service. */
export const idleText = ({ watched, samples, refused, held }: IdleFigures): string => {
  const head = ["", "seconds", "CPU %", "MB, first third", "MB, last third", "MB at most"];
  const rows = watched.map((one) => [
    one.what,
    short(one.seconds),
    short(one.cpu),
    short(one.first_mb),
    short(one.last_mb),
    short(one.peak_mb),
  ]);
  return [
    ...textTable([head, ...rows]),
    "",
    `${samples.toLocaleString("en")} samples were taken, ${refused.toLocaleString("en")} refused, ${held.toLocaleString("en")} stand`,
    `idle CPU goal: below 1 %; memory goal: flat`,
  ].join("\n");
};
