import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Sending, sendings } from "../../bench/generator/batches.ts";
import { random, type Random } from "../../bench/generator/random.ts";
import { wrongClock } from "../support/service/clock.ts";
import { SEED, WHOLE_MATRIX, slices } from "../support/service/fault-input.ts";
import { sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { startCommand } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const [calm, wrong] = [await isolated("clock-right"), await isolated("clock-wrong")];
const dice = random(SEED, "clocks");

const HOUR = 3_600_000;
const SHIFTS = { "1 h ahead": HOUR, "1 h behind": -HOUR, "1 d ahead": 24 * HOUR, "1 d behind": -24 * HOUR };
/** Of the machine: nothing may depend on it. */
const MACHINE_ZONES = ["Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "Asia/Kathmandu"];
const NEW_ZONES = ["Asia/Kathmandu", "Pacific/Honolulu", "America/Sao_Paulo", "Australia/Lord_Howe"];
/** Days on which days are hard to tell: summer time ends and begins, a leap day. */
const HARD_DAYS = ["2026-10-24", "2026-03-28", "2024-02-28"];

/** The athlete's zone changes at noon: what is measured later knows it. */
const movedAtNoon = (from: string, { athlete_id, body }: Sending): Sending => {
  const zone = random(SEED, `${athlete_id} at noon`).pick(NEW_ZONES);
  const samples = body.samples.map((sample) =>
    sample.start < `${from}T12:00:00.000Z` ? sample : { ...sample, metadata: { ...sample.metadata, HKTimeZone: zone } },
  );
  return { athlete_id, body: { ...body, samples } };
};

const input = random(SEED, "order of clocks").shuffled(
  HARD_DAYS.flatMap((firstDate, n) =>
    sendings({ seed: SEED + 100 * n, athletes: 1, days: 3, firstDate, size: 30, density: 0.2, nights: true }).map(
      (sending) => movedAtNoon(firstDate, sending),
    ),
  ),
);

/** What was noted under a clock ahead is swept when that moment has come: later, never sooner. */
const SWEPT_LATER_MS = 25 * HOUR;
const UNDER_IT_MS = [1500, 4000] as const;

/** The worker lives under a wrong clock while a slice comes in; then the clock is set right under it. */
const wrongWhile = async (service: Service, shift: number, slice: readonly Sending[]): Promise<void> => {
  const clock = wrongClock();
  clock.set(shift);
  const env = { ...service.env, ...clock.env, TZ: dice.pick(MACHINE_ZONES) };
  const worker = startCommand(["serve", "--roles", "worker"], env);
  try {
    await worker.event("worker.ready");
    await sendAll(service, slice);
    await sleep(dice.whole(...UNDER_IT_MS));
    clock.set(0);
    await service.wait().catch((error: unknown) => {
      throw new Error(`${String(error)}\n${worker.log()}`);
    });
  } finally {
    await worker.stop();
  }
};

const chosen = (random_: Random): [string, number][] =>
  random_.shuffled(Object.entries(SHIFTS)).slice(0, WHOLE_MATRIX ? undefined : 1);

test(
  `F12 a worker's clock that is wrong, and then set right under it, moves no sample to another day (seed ${SEED})`,
  async (context) => {
    const expected = undisturbed(calm, input);
    const service = await openService(wrong);
    try {
      const shifts = chosen(dice);
      const parts = slices(input, shifts.length);
      for (const [n, [name, shift]] of shifts.entries()) {
        await wrongWhile(service, shift, parts[n] ?? []);
        await service.audit([], SWEPT_LATER_MS).catch((cause: unknown) => {
          throw new Error(`a clock ${name}: ${String(cause)}`, { cause });
        });
        judged(context);
      }
      await service.settled(() => service.wait());
      const { state } = await service.audit([], SWEPT_LATER_MS);
      expect(differences(await expected, state)).toEqual([]);
    } finally {
      await service.close();
    }
  },
  15 * 60_000,
);
