import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { OutgoingRecord } from "../src/flow/ports.ts";
import { type Direct, startDirect } from "./direct.ts";
import { type Loaded, bodyOfNow, post, startLoad } from "./load.ts";
import { caughtUp, encodeHistory } from "./log.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { type Freshness, startProbes } from "./probe.ts";
import { type Service, inService } from "./served.ts";

export type FreshnessBench = {
  seconds: number;
  live: number;
  body: number;
  history: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};
export type Phase = { name: string; share: number; busy: boolean; sent_s: number; refused: number; cpu_s: number };
export type FreshnessFigures = { capacity_s: number; phases: Phase[]; fresh: Freshness[]; direct: Direct[] };

const SHARES = [0.1, 0.5, 0.8];
const ATHLETES = 64;
const AT_ONCE = 16;
const SETTLE_MS = 3_000;
const sendFor = async ({ target }: Service, { body, seconds }: FreshnessBench): Promise<number> => {
  const until = performance.now() + seconds * 1000;
  let taken = 0;
  let n = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < until) taken += await post(target, bodyOfNow(`load-${(n += 1) % ATHLETES}`, body));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return taken;
};

/** Samples a second, as fast as they are taken, until they are all rows. The first run warms everything up. */
const capacityOf = async (service: Service, bench: FreshnessBench): Promise<number> => {
  let capacity = Number.NaN;
  for (const what of ["warming up", "capacity"]) {
    bench.say(what);
    const began = performance.now();
    const samples = await sendFor(service, bench);
    await caughtUp(service.connections, service.db);
    capacity = (1000 * samples) / (performance.now() - began);
  }
  return capacity;
};

/** Sent in a phase's first half at most, so that days are written during all of it. */
const sendHistory = async ({ connections }: Service, records: readonly OutgoingRecord[]): Promise<void> => {
  const producer = connections.kafka.producer();
  for (let at = 0; at < records.length; at += 8) await producer.send(records.slice(at, at + 8));
  await producer.close();
};

const phasesOf = async (service: Service, bench: FreshnessBench, history: readonly OutgoingRecord[]) => {
  const capacity_s = await capacityOf(service, bench);
  const probes = startProbes(service.target, { a_second: bench.live, athletes: 8 });
  const direct = await startDirect(service.db, bench.live);
  const phases: Phase[] = [];
  let given = 0;
  for (const busy of [false, true]) {
    for (const share of SHARES) {
      const name = `${share * 100} %, panes ${busy ? "busy" : "idle"}`;
      bench.say(`${name}: ${Math.round(share * capacity_s)} samples a second for ${bench.seconds} s`);
      const a_second = (share * capacity_s) / bench.body;
      const load = startLoad(service.target, a_second, (n) => bodyOfNow(`load-${n % ATHLETES}`, bench.body));
      const part = Math.ceil(history.length / SHARES.length);
      const sending = busy ? sendHistory(service, history.slice(given, (given += part))) : Promise.resolve();
      await sleep(SETTLE_MS);
      const cpu = service.usage().cpu_s;
      for (const looking of [probes, direct]) looking.phase(name);
      await sleep(bench.seconds * 1000);
      const cpu_s = service.usage().cpu_s - cpu;
      for (const looking of [probes, direct]) looking.phase("between");
      const { samples, refused, seconds }: Loaded = await load.stop();
      phases.push({ name, share, busy, sent_s: samples / seconds, refused, cpu_s: cpu_s / bench.seconds });
      await sending;
      await caughtUp(service.connections, service.db);
    }
  }
  return { capacity_s, phases, fresh: told(await probes.stop()), direct: told(await direct.stop()) };
};

const told = <T extends { phase: string }>(all: readonly T[]): T[] => all.filter(({ phase }) => phase !== "between");

const run = (bench: FreshnessBench, place: Place): Promise<FreshnessFigures> =>
  inService(place, async (service) => {
    const { say, seed } = bench;
    const asked = { into: "backfill", rows: bench.history, days: 30, seed, say } as const;
    return phasesOf(service, bench, await encodeHistory(service.connections, asked));
  });

/** B5: POST to visible in `today`, at shares of what the service can take, panes idle and busy; beside INSERT and SELECT. */
export const benchFreshness = (bench: FreshnessBench): Promise<FreshnessFigures> =>
  inPlace(bench, (place) => run(bench, place));
