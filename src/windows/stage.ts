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
import { dueDays } from "./look.ts";
import { type PaneDeps, firePanes } from "./pane.ts";
import { noteUnknownObjects, sweep } from "./sweeper.ts";

export type WindowsStageDeps = WindowsDeps & {
  appliedPast: AppliedPast;
  isTransient: (error: unknown) => boolean;
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
const COALESCE_MS = 50;
const LIST_MS = 86_400_000;
/** Of one athlete in one round, so that a long backfill does not keep others waiting for the next round. */
const JOBS_A_ROUND = 4;

type Trouble = { attempt: number; until: number };

/** Facts that keep moving are no bug either: another worker or an edit was faster, several times in a row. */
const willPass = (deps: WindowsStageDeps, error: unknown): boolean =>
  error instanceof StartOver || error instanceof ObjectMissing || deps.isTransient(error);

const sweepEvery = (deps: WindowsStageDeps): number => Math.min(600_000, Math.max(1_000, deps.config.sweep_grace / 4));

/** One athlete's share of a round; trouble that will pass puts this athlete aside for a while, nobody else. */
const createAthleteWork = (deps: WindowsStageDeps, paneDeps: PaneDeps) => {
  const troubles = new Map<string, Trouble>();
  return async (athleteId: string, work: { days: DueDay[]; deletions: number | null }): Promise<number> => {
    const trouble = troubles.get(athleteId);
    if (trouble && deps.clock.now() < trouble.until) return 0;
    try {
      let done = 0;
      if (work.deletions !== null) done += await resolveDeletions(deps, athleteId, work.deletions);
      for (const job of jobsOf(work.days).slice(0, JOBS_A_ROUND)) done += await firePanes(paneDeps, athleteId, job);
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

/** Everybody's share of a round: `concurrency` athletes at a time, each by one worker slot. */
const createRound = (deps: WindowsStageDeps): ((partitions: readonly number[]) => Promise<number>) => {
  const turn = slots(deps.concurrency ?? 4);
  const dayObjects = createDayObjects(deps.objects, deps.parquet);
  const workOn = createAthleteWork(deps, { ...deps, dayObjects });
  return async (partitions) => {
    if (partitions.length === 0) return 0;
    const open = await athletesWithOpenDeletions(deps.db, partitions);
    const deletions = new Map(open.map((row) => [row.athlete_id, row.topic_partition ?? 0]));
    const due = await dueDays(deps, partitions);
    const athletes = [...new Set([...deletions.keys(), ...due.keys()])];
    const done = await Promise.allSettled(
      athletes.map((athlete) =>
        turn(() => workOn(athlete, { days: due.get(athlete) ?? [], deletions: deletions.get(athlete) ?? null })),
      ),
    );
    let count = 0;
    for (const result of done) {
      if (result.status === "rejected") throw result.reason;
      count += result.value;
    }
    return count;
  };
};

/** What is not panes: sweeping, and the rare listing by one worker. */
const createChores = (deps: WindowsStageDeps) => {
  const next = { sweep: 0, list: deps.clock.now() + LIST_MS };
  return async (partitions: readonly number[]): Promise<void> => {
    const now = deps.clock.now();
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

/** The windowed stage: the one writer of objects, pointers and computed athlete metrics (architecture §1, §3). */
export const createWindowsStage = (deps: WindowsStageDeps): WindowsStage => {
  let owned: readonly number[] = [];
  let sleeping: AbortController | null = null;
  let woken = false;
  const round = createRound(deps);
  const chores = createChores(deps);
  const wake = (): void => {
    woken = true;
    sleeping?.abort();
  };
  const rest = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    // Many wake-ups at once are one.
    await pause(COALESCE_MS, signal);
    sleeping = new AbortController();
    if (!woken) await pause(milliseconds, AbortSignal.any([signal, sleeping.signal]));
    sleeping = null;
    woken = false;
  };
  return {
    own: (partitions) => {
      owned = [...partitions];
      wake();
    },
    wake,
    fireDue: () => round(owned),
    run: async (signal) => {
      for (let attempt = 0; !signal.aborted;) {
        try {
          const done = await round(owned);
          await chores(owned);
          attempt = 0;
          if (done === 0) await rest(POLL_MS, signal);
        } catch (error) {
          if (!willPass(deps, error)) throw error;
          deps.telemetry.warn("windows_put_off", { attempt, error: String(error) });
          attempt += 1;
          await pause(backOff(attempt, Math.random()), signal);
        }
      }
    },
  };
};
