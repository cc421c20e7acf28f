import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sending } from "../../../bench/generator/batches.ts";
import type { Isolated } from "../stack.ts";
import type { FinalState } from "./final-state.ts";
import { keptWorker } from "./kept-worker.ts";
import type { Exit, ServiceProcess } from "./processes.ts";
import { openService, type Service } from "./service.ts";

/** Not how long it should take: what a machine is given that is busy with other things. */
const REACHED_MS = 180_000;

/** How the process ended, or null when it still runs after so long. */
export const endOf = async (worker: ServiceProcess, ms = REACHED_MS): Promise<Exit | null> =>
  Promise.race([worker.exited, sleep(ms, null, { ref: false })]);

/** Once it has stopped itself at its failpoint: state T of Linux. */
export const stopped = async (worker: ServiceProcess): Promise<void> => {
  const isStopped = (): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${worker.pid}/status`, "utf8"));
  for (const until = Date.now() + REACHED_MS; !isStopped(); await sleep(100)) {
    if (Date.now() > until) throw new Error(`the worker did not stop at its failpoint:\n${worker.log()}`);
  }
};

export const sendAll = async (service: Service, sendings: readonly Sending[]): Promise<void> => {
  for (const sending of sendings) await service.client.send(sending);
};

/** A healthy worker until nothing is under way. */
export const heal = async (service: Service): Promise<void> => {
  const worker = keptWorker(service, "healing");
  await worker.ready();
  await service.wait();
  await worker.stop();
};

/** A healthy worker until nothing is under way, then the auditor's word and the final state. */
export const finish = async (service: Service): Promise<FinalState> => {
  await heal(service);
  return (await service.audit()).state;
};

/** The state that any disturbed run with the same input must come to. */
export const undisturbed = async (here: Isolated, input: readonly Sending[]): Promise<FinalState> => {
  const service = await openService(here);
  try {
    await sendAll(service, input);
    return await finish(service);
  } finally {
    await service.close();
  }
};

/** A slice has been worked on by then, on a busy machine too. */
const SLICE_MS = 12_000;

/**
 * One worker that dies at `failpoint` while a slice comes in. Some steps need a change that not every slice brings, so
 * it takes further slices until it gets there; throws when it does not.
 */
export const killAt = async (service: Service, failpoint: string, parts: Sending[][]): Promise<void> => {
  const worker = service.worker({ FAILPOINT: failpoint });
  for (let slice = parts.shift(); slice !== undefined; slice = parts.shift()) {
    await sendAll(service, slice);
    const exit = await endOf(worker, parts.length > 0 ? SLICE_MS : REACHED_MS);
    if (exit?.signal === "SIGKILL") return;
    if (exit !== null) throw new Error(`the worker ended by itself (${JSON.stringify(exit)}):\n${worker.log()}`);
  }
  await worker.stop();
  throw new Error(`the worker did not die at ${failpoint}:\n${worker.log()}`);
};
