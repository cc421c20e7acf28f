import { textTable } from "../src/ops/text-table.ts";
import type { ClientRow } from "./clients.ts";
import { short, spreadText } from "./figures.ts";

/** A line a client and question. */
export const clientsText = (rows: readonly ClientRow[]): string => {
  const head = ["", "client", "records/s", "CPU µs/record", "p50 ms", "p99 ms", "max ms", "peak MB"];
  const cells = rows.map(({ what, client, rate, cpu_us, ms, peak_mb }) => [
    what,
    client,
    rate ? spreadText(rate) : "–",
    cpu_us ? spreadText(cpu_us) : "–",
    ...(ms ? [short(ms.p50), short(ms.p99), short(ms.max)] : ["–", "–", "–"]),
    peak_mb > 0 ? short(peak_mb) : "–",
  ]);
  return textTable([head, ...cells]).join("\n");
};
