import { performance } from "node:perf_hooks";
import { connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { Database } from "../src/flow/ports.ts";
import { athlete } from "./generator/athlete.ts";
import { type NativeSample, native } from "./generator/batches.ts";
import { dateOf, dayOf } from "./generator/calendar.ts";
import { generatedDay, generatedNight } from "./generator/day.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { bodiesOf, sendBodies } from "./send.ts";
import { inService } from "./served.ts";

export type MonthBench = { athletes: number; days: number; seed: number; stack: string | undefined; say: Say };
export type MonthDay = {
  date: string;
  athletes: number;
  sent: number;
  staged: number;
  /** Of the athlete that has most. */
  most: number;
  table_mb: number;
  index_mb: number;
  dead: number;
  /** Rows in Parquet. */
  stored: number;
  /** Of the machine's own time. */
  seconds: number;
};
type Sizes = Omit<MonthDay, "date" | "athletes" | "sent" | "seconds">;

const DAY = 86_400_000;
/** The service's clock each day, UTC: the day before is over for everybody, and past its grace. */
const HOUR = 20 * 3_600_000;

/** A simulated day is over as soon as its panes are: no quiet is waited for that nothing would break. */
const PROMPT = { PANE_EARLY_EVERY: "1s", PANE_LATE_QUIET: "1s", PANE_BACKFILL_QUIET: "1s", MONTH_LATE_QUIET: "1s" };

type Given = { athlete_id: string; samples: NativeSample[] };

const samplesOf = ({ athletes, seed, days }: MonthBench, first: string): Given[] =>
  Array.from({ length: athletes }, (_, n) => {
    const who = athlete(seed, n, first);
    const numbers = Array.from({ length: days + 1 }, (_day, at) => dayOf(first) + at);
    const samples = numbers.flatMap((day) => [...generatedDay(who, day), ...generatedNight(who, day)]).map(native);
    return { athlete_id: who.athlete_id, samples };
  });

const sizes = async (db: Database): Promise<Sizes> => {
  // What autovacuum does many times a day, and has no time for where a day takes seconds.
  await db.query("vacuum analyze health_samples_staging");
  const [row] = await db.query<Sizes>(
    `select (select count(*)::float8 from health_samples_staging) as staged,
       (select coalesce(max(n), 0)::float8 from (select count(*) as n from health_samples_staging group by athlete_id) as t) as most,
       pg_table_size('health_samples_staging') / 1e6::float8 as table_mb,
       pg_indexes_size('health_samples_staging') / 1e6::float8 as index_mb,
       (select n_dead_tup::float8 from pg_stat_user_tables where relname = 'health_samples_staging') as dead,
       (select coalesce(sum(row_count), 0)::float8 from health_streams) as stored`,
  );
  if (!row) throw new Error("Postgres answered nothing");
  return row;
};

/** One start of the whole service, whose clock stands at this moment and runs on. */
const oneDay = (place: Place, at: number, given: readonly Given[]): Promise<MonthDay> => {
  const [began, shift_ms] = [performance.now(), at - Date.now()];
  const env = {
    ...place.env,
    NODE_OPTIONS: `--import=${new URL(import.meta.resolve("./shifted-clock.ts")).href}`,
    CLOCK_SHIFT_MS: String(shift_ms),
    ...PROMPT,
  };
  const due = given.map(({ athlete_id, samples }) => {
    const created = samples.filter((one) => Date.parse(one.created) <= at && Date.parse(one.created) > at - DAY);
    return { athlete_id, samples: created };
  });
  return inService(
    { ...place, env },
    async (service) => {
      const { target, db } = service;
      await service.settled();
      await sendBodies(
        target,
        due.flatMap(({ athlete_id, samples }) => bodiesOf(athlete_id, samples)),
      );
      await service.settled();
      const sent = due.reduce((sum, { samples }) => sum + samples.length, 0);
      const seconds = (performance.now() - began) / 1000;
      return { date: dateOf(Math.floor(at / DAY)), athletes: given.length, sent, ...(await sizes(db)), seconds };
    },
    shift_ms,
  );
};

/** Whatever was sent stands in staging or in Parquet, once. */
const verify = (days: readonly MonthDay[]): void => {
  const sent = days.reduce((sum, day) => sum + day.sent, 0);
  const last = days.at(-1);
  const held = (last?.staged ?? 0) + (last?.stored ?? 0);
  if (held !== sent) throw new Error(`${sent} samples were sent, ${held} rows stand in staging and Parquet`);
};

/**
 * Staging over a month that ends yesterday: each day the service is started with its clock at 20:00 UTC of that day, gets
 * what was recorded since the evening before, and comes to rest. Kafka, Postgres and the object store keep the real time.
 */
export const benchMonth = (bench: MonthBench): Promise<MonthDay[]> =>
  inPlace(bench, async (place) => {
    await setUp(connect(readConfig(place.env), "bench"), () => undefined);
    const today = Math.floor(Date.now() / DAY);
    const first = today - bench.days - 1;
    const given = samplesOf(bench, dateOf(first - 1));
    const days: MonthDay[] = [];
    for (let n = 0; n < bench.days; n += 1) {
      const day = await oneDay(place, (first + n) * DAY + HOUR, given);
      bench.say(`${day.date}: ${day.staged} staged, ${day.stored} in Parquet, after ${day.seconds.toFixed(1)} s`);
      days.push(day);
    }
    verify(days);
    return days;
  });
