import { DatabaseSync } from "node:sqlite";
import type { AthleteMetric } from "health-sync/records";

/** A record of health.metrics.v1 as the copy reads it: a null `value` is a tombstone. */
export type MetricRecord = { key: string; revision: number; value: AthleteMetric | null };

/** Tombstones are kept 7 days on the topic; a day is left as a margin. */
const MOST_AWAY_MS = 6 * 86_400_000;

export type Copy = {
  /** Number of the reading under way; a new one begins at the start of the topic. */
  reading: number;
  /** Applies records and remembers that the copy is alive, in one transaction. */
  apply(records: readonly MetricRecord[], now: number): void;
  /** The reading has come to the end of the topic: rows that it never met were removed while we were away. */
  caughtUp(): void;
  /** Effective rows first think of locks: see the view `athlete_metrics_effective` of the service. */
  rows(): AthleteMetric[];
  close(): void;
};

/**
 * A local copy of health.metrics.v1 in one SQLite file. It keeps the highest revision per key, tombstones included, so
 * that redelivery, replays and any order of batches change nothing. After more than six days without a record or a
 * heartbeat it reads the topic anew: a tombstone of that time may be gone, and its row would stay for ever.
 */
export const openCopy = (file: string, now: number): Copy => {
  const db = new DatabaseSync(file);
  db.exec(`
    create table if not exists metrics (key text primary key, revision integer not null, value text, reading integer not null);
    create table if not exists state (id integer primary key check (id = 1), reading integer not null, alive_at integer not null);
    insert into state values (1, 1, ${now}) on conflict do nothing;
  `);
  const state = db.prepare("select reading, alive_at from state").get() as { reading: number; alive_at: number };
  const reading = now - state.alive_at > MOST_AWAY_MS ? state.reading + 1 : state.reading;
  db.prepare("update state set reading = ?, alive_at = ?").run(reading, now);
  // A row met again in this reading is alive even where its revision is the one we have.
  const put = db.prepare(`
    insert into metrics values (?, ?, ?, ?) on conflict (key) do update set
      value = case when excluded.revision >= metrics.revision then excluded.value else metrics.value end,
      revision = max(metrics.revision, excluded.revision), reading = excluded.reading`);
  const alive = db.prepare("update state set alive_at = max(alive_at, ?)");
  return {
    reading,
    apply: (records, at) => {
      db.exec("begin immediate");
      for (const { key, revision, value } of records) put.run(key, revision, value && JSON.stringify(value), reading);
      alive.run(at);
      db.exec("commit");
    },
    caughtUp: () => void db.prepare("delete from metrics where reading < ?").run(reading),
    rows: () =>
      db
        .prepare("select value from metrics where value is not null order by key")
        .all()
        .map((row) => JSON.parse(row["value"] as string) as AthleteMetric),
    close: () => db.close(),
  };
};
