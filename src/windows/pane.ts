import { digest } from "../flow/digest.ts";
import { StartOver, noteAndPut } from "../flow/commit.ts";
import { ObjectMissing } from "../flow/ports.ts";
import { rowsHash } from "../flow/rows-hash.ts";
import { type PaneObjects, commitPane } from "./commit.ts";
import type { DayObjects } from "./day-objects.ts";
import { type PaneDecision, decidePane } from "./decide.ts";
import type { DueDay } from "./due.ts";
import type { PaneFacts, WindowsDeps } from "./facts.ts";
import { nextGenerations, writtenPartition, writtenStream } from "./objects-of.ts";
import { readFacts } from "./read.ts";
import { disown } from "./sweeper.ts";

const ATTEMPTS = 8;

export type PaneDeps = WindowsDeps & { dayObjects: DayObjects };

const encode = async (deps: PaneDeps, athleteId: string, decision: PaneDecision): Promise<PaneObjects> => {
  const { objects, streams } = decision;
  const generations = await nextGenerations(deps.db, objects.length + streams.length);
  const generation = (at: number): number => generations[at] as number;
  return {
    days: objects.map((one, at) => writtenPartition(deps.parquet, athleteId, one, generation(at))),
    streams: streams.map((one, at) => writtenStream(deps.parquet, athleteId, one, generation(objects.length + at))),
  };
};

const attempt = async (deps: PaneDeps, facts: PaneFacts, keys: string[]): Promise<void> => {
  const decision = decidePane(facts, { digest, rowsHash });
  await deps.onStep("pane.decided");
  const written = await encode(deps, facts.athlete_id, decision);
  const writes = [...written.days, ...written.streams].map(({ write }) => write);
  keys.push(...writes.map((write) => write.key));
  await noteAndPut({ ...deps, step: "pane" }, writes);
  await commitPane(deps, facts, decision, written);
  for (const { pane } of facts.days) deps.telemetry.count("panes", { pane });
  deps.telemetry.count("objects", { kind: "day" }, written.days.length);
  deps.telemetry.count("objects", { kind: "sleep" }, written.streams.length);
};

/**
 * Fires these days of one athlete: reads one snapshot, decides, writes objects, commits. Starts over when the facts
 * have moved or an object was swept; objects of an attempt that came to nothing are handed to the sweeper.
 * Answers how many windows fired.
 */
export const firePanes = async (deps: PaneDeps, athleteId: string, wanted: readonly DueDay[]): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    const keys: string[] = [];
    try {
      const began = deps.clock.now();
      const facts = await readFacts({ ...deps, grace: deps.config.grace }, athleteId, wanted);
      if (!facts) return 0;
      await deps.onStep("pane.read");
      await attempt(deps, facts, keys);
      deps.telemetry.time("pane_ms", {}, deps.clock.now() - began);
      return facts.days.length;
    } catch (error) {
      if (!(error instanceof StartOver || error instanceof ObjectMissing)) throw error;
      await disown(deps, athleteId, keys);
      if (tries === ATTEMPTS) throw error;
    }
  }
};
