import { tombstoneIds } from "../domain/copies.ts";
import { dayEnd, possibleDates } from "../domain/local-day.ts";
import { liveSamples, twinKey, unseenContent } from "../domain/merge.ts";
import type { Digest, Instant, LocalDate, Sample, TwinKey } from "../domain/sample.ts";
import { touchedDates } from "../domain/window.ts";
import type { PaneFacts, Pointer } from "./facts.ts";
import { type Restaged, asReadNow, heldIn, restaged } from "./moves.ts";
import { type PartitionObject, daysOfMonths, gatheredMonths } from "./months.ts";
import { type Results, decideResults } from "./results.ts";

/** A day of another window that this pane changes, and that must fire again for it. */
export type Dirtied = { date: LocalDate; closes_at: Instant };

export type Adopted = { sample_id: string; twin_key: TwinKey; start_at: Instant };

export type PaneDecision = Results & {
  objects: PartitionObject[];
  /** Pointers of days and months that have no row left. */
  removed: Pointer[];
  adopted: Adopted[];
  /** Content of deleted rows in hand that their tombstones do not know yet: their twins are known by it (D10). */
  seen: Adopted[];
  dirtied: Dirtied[];
  restaged: Restaged;
  /** Zones that stored rows came to by the athlete's settings. */
  zones: string[];
};

/** A stored row and the day whose object holds it, which need not be its date any more (`asReadNow`). */
type Place = { date: LocalDate; row: Sample };

/** Answers the same for equal rows in the order of the file. */
export type RowsHash = (rows: readonly Sample[]) => string;

const byDate = (samples: readonly Sample[]): Map<LocalDate, Sample[]> => {
  const days = new Map<LocalDate, Sample[]>();
  for (const sample of samples) {
    const day = days.get(sample.local_date);
    if (day) day.push(sample);
    else days.set(sample.local_date, [sample]);
  }
  return days;
};

/** Rows in the objects of all days but these. */
const storedBeside = (facts: PaneFacts, days: ReadonlySet<LocalDate>): Place[] =>
  facts.stored
    .filter(({ pointer }) => !days.has(pointer.period_start))
    .flatMap(({ pointer, rows }) => rows.map((row) => ({ date: pointer.period_start, row })));

/**
 * Stored copies, in days that do not fire here, of ids that now live in a closing day: their day must lose them in
 * the same transaction, so that no id stands in two objects (architecture §2).
 */
const lostCopies = (facts: PaneFacts, closing: ReadonlySet<LocalDate>, days: Map<LocalDate, Sample[]>): Place[] => {
  const beside = storedBeside(facts, closing);
  if (beside.length === 0) return [];
  const taken = new Set([...closing].flatMap((date) => (days.get(date) ?? []).map((row) => row.sample_id)));
  return beside.filter(({ row }) => taken.has(row.sample_id));
};

/**
 * Rows in objects of days that do not fire here, whose id is deleted: the deletion may have met another copy of it in
 * staging, so that nobody searched for this one. Their days fire, and lose them.
 */
const deadElsewhere = (facts: PaneFacts): Place[] => {
  if (facts.tombstones.length === 0) return [];
  const dead = new Set(facts.tombstones.map((stone) => stone.sample_id));
  const firing = new Set(facts.days.map((day) => day.date));
  return storedBeside(facts, firing).filter(({ row }) => tombstoneIds(row).some((id) => dead.has(id)));
};

const decideDay = (
  date: LocalDate,
  rows: readonly Sample[],
  facts: PaneFacts,
  rowsHash: RowsHash,
): { object?: PartitionObject; removed?: Pointer } => {
  const replaces = facts.stored.find(({ pointer }) => pointer.period_start === date)?.pointer ?? null;
  if (rows.length === 0) return replaces ? { removed: replaces } : {};
  const hash = rowsHash(rows);
  if (replaces?.rows_hash === hash) return {};
  return { object: { period_start: date, period_end: date, level: "day", rows, rows_hash: hash, replaces } };
};

/**
 * A row that was staged while its deletion was under way in another lane is dropped here, unseen by both: this is the
 * last chance to note what it was.
 */
const seenContent = (facts: PaneFacts, hand: readonly Sample[], digest: Digest): Adopted[] =>
  unseenContent(facts.tombstones, hand, digest).map((row) => ({
    sample_id: row.sample_id,
    twin_key: twinKey(row),
    start_at: row.start_at,
  }));

/** Days that must fire for what this pane finds or does: those that hold such rows, and those that read them. */
const dirtiedDays = (
  facts: PaneFacts,
  of: {
    closing: ReadonlySet<LocalDate>;
    hand: readonly Sample[];
    lost: readonly Place[];
    moved: readonly Sample[];
    /** Rows that mean something else now, before and after. */
    reread: readonly Sample[];
  },
): Dirtied[] => {
  const dirtied = new Map<LocalDate, Dirtied>();
  const touch = (date: LocalDate, zone: string): void => {
    if (!of.closing.has(date)) dirtied.set(date, { date, closes_at: dayEnd(date, zone) });
  };
  const moved = new Set(of.moved.map((row) => row.sample_id));
  for (const { date, row } of storedBeside(facts, of.closing)) if (moved.has(row.sample_id)) touch(date, row.tz);
  for (const row of of.moved) touch(row.local_date, row.tz);
  for (const { date, row } of deadElsewhere(facts)) touch(date, row.tz);
  const zones = [...new Set(of.hand.map((sample) => sample.tz))];
  for (const { date, row } of of.lost) {
    touch(date, row.tz);
    for (const read of touchedDates(row, zones)) touch(read, row.tz);
  }
  for (const row of of.reread) for (const read of touchedDates(row, zones)) touch(read, row.tz);
  return [...dirtied.values()];
};

/**
 * What the pane changes: a pure function of its facts, so that neither the order of arrival nor the split of rows
 * between staging and Parquet can matter (I3). Early days only get sessions and metrics; closing and late days also get their
 * object and sleep streams. Equal content decides nothing.
 */
export const decidePane = (read: PaneFacts, tools: { digest: Digest; rowsHash: RowsHash }): PaneDecision => {
  const closing = new Set(read.days.filter((day) => day.pane !== "early").map((day) => day.date));
  const asDays = daysOfMonths(read.stored);
  const { facts, zones, reread } = asReadNow({ ...read, stored: asDays }, closing);
  const hand = [...facts.staged, ...facts.stored.flatMap(({ rows }) => rows)];
  const { live, adopted } = liveSamples(hand, facts.tombstones, tools.digest);
  const days = byDate(live);
  const lost = lostCopies(facts, closing, days);
  const losing = new Set(lost.map(({ date }) => date));
  // Twins share their second, but not always their date: whoever closes a date the pair may have writes it down.
  const mine = adopted.filter(({ sample }) => possibleDates(sample.start_at).some((date) => closing.has(date)));
  const back = restaged(facts, live, { closing, losing });
  const decision: PaneDecision = {
    objects: [],
    removed: [],
    ...decideResults(facts, live, tools.digest),
    adopted: mine.map(({ sample, twin_key }) => ({
      sample_id: sample.sample_id,
      twin_key,
      start_at: sample.start_at,
    })),
    seen: seenContent(facts, hand, tools.digest),
    dirtied: dirtiedDays(facts, {
      closing,
      hand,
      lost,
      moved: [...mine.map(({ sample }) => sample), ...back.rows],
      reread,
    }),
    restaged: back,
    zones,
  };
  for (const date of new Set([...closing, ...losing])) {
    const rows = days.get(date) ?? [];
    const held = closing.has(date) ? null : heldIn(facts, date);
    const mine = held === null ? rows : rows.filter((row) => held.has(row.sample_id));
    const { object, removed } = decideDay(date, mine, facts, tools.rowsHash);
    if (object) decision.objects.push(object);
    if (removed) decision.removed.push(removed);
  }
  return { ...decision, ...gatheredMonths(decision, { stored: read.stored, days: asDays }, tools.rowsHash) };
};
