import type { AllBench, Line, Size } from "./all.ts";
import type { EdgeRow } from "./edge.ts";
import { EDGE, NAIVE, RAW } from "./edge-contenders.ts";
import { short } from "./figures.ts";
import type { FreshnessFigures } from "./freshness.ts";
import type { GrowthFigures } from "./growth.ts";
import type { HistoryRow } from "./history.ts";
import type { IdleFigures } from "./idle.ts";
import { PEER, type Row } from "./import-rows.ts";
import type { MonthDay } from "./month.ts";
import { DRAIN, DUCKDB, PANES, type PanesFigures } from "./panes.ts";
import type { RecoveryFigures } from "./recovery.ts";
import type { ReplayFigures } from "./replay.ts";
import { AGAIN, COPY, INSERT, STAGING, type StagingFigures } from "./staging.ts";

type Told = Omit<Line, "id">;
type Part = {
  id: string;
  name: string;
  /** It brings up a stack by itself. */
  ownStack?: true;
  argv: (size: Size, peers: AllBench["peers"]) => string[];
  lines: (figures: never) => Told[];
};

/** `at least`, or (negative) `at most` so much is the goal. */
const against = (figure: string, ratio: number, goal: number, more: Partial<Told> = {}): Told => ({
  figure,
  value: "",
  ceiling: "",
  peer: "",
  ratio: short(ratio),
  goal: `${goal < 0 ? "≤" : "≥"} ${short(Math.abs(goal))}`,
  met: Number.isFinite(ratio) ? (goal < 0 ? ratio <= -goal : ratio >= goal) : null,
  ...more,
});

const medianOf = (rows: readonly { what: string; rows_s: { median: number } }[], what: string): number =>
  rows.find((row) => row.what === what)?.rows_s.median ?? Number.NaN;

const edge = (rows: EdgeRow[]): Told[] =>
  [...new Set(rows.map(({ size }) => size))].flatMap((size) => {
    const [ours, raw, naive] = [EDGE, RAW, NAIVE].map(
      (what) => rows.find((row) => row.size === size && row.what === what)?.samples_s.median ?? Number.NaN,
    ) as [number, number, number];
    const cells = { value: `${short(ours)}/s`, ceiling: `${short(raw)}/s`, peer: `${short(naive)}/s` };
    const unlike = rows.filter((row) => row.size === size && !row.as_sent).map(({ what }) => what);
    if (unlike.length > 0) throw new Error(`the log does not hold what was sent by: ${unlike.join(", ")}`);
    return [
      against(`bodies of ${size}, of the raw client`, ours / raw, 0.5, {
        ...cells,
        ...(size < 100 ? { met: null } : {}),
      }),
      against(`bodies of ${size}, of the naive way`, ours / naive, 5, cells),
    ];
  });

const staging = ({ contenders }: StagingFigures): Told[] => {
  const [ours, copy, usual] = [STAGING, COPY, INSERT].map((what) => medianOf(contenders, what)) as [
    number,
    number,
    number,
  ];
  const wal = (what: string): number => contenders.find((one) => one.what === what)?.wal_mb.median ?? Number.NaN;
  const cells = { value: `${short(ours)}/s`, ceiling: `${short(copy)}/s`, peer: `${short(usual)}/s` };
  return [
    against("rows, of COPY", ours / copy, 0.5, cells),
    against("rows, of the usual way", ours / usual, 3, cells),
    against("WAL of all duplicates, of the first pass", wal(AGAIN) / wal(STAGING), -0.1),
  ];
};

const panes = ({ contenders, times }: PanesFigures): Told[] => {
  const [ours, drain, duck] = [PANES, DRAIN, DUCKDB].map((what) => medianOf(contenders, what)) as [
    number,
    number,
    number,
  ];
  const of = (what: string) => contenders.find((one) => one.what === what);
  const bytes = (of(PANES)?.bytes_row ?? Number.NaN) / (of(DUCKDB)?.bytes_row ?? Number.NaN);
  const cells = { value: `${short(ours)}/s`, ceiling: `${short(drain)}/s`, peer: `${short(duck)}/s` };
  return [
    against("rows, of the drain", ours / drain, 0.5, cells),
    against("rows, of DuckDB", ours / duck, 1, cells),
    against("bytes a row, of DuckDB", bytes, -0.9),
    against("MB of all its processes", of(PANES)?.peak_mb ?? Number.NaN, -512),
    against(`the same, ${times} × the rows`, of(`${PANES}, ${times} × the rows`)?.peak_mb ?? Number.NaN, -512),
  ];
};

const rate = (row: Row | undefined): number => (row ? row.records / row.seconds : Number.NaN);

const imported = ({ rows }: { rows: Row[] }): Told[] => {
  const peer = rate(rows.find(({ what }) => what === PEER));
  const [first, last] = [rows[0], rows.at(-1)];
  const cells = { value: `${short(rate(last))}/s`, ceiling: `${short(rate(first))}/s`, peer: `${short(peer)}/s` };
  return [against("records until durable, of the peer", rate(last) / peer, 2, cells)];
};

const freshness = ({ fresh, direct }: FreshnessFigures): Told[] => {
  const [idle, busy] = ["50 %, panes idle", "50 %, panes busy"].map((name) =>
    fresh.find(({ phase }) => phase === name),
  );
  const row = direct.find(({ phase }) => phase === "50 %, panes idle");
  const peer = `${short(row?.p50 ?? Number.NaN)}, ${short(row?.p99 ?? Number.NaN)} ms`;
  return [
    against("visible at 50 %, p50 ms", idle?.p50 ?? Number.NaN, -50, { peer }),
    against("visible at 50 %, p99 ms", idle?.p99 ?? Number.NaN, -500, { peer }),
    against("p99, panes busy to idle", (busy?.p99 ?? Number.NaN) / (idle?.p99 ?? Number.NaN), -2),
  ];
};

const history = ({ rows }: { rows: HistoryRow[] }): Told[] =>
  [...new Set(rows.map(({ span }) => span))].flatMap((span) => {
    const ms = (what: string): number =>
      rows.find((row) => row.span === span && row.delay_ms === 0 && row.what === what)?.ms.median ?? Number.NaN;
    const [cold, warm, local] = [ms("samples, cold"), ms("samples, warm cache"), ms("DuckDB, local files")];
    const http = ms("DuckDB over HTTP, cold");
    const store = Number.isFinite(http) ? http : ms("download, then DuckDB");
    const ceiling = `${short(ms("exactly its bytes, local files"))} ms`;
    return [
      against(`${span}, cold, of DuckDB over the store`, cold / store, -1, {
        value: `${short(cold)} ms`,
        ceiling,
        peer: `${short(store)} ms`,
      }),
      against(`${span}, warm, of DuckDB on files`, warm / local, span.startsWith("365") ? -1.5 : -1, {
        value: `${short(warm)} ms`,
        ceiling,
        peer: `${short(local)} ms`,
      }),
    ];
  });

const growth = ({ slopes }: GrowthFigures): Told[] => [
  against("slope of ingest CPU", slopes.cpu, -1.05),
  against("slope of stored bytes", slopes.stored, -1),
  against("slope of a point query", slopes.query, -0.1),
];

const mean = (some: readonly MonthDay[]): number => some.reduce((sum, day) => sum + day.table_mb, 0) / some.length;

const month = (days: MonthDay[]): Told[] => {
  const third = Math.max(1, Math.floor((days.length - 1) / 3));
  return [
    {
      ...against(
        "staging's table, last third of the first",
        mean(days.slice(-third)) / mean(days.slice(1, 1 + third)),
        -1.2,
      ),
      goal: "flat",
    },
  ];
};

const replay = ({ passes, freshness: fresh }: ReplayFigures): Told[] => {
  const passed = (what: string): number => {
    const pass = passes.find((one) => one.what === what);
    return pass ? pass.samples / pass.seconds : Number.NaN;
  };
  const p99 = (name: string): number => fresh.find(({ phase }) => phase === name)?.p99 ?? Number.NaN;
  const cells = { value: `${short(passed("replay 2"))}/s`, ceiling: `${short(passed("dropped by a consumer"))}/s` };
  return [
    against("replay, of the offsets reset", passed("replay 2") / passed("offsets reset"), 0.7, {
      ...cells,
      peer: `${short(passed("offsets reset"))}/s`,
    }),
    against("recompute, of the first pass", passed("recompute, from Parquet") / passed("first pass"), 1, {
      met: null,
      goal: "",
    }),
    against("live p99 meanwhile", p99("during") / p99("before"), -2),
    {
      ...against("results changed", passes.filter(({ changed }) => changed).length, -0),
      goal: "0",
      met: passes.every(({ changed }) => changed !== true),
    },
  ];
};

const recovery = ({ real_time, back_s }: RecoveryFigures): Told[] => [
  against("an hour's backlog, × real time", real_time, 5),
  against("killed until the first commit, s", back_s.median, -10),
];

const idle = ({ watched }: IdleFigures): Told[] => {
  const [trace, still] = watched;
  return [
    against("idle CPU, %", still?.cpu ?? Number.NaN, -1),
    {
      ...against(
        "memory over a day, last third of the first",
        (trace?.last_mb ?? Number.NaN) / (trace?.first_mb ?? 1),
        -1.1,
      ),
      goal: "flat",
    },
  ];
};

const sized =
  (small: string, full: string) =>
  (size: Size): string[] =>
    (size === "small" ? small : full).split(" ").filter(Boolean);
const given = (option: string, value: string | undefined): string[] => (value === undefined ? [] : [option, value]);

/** What `bench all` runs, in the order of their ids. */
export const PARTS: readonly Part[] = [
  { id: "B1", name: "edge", argv: sized("--samples 20000", "--samples 2000000"), lines: edge },
  { id: "B2", name: "staging", argv: sized("", "--rows 5000000"), lines: staging },
  {
    id: "B3",
    name: "panes",
    argv: (size, { postgres }) => [
      ...sized("--times 5", "--rows 1000000 --times 10")(size),
      ...given("--postgres-extension", postgres),
    ],
    lines: panes,
  },
  {
    id: "B4",
    name: "import",
    ownStack: true,
    argv: (size, { importer }) => [...sized("--mb 50", "--mb 1000")(size), ...given("--peer", importer ?? "none")],
    lines: imported,
  },
  { id: "B5", name: "freshness", argv: sized("", "--seconds 60 --history 1000000"), lines: freshness },
  {
    id: "B6",
    name: "history",
    argv: (size, { httpfs }) => [...sized("--rounds 3", "")(size), ...given("--httpfs", httpfs)],
    lines: history,
  },
  { id: "B7", name: "growth", argv: sized("", "--most 10000000 --density 100"), lines: growth },
  { id: "B7", name: "month", argv: sized("--days 10", "--athletes 20"), lines: month },
  { id: "B8", name: "replay", argv: sized("--athletes 2 --days 15", ""), lines: replay },
  { id: "B9", name: "recovery", argv: sized("", "--athletes 10000"), lines: recovery },
  { id: "B10", name: "idle", argv: sized("", "--minutes 10 --athletes 1000 --trace 30"), lines: idle },
];
