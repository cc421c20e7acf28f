import { ObjectMissing } from "../flow/ports.ts";
import { StartOver } from "../flow/commit.ts";
import { backOff, pause } from "../flow/retry.ts";
import { slots } from "../flow/slots.ts";
import type { AppliedPast } from "./applied.ts";
import { createDayObjects } from "./day-objects.ts";
import { resolveDeletions } from "./deletions.ts";
import { athletesWithOpenDeletions } from "./deletions-sql.ts";
import { type DueDay, jobsOf } from "./due.ts";
import type { WindowsDeps } from "./facts.ts";
import { passHistory } from "./history-pass.ts";
import { athletesWithPendingHistory } from "./history-sql.ts";
import { dueDays } from "./look.ts";
import { type PaneDeps, firePanes } from "./pane.ts";
import { rollMonths } from "./roll.ts";
import { anyUnfired } from "./sql.ts";
import { noteUnknownObjects, sweep } from "./sweeper.ts";

export type WindowsStageDeps = WindowsDeps & {
  appliedPast: AppliedPast;
  isTransient: (error: unknown) => boolean;
  /** Whether the stage is told when there is work (`wake`); where it is not, it looks often. */
  heard?: () => boolean;
  /** Athletes worked on at the same time. */
  concurrency?: number;
};

export type WindowsStage = {
  /** The topic partitions whose athletes this worker fires, from now on. Their owner before may still be at work: versions guard. */
  own(partitions: readonly number[]): void;
  /** Something was touched: look now rather than at the next poll. */
  wake(): void;
  /** Until the signal, then finishes what is under way. Throws what is neither transient nor a change of facts. */
  run(signal: AbortSignal): Promise<void>;
  /** One round over everything that is due now; answers how many windows fired and deletions were resolved. */
  fireDue(): Promise<number>;
};

const POLL_MS = 500;
/** While nothing waits to fire and news arrive: what is lost of them, and days that close, are found by then. */
const REST_MS = 5_000;
const COALESCE_MS = 50;
/** While athletes are at work, looking for more costs the database more than it brings. */
const COALESCE_BUSY_MS = 200;
const LIST_MS = 86_400_000;
const ROLL_MS = 60_000;
/** Of one athlete in one round, so that a long backfill does not keep others waiting for the next round. */
const JOBS_A_ROUND = 4;

/** Of one athlete, in one round. `deletions`: the topic partition of windows that they touch; null where none is open. */
type AthleteWork = { days: DueDay[]; deletions: number | null; history: boolean };

type Trouble = { attempt: number; until: number };

/** Facts that keep moving are no bug either: another worker or an edit was faster, several times in a row. */
const willPass = (deps: WindowsStageDeps, error: unknown): boolean =>
  error instanceof StartOver || error instanceof ObjectMissing || deps.isTransient(error);

const sweepEvery = (deps: WindowsStageDeps): number => Math.min(600_000, Math.max(1_000, deps.config.sweep_grace / 4));

/** One athlete's share of a round; trouble that will pass puts this athlete aside for a while, nobody else. */
const createAthleteWork = (deps: WindowsStageDeps, paneDeps: PaneDeps, ending: () => boolean) => {
  const troubles = new Map<string, Trouble>();
  return async (athleteId: string, work: AthleteWork): Promise<number> => {
    const trouble = troubles.get(athleteId);
    if (ending() || (trouble && deps.clock.now() < trouble.until)) return 0;
    try {
      let done = 0;
      if (work.deletions !== null) done += await resolveDeletions(deps, athleteId, work.deletions);
      for (const job of jobsOf(work.days).slice(0, JOBS_A_ROUND)) {
        if (!ending()) done += await firePanes(paneDeps, athleteId, job);
      }
      if (work.history && !ending() && (await passHistory(deps, athleteId))) done += 1;
      troubles.delete(athleteId);
      return done;
    } catch (error) {
      if (!willPass(deps, error)) throw error;
      const attempt = (trouble?.attempt ?? 0) + 1;
      troubles.set(athleteId, { attempt, until: deps.clock.now() + backOff(attempt, Math.random()) });
      deps.telemetry.warn("pane_put_off", { athlete_id: athleteId, attempt, error: String(error) });
      return 0;
    }
  };
};

/**
 * Begins the work of everybody who has some due and none under way, `concurrency` athletes at a time, and answers it:
 * how much was done. So nobody waits for another's long backlog, slow objects or deletions searched for far back.
 */
const createRound = (deps: WindowsStageDeps, ending: () => boolean) => {
  const turn = slots(deps.concurrency ?? 3);
  const dayObjects = createDayObjects(deps.objects, deps.parquet);
  const workOn = createAthleteWork(deps, { ...deps, dayObjects }, ending);
  const busy = new Set<string>();
  return async (partitions: readonly number[]): Promise<Promise<number>[]> => {
    if (partitions.length === 0) return [];
    const open = await athletesWithOpenDeletions(deps.db, partitions);
    const deletions = new Map(open.map((row) => [row.athlete_id, row.topic_partition ?? 0]));
    const due = await dueDays(deps, partitions);
    const at = { now: deps.clock.now(), grace: deps.config.grace };
    const history = new Set(await athletesWithPendingHistory(deps.db, partitions, at));
    const athletes = [...new Set([...deletions.keys(), ...due.keys(), ...history])];
    return athletes
      .filter((athlete) => !busy.has(athlete))
      .map((athlete) => {
        busy.add(athlete);
        const work = {
          days: due.get(athlete) ?? [],
          deletions: deletions.get(athlete) ?? null,
          history: history.has(athlete),
        };
        return turn(() => workOn(athlete, work)).finally(() => busy.delete(athlete));
      });
  };
};

/** Work under way: what it did wakes the stage, what failed in it ends it. */
const createUnderWay = (wake: () => void) => {
  const running = new Set<Promise<void>>();
  let bug: { error: unknown } | null = null;
  return {
    add: (work: Promise<number>): void => {
      const followed = work
        .then(
          (done) => (done > 0 ? wake() : undefined),
          (error: unknown) => {
            bug ??= { error };
            wake();
          },
        )
        .finally(() => running.delete(followed));
      running.add(followed);
    },
    size: () => running.size,
    failed: () => bug !== null,
    /** Resolves when nothing runs any more; throws what failed. */
    end: async (): Promise<void> => {
      await Promise.all(running);
      if (bug) throw bug.error;
    },
  };
};

/** What is not panes: sweeping, the rare listing by one worker, and months, which are under way beside panes. */
const createChores = (deps: WindowsStageDeps, begin: (work: Promise<number>) => void) => {
  const next = { sweep: 0, list: deps.clock.now() + LIST_MS, roll: 0 };
  const dayObjects = createDayObjects(deps.objects, deps.parquet);
  let rolling = false;
  const roll = async (partitions: readonly number[]): Promise<number> => {
    try {
      return await rollMonths({ ...deps, dayObjects }, partitions);
    } catch (error) {
      if (!willPass(deps, error)) throw error;
      deps.telemetry.warn("month_put_off", { error: String(error) });
      return 0;
    } finally {
      rolling = false;
    }
  };
  return async (partitions: readonly number[]): Promise<void> => {
    const now = deps.clock.now();
    if (now >= next.roll && !rolling && partitions.length > 0) {
      next.roll = now + ROLL_MS;
      rolling = true;
      begin(roll(partitions));
    }
    if (now >= next.list && partitions.includes(0)) {
      next.list = now + LIST_MS;
      await noteUnknownObjects(deps);
    }
    if (now >= next.sweep) {
      next.sweep = now + sweepEvery(deps);
      await sweep(deps);
    }
  };
};

const mayRest = async (deps: WindowsStageDeps, owned: readonly number[], underWay: number): Promise<boolean> =>
  underWay === 0 && deps.heard?.() === true && !(await anyUnfired(deps.db, owned));

/** The windowed stage: the one writer of objects, pointers and computed athlete metrics (architecture §1, §3). */
export const createWindowsStage = (deps: WindowsStageDeps): WindowsStage => {
  let owned: readonly number[] = [];
  let sleeping: AbortController | null = null;
  let woken = false;
  let told: AbortSignal | null = null;
  const round = createRound(deps, () => told?.aborted ?? false);
  const wake = (): void => {
    woken = true;
    sleeping?.abort();
  };
  const underWay = createUnderWay(wake);
  const chores = createChores(deps, underWay.add);
  const rest = async (signal: AbortSignal): Promise<void> => {
    // Many wake-ups at once are one.
    await pause(underWay.size() > 0 ? COALESCE_BUSY_MS : COALESCE_MS, signal);
    const long = !woken && (await mayRest(deps, owned, underWay.size()));
    sleeping = new AbortController();
    if (!woken)
      await pause(long ? Math.min(REST_MS, sweepEvery(deps)) : POLL_MS, AbortSignal.any([signal, sleeping.signal]));
    sleeping = null;
    woken = false;
  };
  return {
    own: (partitions) => {
      owned = [...partitions];
      wake();
    },
    wake,
    fireDue: async () => {
      const done = await Promise.allSettled(await round(owned));
      const failed = done.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
      return done.reduce((sum, result) => sum + (result.status === "fulfilled" ? result.value : 0), 0);
    },
    run: async (signal) => {
      told = signal;
      for (let attempt = 0; !signal.aborted && !underWay.failed();) {
        try {
          for (const work of await round(owned)) underWay.add(work);
          await chores(owned);
          attempt = 0;
          await rest(signal);
        } catch (error) {
          if (!willPass(deps, error)) throw error;
          deps.telemetry.warn("windows_put_off", { attempt, error: String(error) });
          attempt += 1;
          await pause(backOff(attempt, Math.random()), signal);
        }
      }
      await underWay.end();
    },
  };
};
