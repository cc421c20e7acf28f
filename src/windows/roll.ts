import { addDays } from "../domain/local-day.ts";
import type { LocalDate, Sample } from "../domain/sample.ts";
import { lockAthlete, raiseVersion, readAthlete } from "../flow/athletes.ts";
import { StartOver, enqueueEffects, noteAndPut, settleObjects } from "../flow/commit.ts";
import { ObjectMissing } from "../flow/ports.ts";
import { rowsHash } from "../flow/rows-hash.ts";
import { changeDays } from "./changes.ts";
import type { DayObjects } from "./day-objects.ts";
import type { Pointer, WindowsDeps } from "./facts.ts";
import type { PartitionObject } from "./months.ts";
import { type Written, nextGenerations, writtenPartition } from "./objects-of.ts";
import { type Month, dayPointers, monthsToRoll } from "./roll-sql.ts";
import { disown } from "./sweeper.ts";

/** The order in which a month becomes one object, each step announced through OnStep. */
export const ROLL_STEPS = [
  "roll.read",
  "roll.noted",
  "roll.put-some",
  "roll.put",
  "roll.begun",
  "roll.checked",
  "roll.pointer-moved",
  "roll.outbox",
  "roll.intents-used",
  "roll.committed",
] as const;

/** Months in one go: each takes a good part of a second of this process (lake-layout.md). */
const AT_ONCE = 8;

type RollDeps = WindowsDeps & { dayObjects: DayObjects };
type MonthFacts = { month: Month; version: number; days: Pointer[]; rows: Sample[] };

const lastOf = (first: LocalDate): LocalDate => {
  const next = addDays(first, 31);
  return addDays(`${next.slice(0, 7)}-01`, -1);
};

/** Days of an athlete hold no id twice (architecture §2), so that a month is their rows and nothing else. */
const readMonth = async (deps: RollDeps, month: Month): Promise<MonthFacts> =>
  deps.db.snapshot(async (tx) => {
    const { version } = await readAthlete(tx, month.athlete_id);
    const days = await dayPointers(tx, month);
    const rows = await deps.dayObjects.rows(days.map((day) => day.object_key));
    return { month, version, days, rows: rows.flat() };
  });

const commitMonth = async (deps: RollDeps, { month, version, days }: MonthFacts, written: Written): Promise<void> => {
  const { athlete_id, first } = month;
  const of = { athlete_id, topic: deps.topic, now: deps.clock.now() };
  const superseded = days.map((day) => ({ key: day.object_key, athlete_id }));
  await deps.db.transaction(async (tx) => {
    await deps.onStep("roll.begun");
    if ((await lockAthlete(tx, athlete_id)) !== version) throw new StartOver("the athlete's version has moved");
    await deps.onStep("roll.checked");
    // The month takes over the row, and the topic's key, of its first day.
    const removed = days.filter((day) => day.period_start !== first);
    const gone = await changeDays(tx, of, { removed }, []);
    const events = await changeDays(tx, of, { removed: [] }, [written]);
    await deps.onStep("roll.pointer-moved");
    await enqueueEffects(tx, { events: [...gone, ...events], dead_letters: [] }, deps.topic("deadletter"));
    await deps.onStep("roll.outbox");
    await settleObjects(tx, { objects: [written.write], superseded }, deps.clock);
    await deps.onStep("roll.intents-used");
    await raiseVersion(tx, athlete_id);
  });
  await deps.onStep("roll.committed");
};

const rollMonth = async (deps: RollDeps, month: Month): Promise<boolean> => {
  const facts = await readMonth(deps, month);
  if (facts.rows.length === 0) return false;
  await deps.onStep("roll.read");
  const { athlete_id, first } = month;
  const period = { period_start: first, period_end: lastOf(first), level: "month" as const };
  const object: PartitionObject = { ...period, rows: facts.rows, rows_hash: rowsHash(facts.rows), replaces: null };
  const [generation = 0] = await nextGenerations(deps.db, 1);
  const written = writtenPartition(deps.parquet, athlete_id, object, generation);
  try {
    await noteAndPut({ ...deps, step: "roll" }, [written.write]);
    await commitMonth(deps, facts, written);
  } catch (error) {
    if (error instanceof StartOver) await disown(deps, athlete_id, [written.write.key]);
    throw error;
  }
  deps.telemetry.count("objects", { kind: "month" });
  return true;
};

/**
 * Makes one object of each month that is over and has been quiet for `config.month_quiet`: a year of history is then
 * about a dozen reads. A month that changes meanwhile is left for the next time. Answers how many were rolled.
 */
export const rollMonths = async (deps: RollDeps, partitions: readonly number[]): Promise<number> => {
  let rolled = 0;
  const since = deps.clock.now() - deps.config.month_quiet;
  for (const month of await monthsToRoll(deps.db, partitions, since, AT_ONCE)) {
    try {
      if (await rollMonth(deps, month)) rolled += 1;
    } catch (error) {
      if (!(error instanceof StartOver || error instanceof ObjectMissing)) throw error;
    }
  }
  return rolled;
};
