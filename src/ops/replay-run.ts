import { Runner } from "../flow/runner.ts";
import type { Clock, Database, GroupConsumer, LogInfo, OnStep, Telemetry } from "../flow/ports.ts";
import { pause } from "../flow/retry.ts";
import type { AnyStage } from "../flow/stage.ts";
import { rangedConsumer, rangedLog } from "./replay-consumer.ts";
import { createPace } from "./replay-pace.ts";
import { recordsIn } from "./replay-plan.ts";
import * as store from "./replay-store.ts";

export type ReplayRunDeps = {
  db: Database;
  clock: Clock;
  logInfo: LogInfo;
  telemetry: Telemetry;
  onStep: OnStep;
  isTransient: (error: unknown) => boolean;
  /** Names this run among all, ever. */
  owner: string;
  deadLetterTopic: string;
  consumer: (of: { group: string; topics: string[] }) => GroupConsumer;
  /** By topic, for what was selected; `taken` is told of each record that is applied. */
  stages: (selection: store.Selection, taken: () => void) => ReadonlyMap<string, AnyStage>;
};

/** How far a replay is. Times in ms of this process; `applied` and `tally` are what it did. */
export type ReplayStatus = {
  id: string;
  done: number;
  total: number;
  /** Where this process began. */
  began: number;
  ms: number;
  tally: Record<string, number>;
  /** Kafka or Postgres is away. */
  waiting: boolean;
};

/** `taken_over`: another process runs it now. */
export type ReplayEnd = { outcome: "done" | "paused" | "cancelled" | "taken_over"; status: ReplayStatus };

const POLL_MS = 500;

/** The runner's lines, as a tally; the command line shows its own progress. */
const tallying = (telemetry: Telemetry, tally: Record<string, number>): Telemetry => ({
  ...telemetry,
  info: (event, fields) => {
    if (event !== "applied") return;
    for (const [fate, n] of Object.entries(fields["tally"] as Record<string, number>)) {
      tally[fate] = (tally[fate] ?? 0) + n;
    }
  },
});

type Told = { signal: AbortSignal; onProgress: (status: ReplayStatus) => void };

/** Pausing needs no answer: without a sign of life anybody may go on with it. */
const pauseAnyway = (deps: ReplayRunDeps, id: string): Promise<void> =>
  store.setState(deps.db, id, "paused", deps.clock.now()).catch(() => undefined);

/** One look: the end of it, or null while it runs. */
const look = async (deps: ReplayRunDeps, status: ReplayStatus): Promise<ReplayEnd["outcome"] | null> => {
  const { db, clock, owner } = deps;
  const state = await store.keepAlive(db, status.id, { owner, tally: status.tally, now: clock.now() });
  status.done = (await store.readPlaces(db, status.id)).reduce((sum, place) => sum + place.position - place.from, 0);
  if (state === null) return "taken_over";
  if (state !== "running") return state;
  return status.done >= status.total ? "done" : null;
};

/** Looks after a running replay until it ends: signs of life, progress, and what others decided about it. */
const follow = async (
  deps: ReplayRunDeps,
  status: ReplayStatus,
  told: Told & { ending: AbortSignal },
): Promise<ReplayEnd["outcome"]> => {
  const started = deps.clock.now();
  while (!told.signal.aborted && !told.ending.aborted) {
    try {
      const end = await look(deps, status);
      if (end !== null) return end;
      status.waiting = false;
    } catch (error) {
      if (!deps.isTransient(error)) throw error;
      status.waiting = true;
    }
    status.ms = deps.clock.now() - started;
    told.onProgress(status);
    await pause(POLL_MS, AbortSignal.any([told.signal, told.ending]));
  }
  await pauseAnyway(deps, status.id);
  return "paused";
};

/** Nothing is applied any more when this returns or throws. */
const untilEnd = async (
  runner: Runner,
  { failed, ending }: { failed: Promise<never>; ending: AbortController },
  watch: (ending: AbortSignal) => Promise<ReplayEnd["outcome"]>,
): Promise<ReplayEnd["outcome"]> => {
  let watching: Promise<unknown> = Promise.resolve();
  try {
    await runner.start();
    const watched = watch(ending.signal);
    watching = watched.catch(() => undefined);
    return await Promise.race([watched, failed]);
  } finally {
    ending.abort();
    await Promise.all([runner.stop(), watching]);
  }
};

/**
 * Runs a replay, from where it was left, until its ranges are read, it is paused or cancelled by anybody, or the signal
 * pauses it: staging's stages under positions of the replay's own. Throws a Refusal where its position is gone from the
 * log, and what ends a worker.
 */
export const runReplay = async (deps: ReplayRunDeps, id: string, told: Told): Promise<ReplayEnd> => {
  const { db, clock } = deps;
  const { selection, rate } = await store.claimReplay(db, id, deps.owner, clock.now());
  const places = await store.readPlaces(db, id);
  const done = places.reduce((sum, place) => sum + place.position - place.from, 0);
  const status = { id, done, total: recordsIn(places), began: done, ms: 0, tally: {}, waiting: false };
  const ending = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const pace = createPace(rate, clock, ending.signal);
  const read = new Set(places.map((place) => place.topic));
  const stages = new Map([...deps.stages(selection, () => pace.take())].filter(([topic]) => read.has(topic)));
  const group = store.replayGroup(id);
  // Where most records are skipped, a small batch would only make the skipping slow.
  const burst = rate === null || selection.athletes ? Infinity : Math.max(1, Math.ceil(rate));
  const runner = new Runner({
    ...deps,
    group,
    consumer: rangedConsumer(deps.consumer({ group, topics: [...stages.keys()] }), places, burst),
    log: rangedLog(deps.logInfo, places),
    stages,
    slot: () => pace.slot,
    telemetry: tallying(deps.telemetry, status.tally),
    fatal: failed.reject,
  });
  const outcome = await untilEnd(runner, { failed: failed.promise, ending }, (signal) =>
    follow(deps, status, { ...told, ending: signal }),
  );
  if (outcome === "done") await store.setState(db, id, "done", clock.now());
  if (outcome === "cancelled") await store.forgetPositions(db, id);
  return { outcome, status };
};
