import { textTable } from "../src/ops/text-table.ts";
import type { BackfillFigures } from "./backfill.ts";
import { short } from "./figures.ts";
import type { Freshness } from "./probe.ts";
import type { ReplayFigures } from "./replay.ts";

/** Freshness by phase, beside that of live traffic alone. */
const freshnessLines = (freshness: readonly Freshness[]): string[] => {
  const before = freshness.find(({ phase }) => phase === "before");
  const fresh = freshness.map((f) => [
    f.phase,
    f.n,
    short(f.p50),
    short(f.p99),
    short(f.max),
    f.late,
    `${short(f.taken_p50)}, ${short(f.taken_p99)}`,
    short(f.own_p99),
    before ? `${short(f.p50 / before.p50)} / ${short(f.p99 / before.p99)}` : "",
  ]);
  return textTable([
    [
      "POST → today, ms",
      "n",
      "p50",
      "p99",
      "max",
      "late",
      "to the 202: p50, p99",
      "sent late: p99",
      "× before, p50 / p99",
    ],
    ...fresh,
  ]);
};

/** `× first`: how many times as fast as the first pass was. */
export const replayText = ({ passes, freshness }: ReplayFigures): string => {
  const first = passes[0];
  const rows = passes.map((pass) => [
    pass.what,
    pass.samples,
    short(pass.seconds),
    short(pass.samples / pass.seconds),
    short((pass.cpu_s * 1e6) / pass.samples),
    short((first?.seconds ?? NaN) / pass.seconds),
    pass.changed === null ? "" : pass.changed ? "CHANGED" : "identical",
  ]);
  const head = ["", "samples", "seconds", "a second", "CPU µs a sample", "× first", "content"];
  return [...textTable([head, ...rows]), "", ...freshnessLines(freshness)].join("\n");
};

/** What `bench backfill` prints: freshness by phase, each athlete's share, and what it took. */
export const backfillText = (figures: BackfillFigures): string => {
  const { freshness, shares, records, seconds, processes, worker, restarts } = figures;
  const share = shares.map((s) => [
    s.athlete,
    s.rows,
    s.days,
    s.written,
    short(s.written / s.days),
    s.most,
    short(s.first_s),
    short(s.last_s),
  ]);
  const rows = shares.reduce((sum, s) => sum + s.rows, 0);
  return [
    ...freshnessLines(freshness),
    "",
    ...textTable([
      ["imported", "rows", "days", "objects", "objects a day", "most", "first day at s", "last day at s"],
      ...share,
    ]),
    "",
    `${records.toLocaleString("en")} records in ${short(seconds)} s until everything was durable: ${short(records / seconds)} a second; ` +
      `${rows.toLocaleString("en")} rows in Parquet`,
    `${worker.staging.count} transactions of staging, ${short(worker.staging.mean_ms)} ms each; ${worker.panes.count} jobs of panes, ` +
      `${short(worker.panes.mean_ms)} ms each`,
    "",
    ...textTable([
      ["process", "CPU µs a record", "peak MB before", "peak MB", "event loop held at most, ms", "restarts"],
      ...processes.map(({ name, cpu_s, mb_before, mb }) => {
        const held = worker.held_ms[name.split(" ", 1)[0] ?? ""];
        return [
          name,
          short((cpu_s * 1e6) / records),
          mb_before === 0 ? "" : short(mb_before),
          short(mb),
          held === undefined ? "" : short(held),
          restarts.filter(({ part }) => part === name).length || "",
        ];
      }),
    ]),
  ].join("\n");
};
