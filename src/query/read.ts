import { tombstoneIds } from "../domain/copies.ts";
import { DAY, epochDay, possibleDates } from "../domain/local-day.ts";
import { liveSamples } from "../domain/merge.ts";
import { rezone } from "../domain/rezone.ts";
import type { AthleteSettings, Digest, Instant, LocalDate, Sample, Tombstone } from "../domain/sample.ts";
import { readAthlete } from "../flow/athletes.ts";
import { ObjectMissing, type Database, type ObjectStore, type ParquetFormat } from "../flow/ports.ts";
import { readTombstones, readPointers, readStaged, readTombstonesOf, type Pointer } from "./sql.ts";

/** A sample may be this long (D5), so one that reaches into a range may have begun this much earlier. */
const LONGEST = 4 * DAY;
/** Twins agree to the second (D10): one of them may lie just outside. */
const TWIN = 1000;
/** How far before its local date (UTC+14) a row's start can lie, with a margin of the longest sample. */
const BEFORE_ITS_DATE = LONGEST + DAY;
const CONCURRENCY = 8;
const TRIES = 5;

export type ReadDeps = {
  db: Database;
  objects: Pick<ObjectStore, "get" | "getRange">;
  parquet: Pick<
    ParquetFormat,
    "decodeDay" | "decodeMetric" | "decodeRange" | "metricRange" | "decodeSeries" | "seriesRange"
  >;
  digest: Digest;
  /** Collects the athlete's versions that were read: more than one, and an answer is of several moments. */
  versions?: Set<number>;
  /** Rows of months that one request has decoded already: the pieces that it reads in overlap. */
  recent?: Map<string, Sample[]>;
};

export type SeriesRequest = {
  athlete_id: string;
  /** Null: all of them. */
  metric: string | null;
  from: Instant;
  /** Exclusive. */
  to: Instant;
  /** Stop reading objects once so many rows are certain: for pages. */
  enough?: number;
};

/** Live samples that overlap [from, to), by start, end, id. `until`: complete up to this start; `to` if to the end. */
export type Series = { live: Sample[]; until: Instant };

type Plan = {
  version: number;
  settings: AthleteSettings;
  staged: Sample[];
  pointers: Pointer[];
  tombstones: Tombstone[];
};
type Range = { from: Instant; to: Instant; reach: Instant; first: LocalDate; last: LocalDate };

const rangeOf = (request: SeriesRequest): Range => {
  const from = request.from - TWIN;
  const to = request.to + TWIN;
  const first = possibleDates(from)[0] as LocalDate;
  return { from, to, reach: from - LONGEST, first, last: possibleDates(to).at(-1) as LocalDate };
};

/** Pointers, staging and tombstones of one moment (I8): a pane that moves rows in between is seen whole or not at all. */
const readPlan = async (db: Database, athleteId: string, metric: string | null, range: Range): Promise<Plan> =>
  db.snapshot(async (tx) => {
    const athlete = await readAthlete(tx, athleteId);
    const staged = await readStaged(tx, athleteId, metric, range);
    const pointers = await readPointers(tx, athleteId, metric, { ...range, alone: staged.length === 0 });
    return { ...athlete, staged, pointers, tombstones: await readTombstones(tx, athleteId, range) };
  });

/** Rows that start before this are complete once every object before `next` is read. */
const horizonOf = (next: Pointer | undefined, to: Instant): Instant =>
  next === undefined ? to : Math.min(to, epochDay(next.period_start) * DAY - BEFORE_ITS_DATE);

/** A piece of a series reaches into so many months at most, and the next piece into the last of them again. */
const RECENT_MONTHS = 3;

/** Of a month one request for the part that holds the metric; everything else is small enough to be read whole. */
const readObject = async (
  deps: ReadDeps,
  { object_key, footer }: Pointer,
  metric: string | null,
): Promise<Sample[]> => {
  const { objects, parquet } = deps;
  if (metric === null) return parquet.decodeDay(await objects.get(object_key));
  if (footer === null) return parquet.decodeMetric(await objects.get(object_key), metric);
  const known = deps.recent?.get(object_key);
  if (known) return known;
  const range = parquet.metricRange(footer, metric);
  if (range === null) return [];
  const part = { bytes: await objects.getRange(object_key, range), from: range.from };
  const rows = parquet.decodeRange(footer, part, metric);
  deps.recent?.set(object_key, rows);
  for (const oldest of deps.recent?.keys() ?? []) {
    if ((deps.recent?.size ?? 0) <= RECENT_MONTHS) break;
    deps.recent?.delete(oldest);
  }
  return rows;
};

/** Rows of the range, as staging was asked for them; and copies of staged ones, which may be told apart by them (D6). */
const concerning = ({ staged }: Plan, { from, to, reach }: Range): ((row: Sample) => boolean) => {
  const ids = new Set(staged.map((row) => row.sample_id));
  return (row) => (row.start_at >= reach && row.start_at < to && row.end_at >= from) || ids.has(row.sample_id);
};

/** Reads objects in order of their days, a few at a time. Throws ObjectMissing. */
const readObjects = async (
  deps: ReadDeps,
  plan: Plan,
  request: SeriesRequest,
): Promise<{ rows: Sample[]; until: Instant }> => {
  const rows: Sample[] = [];
  const concerns = concerning(plan, rangeOf(request));
  let at = 0;
  let until = horizonOf(plan.pointers[0], request.to);
  while (at < plan.pointers.length) {
    const wave = plan.pointers.slice(at, at + CONCURRENCY);
    const read = await Promise.all(wave.map((pointer) => readObject(deps, pointer, request.metric)));
    // An object keeps its rows as they were when it was written; staged rows move with the settings.
    for (const some of read) for (const row of some) if (concerns(row)) rows.push(rezone(row, plan.settings));
    at += wave.length;
    until = horizonOf(plan.pointers[at], request.to);
    const certain = rows.filter((row) => row.start_at < until && row.end_at >= request.from).length;
    // Twins and copies may halve what is certain, never more.
    if (request.enough !== undefined && certain > 2 * request.enough) break;
  }
  return { rows, until };
};

/** A renamed copy (D6, `conflict`) dies with the id it was sent under, whose tombstone may lie at any other time. */
const tombstonesOfRenamed = async (
  deps: ReadDeps,
  athleteId: string,
  rows: readonly Sample[],
): Promise<Tombstone[]> => {
  const ids = rows.flatMap((row) => tombstoneIds(row).filter((id) => id !== row.sample_id));
  return ids.length === 0 ? [] : readTombstonesOf(deps.db, athleteId, ids);
};

const overlaps = (sample: Sample, from: Instant, to: Instant): boolean =>
  sample.start_at < to && (sample.end_at > from || sample.start_at >= from);

/**
 * One metric (or all) of one athlete over staging and objects alike, copies, deletions and twins resolved: never a gap, never a
 * double (I8). An object that is gone was superseded since the snapshot: plan again, a bounded number of times.
 */
export const readSeries = async (deps: ReadDeps, request: SeriesRequest): Promise<Series> => {
  const range = rangeOf(request);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const plan = await readPlan(deps.db, request.athlete_id, request.metric, range);
      deps.versions?.add(plan.version);
      const { rows, until } = await readObjects(deps, plan, request);
      const all = [...plan.staged, ...rows];
      const more = await tombstonesOfRenamed(deps, request.athlete_id, all);
      const { live } = liveSamples(all, [...plan.tombstones, ...more], deps.digest);
      const end = Math.min(until, request.to);
      return {
        live: live.filter((sample) => overlaps(sample, request.from, request.to) && sample.start_at < end),
        until,
      };
    } catch (error) {
      if (!(error instanceof ObjectMissing) || attempt === TRIES) throw error;
    }
  }
};
