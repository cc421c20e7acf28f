import { Command, InvalidArgumentError } from "commander";
import { isAthleteId } from "../domain/ids.ts";
import type { Clock, Database, LogInfo } from "../flow/ports.ts";
import { pause } from "../flow/retry.ts";
import type { TopicName, TopicNames } from "../flow/topics.ts";
import { createTimeLeft } from "./time-left.ts";
import { isQuiet, pendingText, readEnds, readPending, type Ends, type Pending } from "./wait-conditions.ts";

const INPUTS = ["samples", "sleep", "backfill", "batches", "deadletter"] as const;
export const STAGING_GROUP = "staging";

export type WaitDeps = {
  db: Database;
  logInfo: LogInfo;
  clock: Clock;
  topics: TopicNames;
  /** WINDOW_GRACE in ms: a day is due this long after its close. */
  grace: number;
  /** A cause that passes: the question is asked again. */
  isTransient: (error: unknown) => boolean;
  group?: string;
};

export type WaitOptions = {
  athlete?: string;
  /** Milliseconds. */
  timeout: number;
  signal?: AbortSignal;
  onProgress?: (pending: Pending) => void;
  /** Kafka or Postgres gave no answer; they are asked again until the time is up. */
  onAway?: (error: unknown) => void;
  everyMs?: number;
};

/** Something accepted was still under way when the time was up; `pending` says what. */
export class NotQuiet extends Error {
  readonly pending: Pending;

  constructor(pending: Pending, timeout: number) {
    super(
      `still under way after ${Math.round(timeout / 1000)} s: ${pendingText(pending)}. ` +
        "Is a worker running (`health-sync serve`)? `health-sync positions show` says how far staging is",
    );
    this.pending = pending;
  }
}

/**
 * Resolves when nothing that was accepted before the call is still under way: positions have reached the ends read at
 * the start, due windows have fired, deletions are resolved, the outbox is empty; all true in one snapshot. Dead
 * letters come about on the way and travel through a topic of their own, so its end is read once more at the end.
 * Throws NotQuiet when the time is up, or why there was no answer.
 */
export const waitForQuiet = async (deps: WaitDeps, options: WaitOptions): Promise<Pending> => {
  const started = deps.clock.now();
  const isOver = (): boolean => options.signal?.aborted === true || deps.clock.now() - started >= options.timeout;
  const nextLook = (): Promise<void> => pause(options.everyMs ?? 250, options.signal);
  const answer = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!deps.isTransient(error) || isOver()) throw error;
        options.onAway?.(error);
        await nextLook();
      }
    }
  };
  const endsOf = (...names: readonly TopicName[]): Promise<Ends> =>
    answer(() => readEnds(deps.logInfo, names.map(deps.topics)));

  const ends = await endsOf(...INPUTS);
  let lettersRead = false;
  for (;;) {
    const pending = await answer(() =>
      deps.db.snapshot((tx) =>
        readPending(tx, {
          group: deps.group ?? STAGING_GROUP,
          ends,
          athlete: options.athlete ?? null,
          now: deps.clock.now(),
          grace: deps.grace,
        }),
      ),
    );
    options.onProgress?.(pending);
    if (isQuiet(pending)) {
      if (lettersRead) return pending;
      lettersRead = true;
      for (const [place, end] of await endsOf("deadletter")) ends.set(place, end);
      continue;
    }
    if (isOver()) throw new NotQuiet(pending, deps.clock.now() - started);
    await nextLook();
  }
};

/**
 * What is under way, and how long it takes where that is known. Windows come about while records are staged, so that
 * their time is known afterwards; in steps of five seconds, which is more than anybody knows.
 */
export const createProgress = () => {
  const left = { records: createTimeLeft(), windows: createTimeLeft() };
  return (now: number, pending: Pending): string => {
    const toStage = left.records(now, pending.records);
    const toFire = left.windows(now, pending.windows);
    const seconds = pending.records > 0 ? toStage : toFire;
    if (seconds === null || seconds === 0) return pendingText(pending);
    const about = Math.ceil(seconds / 5) * 5;
    return `${pendingText(pending)}; about ${about} s until ${pending.records > 0 ? "all is staged" : "all has fired"}`;
  };
};

const athleteOption = (id: string): string => {
  if (!isAthleteId(id)) {
    throw new InvalidArgumentError("1 to 64 letters, digits, _ or -, starting with a letter or digit");
  }
  return id;
};

/** Whole or decimal seconds, in milliseconds. */
const secondsOption = (text: string): number => {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError("seconds, for instance 300");
  return seconds * 1000;
};

export type CommandOutput = {
  /** A line of the answer, on stdout. */
  print: (line: string) => void;
  /** What is going on, on a terminal's stderr only. */
  progress: (line: string) => void;
};

/** `health-sync wait`. Exit code 1 and what is under way when the time is up. */
export const waitCommand = (deps: CommandOutput & { open: () => Promise<WaitDeps & { close(): Promise<void> }> }) =>
  new Command("wait")
    .description("return when nothing accepted so far is still under way")
    .option("--athlete <id>", "wait for the windows, deletions and events of this athlete only", athleteOption)
    .option("--timeout <seconds>", "give up after this long", secondsOption, 600_000)
    .option("--json", "print the answer as JSON")
    .action(async (options: { athlete?: string; timeout: number; json?: true }) => {
      const opened = await deps.open();
      try {
        let last = "";
        const progress = createProgress();
        const onProgress = (pending: Pending): void => {
          const text = progress(opened.clock.now(), pending);
          if (text !== last) deps.progress(`under way: ${text}`);
          last = text;
        };
        const onAway = (error: unknown): void => {
          deps.progress(`no answer, asking again: ${error instanceof Error ? error.message : String(error)}`);
        };
        const { athlete, timeout } = options;
        await waitForQuiet(opened, { timeout, onProgress, onAway, ...(athlete === undefined ? {} : { athlete }) });
        deps.print(options.json ? JSON.stringify({ quiet: true }) : "nothing is under way");
      } finally {
        await opened.close();
      }
    });
