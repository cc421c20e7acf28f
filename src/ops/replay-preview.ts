import type { LocalDate } from "../domain/sample.ts";
import { textTable } from "./text-table.ts";

export type MetricDifference = {
  athlete_id: string;
  date: LocalDate;
  metric: string;
  source: string;
  /** Null where there is none. */
  before: number | null;
  after: number | null;
  locked: boolean;
};

export type ObjectDifference = {
  athlete_id: string;
  period_start: LocalDate;
  change: "new" | "rewritten" | "removed";
  rows_added: number;
  rows_changed: number;
  rows_removed: number;
};

/** What a replay would change. `staged`: rows of days that are still open. */
export type ReplayPreview = {
  athletes: number;
  /** Samples, deletions and totals in the records selected, by fate. */
  tally: Record<string, number>;
  staged: { athlete_id: string; added: number; replaced: number; removed: number }[];
  tombstones: number;
  totals: number;
  /** Sleep sessions that come, go or change. */
  sessions: number;
  objects: ObjectDifference[];
  metrics: MetricDifference[];
};

const shown = (value: number | null): string => (value === null ? "-" : String(Number(value.toPrecision(6))));
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const rowsLine = ({ staged, objects }: ReplayPreview): string => {
  const added = sum([...staged.map((s) => s.added), ...objects.map((o) => o.rows_added)]);
  const changed = sum([...staged.map((s) => s.replaced), ...objects.map((o) => o.rows_changed)]);
  const removed = sum([...staged.map((s) => s.removed), ...objects.map((o) => o.rows_removed)]);
  return `rows       ${added} added, ${changed} changed, ${removed} removed`;
};

const KEPT_LINES = 200;

/** Each object and metric that changes, as tables. */
export const differenceLines = ({ objects, metrics }: Pick<ReplayPreview, "objects" | "metrics">): string[] => {
  const table = [
    ...(objects.length === 0
      ? []
      : textTable([
          ["athlete", "day", "object", "added", "changed", "removed"],
          ...objects.map((o) => [o.athlete_id, o.period_start, o.change, o.rows_added, o.rows_changed, o.rows_removed]),
        ])),
    ...(metrics.length === 0
      ? []
      : textTable([
          ["athlete", "date", "metric", "source", "old", "new", ""],
          ...metrics.map((m) => [
            m.athlete_id,
            m.date,
            m.metric,
            m.source,
            shown(m.before),
            shown(m.after),
            m.locked ? "locked: only what the sync would write" : "",
          ]),
        ])),
  ];
  const more = table.length - KEPT_LINES;
  return [...table.slice(0, KEPT_LINES), ...(more > 0 ? [`… and ${more} more lines: use --json`] : [])];
};

/** As people read it: figures first, then each object and metric. */
export const previewLines = (preview: ReplayPreview): string[] => {
  const { objects, metrics, tombstones, totals, sessions } = preview;
  const quiet = rowsLine(preview).includes(" 0 added, 0 changed, 0 removed");
  const head = [
    `nothing was changed; a replay would touch ${preview.athletes} athletes:`,
    rowsLine(preview),
    `objects    ${objects.length} (day partitions of the lake)`,
    `metrics    ${metrics.length}`,
    `besides    ${sessions} sleep sessions, ${tombstones} deletions, ${totals} daily totals`,
  ];
  if (quiet && objects.length + metrics.length + tombstones + totals + sessions === 0) {
    return ["a replay would change nothing"];
  }
  return [...head, ...differenceLines(preview)];
};
