import { textTable } from "../src/ops/text-table.ts";
import { short } from "./figures.ts";
import type { FreshnessFigures } from "./freshness.ts";

/** `× direct`: how many times as long as a row inserted and read back took in the same phase. */
export const freshnessText = ({ capacity_s, phases, fresh, direct }: FreshnessFigures): string => {
  const head = ["of capacity", "samples/s", "refused", "CPU", "n", "p50", "p99", "max", "late", "202: p50, p99"];
  const body = phases.map((phase) => {
    const seen = fresh.find((one) => one.phase === phase.name);
    const row = direct.find((one) => one.phase === phase.name);
    return [
      phase.name,
      short(phase.sent_s),
      short(phase.refused),
      `${short(100 * phase.cpu_s)} %`,
      seen?.n ?? 0,
      short(seen?.p50 ?? Number.NaN),
      short(seen?.p99 ?? Number.NaN),
      short(seen?.max ?? Number.NaN),
      seen?.late ?? 0,
      `${short(seen?.taken_p50 ?? Number.NaN)}, ${short(seen?.taken_p99 ?? Number.NaN)}`,
      `${short(row?.p50 ?? Number.NaN)}, ${short(row?.p99 ?? Number.NaN)}`,
      `${short((seen?.p50 ?? Number.NaN) / (row?.p50 ?? Number.NaN))} ×`,
    ];
  });
  const at = (name: string) => fresh.find(({ phase }) => phase === name);
  const [idle, busy] = [at("50 %, panes idle"), at("50 %, panes busy")];
  return [
    ...textTable([[...head, "INSERT + SELECT: p50, p99", "× direct"], ...body]),
    "",
    `capacity ${short(capacity_s)} samples/s, HTTP to rows; ms from POST to visible in today, CPU of all our processes`,
    `at 50 %: p50 ${short(idle?.p50 ?? Number.NaN)} ms (goal 50), p99 ${short(idle?.p99 ?? Number.NaN)} ms (goal 500); ` +
      `busy panes: p99 × ${short((busy?.p99 ?? Number.NaN) / (idle?.p99 ?? Number.NaN))} (goal 2)`,
  ].join("\n");
};
