import { setTimeout as sleep } from "node:timers/promises";
import type { TestContext } from "vitest";
import type { Random } from "../../../bench/generator/random.ts";
import type { Sending } from "../../../bench/generator/batches.ts";
import { sendAll } from "./fault-run.ts";
import { judged } from "./judged.ts";
import { keptWorker } from "./kept-worker.ts";
import type { Service } from "./service.ts";

/** Something that goes wrong for a while and then is over. */
export type Disturbance = {
  name: string;
  begin(): void;
  end(): void;
  /** How often it has met something: a round that disturbed nothing has shown nothing. */
  met(): number;
};

/** A fault lasts so long at least; longer until it has met something: on a busy machine nobody may come by for minutes. */
const LASTS_MS = [2500, 6000] as const;
const MET_MS = 180_000;

/**
 * One scenario on a service that goes on from earlier ones: a new worker, whose caches are empty, a fault while a slice
 * comes in, then its end, and without any help nothing may be under way after a while and the auditor find nothing.
 * By the dice the worker starts before the fault or under it.
 */
const disturbedRound = async (
  { service, dice }: { service: Service; dice: Random },
  disturbance: Disturbance,
  slice: readonly Sending[],
): Promise<void> => {
  const before = disturbance.met();
  const isWarm = dice.chance(0.5);
  const worker = keptWorker(service, disturbance.name);
  try {
    if (isWarm) await worker.ready();
    disturbance.begin();
    const sent = sendAll(service, slice);
    // What it rejects with is thrown below, where it is awaited.
    sent.catch(() => undefined);
    await sleep(dice.whole(...LASTS_MS));
    for (const until = Date.now() + MET_MS; disturbance.met() === before && Date.now() < until;) await sleep(100);
    disturbance.end();
    await sent;
    if (disturbance.met() === before) throw new Error("nothing was met by it");
    await service.wait();
  } finally {
    disturbance.end();
    await worker.stop();
  }
  await service.audit();
};

/** One round after the other on the same data, each with its slice. */
export const disturbedRounds = async (
  running: { service: Service; dice: Random },
  rounds: readonly { disturbance: Disturbance; slice: readonly Sending[] }[],
  context: Pick<TestContext, "task">,
): Promise<void> => {
  for (const { disturbance, slice } of rounds) {
    try {
      await disturbedRound(running, disturbance, slice);
    } catch (cause) {
      throw new Error(`${disturbance.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    judged(context);
  }
};
