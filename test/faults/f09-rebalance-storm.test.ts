import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { random, type Random } from "../../bench/generator/random.ts";
import { topicNames } from "../../src/flow/topics.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { isQuiet, readEnds, readPending } from "../../src/ops/wait-conditions.ts";
import { exportedDays } from "../support/service/exported.ts";
import { SEED, WHOLE_MATRIX, faultInput } from "../support/service/fault-input.ts";
import { finish, sendAll } from "../support/service/fault-run.ts";
import { judged } from "../support/service/judged.ts";
import type { ServiceProcess } from "../support/service/processes.ts";
import { type Service, openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("storm");
const DAYS = WHOLE_MATRIX ? 40 : 5;
const COMINGS = WHOLE_MATRIX ? 16 : 3;
const MOST_WORKERS = 3;
const EVERY_MS = [1500, 5000] as const;
/** Some do not leave in order. */
const DIES = 0.25;
const ATHLETE = "imported-1";
/** Whatever members come and go, something is applied or fired in every such time. */
const PROGRESS_MS = 60_000;
/** Months are over and quiet at once, so that they become one object, and are rewritten, while members come and go. */
const MONTHS_AT_ONCE = { MONTH_QUIET: "1s", MONTH_LATE_QUIET: "300ms" };

const end = (worker: ServiceProcess, dice: Random): Promise<unknown> => {
  if (!dice.chance(DIES)) return worker.stop();
  worker.signal("SIGKILL");
  return worker.exited;
};

/** Workers come, and while there are too many one of them goes; answers those that are left. */
const storm = async (service: Service, dice: Random): Promise<ServiceProcess[]> => {
  const workers: ServiceProcess[] = [];
  for (let n = 0; n < COMINGS; n += 1) {
    workers.push(service.worker());
    await sleep(dice.whole(...EVERY_MS));
    if (workers.length < dice.whole(2, MOST_WORKERS)) continue;
    const [gone] = workers.splice(dice.whole(0, workers.length - 1), 1);
    if (gone) await end(gone, dice);
  }
  return workers;
};

/** What is applied, fired and written, as one number that rises. */
const PROGRESS = `select (select coalesce(sum(greatest(position, 0)), 0) from consumer_offsets)
    + (select coalesce(sum(fired), 0) from windows) + (select last_value from object_generations) as done`;
const LOOK_MS = 500;

/**
 * The longest time without any progress while something was left to do, looked at until `over`. Counted in looks: time
 * in which a busy machine gave even the looking no turn is not the service's.
 */
const longestStandstill = async (service: Service, over: () => boolean): Promise<number> => {
  const db = openDatabase({ url: here.databaseUrl });
  const logInfo = createKafka({ brokers: here.env.KAFKA_BROKERS.split(","), clientId: here.prefix }).logInfo();
  const topics = topicNames(here.prefix);
  const isAtRest = async (): Promise<boolean> => {
    const ends = await readEnds(logInfo, (["samples", "sleep", "backfill"] as const).map(topics));
    const at = { group: "staging", ends, athlete: null, now: Date.now(), grace: service.windowGraceMs };
    return isQuiet(await db.snapshot((tx) => readPending(tx, at)));
  };
  let [done, standing, longest] = [-1, 0, 0];
  try {
    for (; !over(); await sleep(LOOK_MS)) {
      const [row] = await service.sql<{ done: string }>(PROGRESS);
      // A look that gets no answer says nothing.
      const isMoving = Number(row?.done) > done || (await isAtRest().catch(() => true));
      done = Number(row?.done);
      standing = isMoving ? 0 : standing + LOOK_MS;
      longest = Math.max(longest, standing);
    }
    return longest;
  } finally {
    await db.close();
  }
};

test(
  `F9 workers come and go every few seconds under load and while months are written (seed ${SEED})`,
  async (context) => {
    const dice = random(SEED, "storm");
    const { file, home, lines } = exportedDays(SEED, DAYS);
    const service = await openService(here, MONTHS_AT_ONCE);
    try {
      let isOver = false;
      const standstill = longestStandstill(service, () => isOver);
      const sent = sendAll(service, faultInput());
      const imported = service.command("import", file, "--athlete", ATHLETE, "--time-zone", home);
      const left = await storm(service, dice);
      await Promise.all([sent, imported]);
      service.client.ledger.push(...lines(ATHLETE));
      isOver = true;
      expect(await standstill).toBeLessThan(PROGRESS_MS);
      await Promise.all(left.map((worker) => worker.stop()));
      await finish(service);
      judged(context);
    } finally {
      await service.close();
    }
  },
  15 * 60_000,
);
