import { pino } from "pino";
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CounterName, GaugeName, Telemetry, TimerName } from "../flow/ports.ts";
import { safeFields } from "./telemetry-fields.ts";

/** prom-client's own JSON of one process's figures: what a child sends over IPC to be merged. */
export type Figures = unknown[];

export type RunningTelemetry = Telemetry & {
  /** Everything counted so far, for another process to merge. */
  figures(): Promise<Figures>;
  /** The Prometheus text of this process and of the given others (each sample carries its process's `role`). */
  metricsText(others?: readonly Figures[]): Promise<string>;
  contentType: string;
  flush(): void;
};

const COUNTERS: Record<CounterName, string> = {
  records: "Records and samples by stage and fate.",
  panes: "Panes fired, by kind.",
  objects: "Parquet objects by what happened to them.",
  events: "Outbox events by topic and fate.",
  http_requests: "HTTP requests by route, method and status.",
  restarts: "Restarts of a supervised part.",
  commit_retries: "Decisions started over because their facts had changed.",
};
const GAUGES: Record<GaugeName, string> = {
  lag_records: "Records between a stored position and the end of its topic partition.",
  dirty_windows: "Windows with changes that no pane has read yet.",
  oldest_dirty_day_age_days: "Age of the oldest local date that waits for a pane, in days.",
  outbox_rows: "Events that Kafka has not acknowledged yet.",
  backfill_windows: "Windows of imports and other history with changes that no pane has read yet.",
  backfill_seconds_left:
    "Seconds until a stage is through with history, by how fast the last minute went; -1 while that is not known.",
  refused: "1 where a part refused to go on and waits for a person.",
};
const TIMERS: Record<TimerName, string> = {
  commit_ms: "Time of one commit.",
  pane_ms: "Time of one pane job.",
  http_ms: "Time of one HTTP request.",
  publish_ms: "Time of one outbox transaction.",
};
/** Every label there may be: bounded sets only, never a person's id, so that the number of series stays bounded. */
const LABELS = `stage fate topic topic_partition group lane kind step reason shard part
  route method status pane result state`.split(/\s+/);
const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

const knownLabels = (labels: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => LABELS.includes(name)));

const entriesOf = <Name extends string>(texts: Record<Name, string>): [Name, string][] =>
  Object.entries(texts) as [Name, string][];

/**
 * Logs as JSON lines (pino) and figures under `health_sync_*` (prom-client).
 * No health value can reach a log line: only fields on the list of telemetry-fields.ts pass.
 */
export const createTelemetry = (options: {
  level: string;
  role: string;
  /** Where lines go; stderr by default, because stdout belongs to what a command prints. */
  write?: (line: string) => void;
}): RunningTelemetry => {
  const { write } = options;
  const destination = write ? { write } : pino.destination({ fd: 2, sync: true });
  const log = pino({ level: options.level, base: { role: options.role, pid: process.pid } }, destination);
  const register = new Registry();
  register.setDefaultLabels({ role: options.role });
  // It looks at the event loop as often as this: every 10 ms by default, which is most of what a process at rest would do.
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 200 });
  const common = { labelNames: LABELS, registers: [register] };
  const counters = new Map(
    entriesOf(COUNTERS).map(([n, help]) => [n, new Counter({ name: `health_sync_${n}_total`, help, ...common })]),
  );
  const gauges = new Map(
    entriesOf(GAUGES).map(([n, help]) => [n, new Gauge({ name: `health_sync_${n}`, help, ...common })]),
  );
  const timers = new Map(
    entriesOf(TIMERS).map(([n, help]) => [
      n,
      new Histogram({ name: `health_sync_${n}`, help, ...common, buckets: BUCKETS_MS }),
    ]),
  );
  const figures = async (): Promise<Figures> => structuredClone(await register.getMetricsAsJSON());
  return {
    info: (event, fields) => log.info({ event, ...safeFields(fields) }),
    warn: (event, fields) => log.warn({ event, ...safeFields(fields) }),
    count: (name, labels, by = 1) => counters.get(name)?.inc(knownLabels(labels), by),
    gauge: (name, labels, value) => gauges.get(name)?.set(knownLabels(labels), value),
    time: (name, labels, milliseconds) => timers.get(name)?.observe(knownLabels(labels), milliseconds),
    figures,
    metricsText: async (others = []) => AggregatorRegistry.aggregate([await figures(), ...others] as never).metrics(),
    contentType: register.contentType,
    flush: () => log.flush(),
  };
};
