import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { metricOfType } from "../src/domain/catalogue.ts";
import { localDate } from "../src/domain/local-day.ts";
import type { Sample } from "../src/domain/sample.ts";
import type { Database, ObjectStore } from "../src/flow/ports.ts";
import { rowsHash } from "../src/flow/rows-hash.ts";
import { openObjects } from "../src/io/objects.ts";
import { parquetFormat } from "../src/io/parquet.ts";
import { changeDays } from "../src/windows/changes.ts";
import { writtenPartition } from "../src/windows/objects-of.ts";
import { athlete, type Athlete } from "./generator/athlete.ts";
import { dateOf, dayOf } from "./generator/calendar.ts";
import { generatedDay, generatedNight, type Generated } from "./generator/day.ts";
import { inPlace, type Place, type Say } from "./place.ts";

export type Lake = {
  connections: ReturnType<typeof connect>;
  db: Database;
  /** Without a cache: what every contender reads through. */
  store: ObjectStore;
  /** The same objects as local files, by key. */
  files: ReadonlyMap<string, string>;
  days: string[];
  rows: number;
  bytes: { days: number; months: number };
};

/** Athletes of the same history, one object a day and one a month. */
export const BY_DAY = "by-day";
export const BY_MONTH = "by-month";

const sampleOf = (s: Generated, home: string, athlete_id: string): Sample => {
  const tz = s.zone ?? home;
  const metric = metricOfType(s.type);
  return {
    athlete_id,
    sample_id: s.uuid,
    metric: metric?.key ?? "",
    start_at: s.start,
    end_at: s.end,
    value: s.value,
    unit: metric?.unit ?? "",
    source: s.source.name,
    device: s.source.product_type,
    tz,
    local_date: localDate(s.start, tz),
    attributes: { created: s.created, ...(s.motion === null ? {} : { motion_context: s.motion }) },
    received_at: s.created,
  };
};

const historyOf = (who: Athlete, first: string, days: number): Map<string, Sample[]> => {
  const dates = Array.from({ length: days }, (_, at) => dayOf(first) + at);
  const samples = dates
    .flatMap((day) => [...generatedDay(who, day), ...generatedNight(who, day)])
    .map((s) => sampleOf(s, who.home, BY_DAY))
    .filter((s) => s.local_date >= first && s.local_date <= dateOf(dayOf(first) + days - 1));
  return Map.groupBy(samples, ({ local_date }) => local_date);
};

type Object = { athlete_id: string; level: "day" | "month"; first: string; last: string; rows: Sample[] };

const objectsOf = (history: ReadonlyMap<string, Sample[]>): Object[] => {
  const days = [...history].map(([date, rows]) => ({ athlete_id: BY_DAY, level: "day" as const, first: date, rows }));
  const months = [...Map.groupBy(days, ({ first }) => first.slice(0, 7)).values()].map((some) => ({
    athlete_id: BY_MONTH,
    level: "month" as const,
    first: some[0]?.first ?? "",
    last: some.at(-1)?.first ?? "",
    rows: some.flatMap(({ rows }) => rows).map((row) => ({ ...row, athlete_id: BY_MONTH })),
  }));
  return [...days.map((day) => ({ ...day, last: day.first })), ...months];
};

/** Objects and pointers as panes and roll-ups write them, without the records that would have led to them. */
const fill = async (place: Place, from: { seed: number; first: string; days: number }, folder: string) => {
  const connections = connect(readConfig(place.env), "bench");
  await setUp(connections, () => undefined);
  const db = connections.openDatabase(4);
  const objects = openObjects(connections.config.objects);
  const who = athlete(from.seed, 0, from.first);
  const history = historyOf(who, from.first, from.days);
  const files = new Map<string, string>();
  const bytes = { days: 0, months: 0 };
  await db.query(`insert into athletes (athlete_id, zones_seen) select unnest($1::text[]), array[$2]`, [
    [BY_DAY, BY_MONTH],
    who.home,
  ]);
  for (const [at, { athlete_id, level, first, last, rows }] of objectsOf(history).entries()) {
    const object = { period_start: first, period_end: last, level, rows, rows_hash: rowsHash(rows), replaces: null };
    const written = writtenPartition(parquetFormat, athlete_id, object, at + 1);
    const { key, body } = written.write;
    await objects.put(key, body);
    const of = { athlete_id, topic: connections.topics, now: Date.now() };
    await db.transaction((tx) => changeDays(tx, of, { removed: [] }, [written]));
    const file = join(folder, `${at}.parquet`);
    writeFileSync(file, body);
    files.set(key, file);
    bytes[level === "day" ? "days" : "months"] += body.length;
  }
  const days = [...history.keys()].toSorted();
  // Days at rest, as panes leave them.
  await db.query(
    `insert into windows (athlete_id, local_date, dirty, fired, closes_at, closed_at, touched_at, fired_at, lane, reason,
       topic_partition)
     select athlete, day, 1, 1, now(), now(), now(), now(), 'backfill', 'samples', 0
     from unnest($1::text[]) athlete, unnest($2::date[]) day`,
    [[BY_DAY, BY_MONTH], days],
  );
  const rows = [...history.values()].reduce((sum, some) => sum + some.length, 0);
  return { connections, db, objects, files, days, rows, bytes };
};

/** A history in Parquet on a real stack, as one object a day and as one a month, with the same bytes in local files. */
export const inLake = <T>(
  options: { stack: string | undefined; say: Say; seed: number; first: string; days: number },
  work: (lake: Lake) => Promise<T>,
): Promise<T> =>
  inPlace(options, async (place) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    options.say(`writing ${options.days} days, seed ${options.seed}`);
    const { objects, ...lake } = await fill(place, options, folder);
    try {
      return await work({ ...lake, store: objects });
    } finally {
      objects.close();
      await lake.db.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

export type Counted = { store: ObjectStore; gets: number; bytes: number };

/** Counts what is asked of a store, and adds so many milliseconds to each request. */
export const counted = (store: ObjectStore, delayMs = 0): Counted => {
  const noted = async (ask: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    if (delayMs > 0) await sleep(delayMs);
    const body = await ask();
    seen.gets += 1;
    seen.bytes += body.length;
    return body;
  };
  const seen: Counted = {
    gets: 0,
    bytes: 0,
    store: {
      ...store,
      get: (key) => noted(() => store.get(key)),
      getRange: (key, range) => noted(() => store.getRange(key, range)),
    },
  };
  return seen;
};
