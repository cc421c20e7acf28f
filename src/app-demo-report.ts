import type { Connections } from "./app.ts";
import { addDays } from "./domain/local-day.ts";
import { sparkline, textTable } from "./ops/text-table.ts";
import type { Database } from "./flow/ports.ts";

const TABLES = [
  "health_samples_staging",
  "health_streams",
  "sleep_sessions",
  "sleep_streams",
  "athlete_metrics",
  "day_facts",
  "windows",
  "sample_tombstones",
  "ingest_batches",
  "dead_letters",
  "outbox",
];

type Metric = {
  athlete_id: string;
  date: string;
  metric: string;
  source: string;
  value: number;
  unit: string;
  method: string;
};

/** What came out, as lines: rows a table, objects, messages a topic, the latest metrics and their course. */
export const demoReport = async (connections: Connections, athletes: readonly string[]): Promise<string[]> => {
  const db = connections.openDatabase(2);
  try {
    return [
      "\nRows a table",
      ...indent(textTable([["table", "rows"], ...(await tableRows(db))])),
      "\nMessages a topic (compacted ones count the marker of each transaction too)",
      ...indent(textTable([["topic", "messages"], ...(await topicRows(connections))])),
      "\nParquet objects (live)",
      ...indent(textTable([["athlete", "objects", "rows", "bytes", "first", "last"], ...(await objectRows(db))])),
      ...(await sessionLines(db, athletes)),
      ...(await metricLines(db, athletes)),
    ];
  } finally {
    await db.close();
  }
};

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const tableRows = (db: Database): Promise<[string, number][]> =>
  Promise.all(
    TABLES.map(async (table): Promise<[string, number]> => {
      const [row] = await db.query<{ n: number }>(`select count(*) as n from ${table}`);
      return [table, row?.n ?? 0];
    }),
  );

const topicRows = ({ kafka, declared }: Connections): Promise<[string, number][]> => {
  const log = kafka.logInfo();
  return Promise.all(
    declared.map(async ({ name }): Promise<[string, number]> => {
      const bounds = await log.bounds(name);
      return [name, [...bounds.values()].reduce((sum, { low, high }) => sum + high - low, 0)];
    }),
  );
};

const objectRows = async (db: Database): Promise<(string | number)[][]> => {
  const rows = await db.query<{
    athlete_id: string;
    n: number;
    rows: number;
    bytes: number;
    first: string;
    last: string;
  }>(
    `select athlete_id, count(*) as n, sum(row_count) as rows, sum(bytes) as bytes, min(period_start) as first,
       max(period_end) as last from health_streams group by 1 order by 1`,
  );
  return rows.map((row) => [row.athlete_id, row.n, row.rows, row.bytes, row.first, row.last]);
};

const LATEST = 6;

type Session = {
  athlete_id: string;
  date: string;
  kind: string;
  source: string;
  total_sleep_s: number | null;
  deep_s: number | null;
  rem_s: number | null;
  efficiency: number | null;
  sleep_score: number | null;
  hrv_ms: number | null;
};

const hours = (seconds: number | null): string => (seconds === null ? "–" : (seconds / 3600).toFixed(2));

const sessionLines = async (db: Database, athletes: readonly string[]): Promise<string[]> => {
  const rows = await db.query<Session>(
    `select athlete_id, date, kind, source, total_sleep_s, deep_s, rem_s, efficiency, sleep_score, hrv_ms
     from sleep_sessions where athlete_id = any($1) and superseded_by is null order by date desc, start_at desc limit $2`,
    [athletes, LATEST],
  );
  const head = ["athlete", "date", "kind", "source", "asleep h", "deep h", "REM h", "efficiency", "score", "HRV ms"];
  const cells = rows.map((s) => [
    s.athlete_id,
    s.date,
    s.kind,
    s.source,
    hours(s.total_sleep_s),
    hours(s.deep_s),
    hours(s.rem_s),
    s.efficiency === null ? "–" : shown(s.efficiency),
    s.sleep_score ?? "–",
    s.hrv_ms === null ? "–" : shown(s.hrv_ms),
  ]);
  return ["\nLatest sleep sessions", ...indent(textTable([head, ...cells]))];
};

const metricLines = async (db: Database, athletes: readonly string[]): Promise<string[]> => {
  const rows = await db.query<Metric>(
    `select athlete_id, date, metric, source, value, unit, method from athlete_metrics_effective
     where athlete_id = any($1) and value is not null order by athlete_id, metric, date`,
    [athletes],
  );
  const latest = rows.toSorted((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : 0)).slice(0, LATEST);
  const head = ["athlete", "date", "metric", "source", "value", "unit", "method"];
  return [
    "\nLatest athlete metrics",
    ...indent(
      textTable([
        head,
        ...latest.map((m) => [m.athlete_id, m.date, m.metric, m.source, shown(m.value), m.unit, m.method]),
      ]),
    ),
    "\nDay by day",
    ...indent(courses(rows)),
  ];
};

/** Whole from a hundred up, three digits below: a fraction is not to be rounded away. */
const shown = (value: number): number => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

/** A sparkline for each athlete and metric that has more than a few days. */
const courses = (rows: readonly Metric[]): string[] =>
  [...Map.groupBy(rows, (row) => `${row.athlete_id} ${row.metric}`)].flatMap(([name, series]) => {
    const [first, last] = [series[0], series.at(-1)];
    if (!first || !last || series.length < 3) return [];
    const values = new Map(series.map((row) => [row.date, row.value]));
    const days: (number | null)[] = [];
    for (let date = first.date; date <= last.date && days.length < 90; date = addDays(date, 1)) {
      days.push(values.get(date) ?? null);
    }
    const known = series.map((row) => row.value);
    const range = `${shown(Math.min(...known))} to ${shown(Math.max(...known))} ${first.unit}`;
    return [`${name.padEnd(28)} ${sparkline(days)}  ${range}, ${first.date} to ${last.date}`];
  });
