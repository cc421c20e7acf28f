import { methodsOf, ruleName, samplesOfMethod } from "../domain/explain/rules.ts";
import { CHOICES, type Rules } from "../domain/history/rules.ts";
import type { LocalDate } from "../domain/sample.ts";
import { lockAthlete } from "../flow/athletes.ts";
import type { Clock, Database, Tx } from "../flow/ports.ts";
import { pause } from "../flow/retry.ts";

/** What to compute anew; null: no bound. `rule` by name, with or without its version: days that it has to do with. */
export type Selection = {
  athletes: readonly string[] | null;
  from: LocalDate | null;
  to: LocalDate | null;
  rule: string | null;
};

/** The version that a selection asks for, of a rule that has several; null where it asks for none. */
export const chosenVersion = ({ rule }: Selection): string | null =>
  rule !== null && CHOICES.includes(rule) ? rule : null;

/** Throws for a version that is not in force: what it would change can only be looked at. */
export const checkInForce = (selection: Selection, rules: Rules): void => {
  const version = chosenVersion(selection);
  if (version === null || Object.values(rules).some((method) => method === version)) return;
  throw new Error(
    `${version} is not in force: look at what it would change with --dry-run, then set RULES=${version} for the workers ` +
      "and for this command",
  );
};

export type AthleteDays = { athlete_id: string; days: number };

/** Days marked in one transaction. */
const AT_ONCE = 50;

/** Windows of a selection, but for the athlete; parameters from $2. Days that a rule made values of, or could. */
const SELECTED = `($2::date is null or w.local_date >= $2) and ($3::date is null or w.local_date <= $3)
  and ($4::text[] is null
    or exists (select 1 from athlete_metrics m
      where m.athlete_id = w.athlete_id and m.date = w.local_date and m.method = any($4))
    or exists (select 1 from health_streams h
      where h.athlete_id = w.athlete_id and h.stats ?| $5::text[]
        and h.period_start <= w.local_date + 1 and h.period_end >= w.local_date - 2))`;

const bounds = ({ from, to, rule }: Selection): unknown[] => {
  // Values of any version: another one is to take their place.
  const methods = rule === null ? null : methodsOf(ruleName(rule));
  return [from, to, methods, (methods ?? []).flatMap(samplesOfMethod)];
};

/** Whose days are selected, and how many of each; of nobody who has none. */
export const selectedDays = async (db: Database, selection: Selection): Promise<AthleteDays[]> =>
  db.query<AthleteDays>(
    `select w.athlete_id, count(*) as days from windows w
     where ($1::text[] is null or w.athlete_id = any($1)) and ${SELECTED}
     group by w.athlete_id order by w.athlete_id`,
    [selection.athletes, ...bounds(selection)],
  );

type Next = { athlete_id: string; after: LocalDate | null; now: number };
type Marked = { last: LocalDate; days: number };

/**
 * Marks the next of an athlete's days, oldest first, after a date: they fire again, and their stored samples are read
 * again as they were sent. Under the athlete's lock, windows in the order of their dates, as everybody takes them.
 * Answers the last date marked and how many; null where there are no more.
 */
const markSome = async (tx: Tx, of: Next, selection: Selection): Promise<Marked | null> => {
  await lockAthlete(tx, of.athlete_id);
  const rows = await tx.query<{ local_date: LocalDate }>(
    `select w.local_date from windows w
     where w.athlete_id = $1 and ${SELECTED} and ($6::date is null or w.local_date > $6)
     order by w.local_date limit ${AT_ONCE} for update of w`,
    [of.athlete_id, ...bounds(selection), of.after],
  );
  const last = rows.at(-1)?.local_date;
  if (last === undefined) return null;
  // A day that is over takes the slow lane: it waits until all of the athlete's days are marked.
  await tx.query(
    `update windows set dirty = dirty + 1, reason = 'recompute', touched_at = $3,
       lane = case when closed_at is null then lane else 'backfill' end
     where athlete_id = $1 and local_date = any($2::date[])`,
    [of.athlete_id, rows.map((row) => row.local_date), new Date(of.now)],
  );
  tx.announce("windows");
  return { last, days: rows.length };
};

export type MarkOptions = {
  /** Days a second at most, so that live data goes on; null: no limit. */
  rate: number | null;
  onProgress?: (marked: number) => void;
  signal?: AbortSignal;
};

/** Marks every day of an athlete that is selected; answers how many. Stops between two transactions at the signal. */
export const markAthlete = async (
  deps: { db: Database; clock: Clock },
  athleteId: string,
  selection: Selection,
  options: MarkOptions,
): Promise<number> => {
  let marked = 0;
  let after: LocalDate | null = null;
  while (options.signal?.aborted !== true) {
    const of: Next = { athlete_id: athleteId, after, now: deps.clock.now() };
    const some: Marked | null = await deps.db.transaction((tx) => markSome(tx, of, selection));
    if (some === null) return marked;
    marked += some.days;
    after = some.last;
    options.onProgress?.(some.days);
    if (options.rate !== null) await pause((some.days / options.rate) * 1000, options.signal);
  }
  return marked;
};

/** What is still to be done of a recompute: days to fire, facts to pass on to later days, events to publish. */
export type Left = { days: number; facts: number; events: number };

const readLeft = async (db: Database, selection: Selection): Promise<Left> => {
  const [left] = await db.query<Left>(
    `select
       (select count(*) from windows w where ($1::text[] is null or w.athlete_id = any($1)) and ${SELECTED}
          and w.dirty > w.fired and w.reason = 'recompute') as days,
       (select count(*) from day_facts f
          where ($1::text[] is null or f.athlete_id = any($1)) and f.passed_hash is distinct from f.hash) as facts,
       (select count(*) from outbox o where ($1::text[] is null or o.athlete_id = any($1))) as events`,
    [selection.athletes, ...bounds(selection)],
  );
  return left ?? { days: 0, facts: 0, events: 0 };
};

const leftText = ({ days, facts, events }: Left): string =>
  `${days} days to fire, facts of ${facts} days to pass on, ${events} events to publish`;

/** Resolves when everything marked has been computed and published. Throws when the time is up, with what is left. */
export const waitForRecompute = async (
  deps: { db: Database; clock: Clock },
  selection: Selection,
  options: { timeout: number; onProgress?: (text: string) => void },
): Promise<void> => {
  const began = deps.clock.now();
  for (;;) {
    const left = await readLeft(deps.db, selection);
    if (left.days + left.facts + left.events === 0) return;
    options.onProgress?.(leftText(left));
    if (deps.clock.now() - began >= options.timeout)
      throw new Error(`still under way: ${leftText(left)}. Is a worker running (\`health-sync serve\`)?`);
    await pause(250);
  }
};
