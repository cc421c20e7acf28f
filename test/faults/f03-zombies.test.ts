import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { openObjects } from "../../src/io/objects.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { sweep } from "../../src/windows/sweeper.ts";
import { SEED, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, stopped, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { keptWorker } from "../support/service/kept-worker.ts";
import type { ServiceProcess } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated, type Isolated } from "../support/stack.ts";

const names = ["calm", "staging", "pane", "relay", "uploader"] as const;
const corners = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await isolated(`zombie-${name}`)] as const)),
) as Record<(typeof names)[number], Isolated>;
const input = faultInput();
const [before = [], after = []] = slices(input, 2);
let calm: Promise<FinalState>;

/** It slept through its successor's work; now it goes on from where it was, and then everything comes to rest. */
const wakeAndFinish = async (service: Service, zombie: ServiceProcess): Promise<string[]> => {
  zombie.signal("SIGCONT");
  await sleep(5_000);
  await zombie.stop();
  return differences(await calm, await finish(service));
};

describe.concurrent(`SIGSTOP before the commit, a successor, SIGCONT (seed ${SEED})`, () => {
  beforeAll(() => {
    calm = undisturbed(corners.calm, input);
  });

  test.for([
    // Before its transaction holds a lock, so that the successor need not wait for it.
    { corner: "staging", step: "staging.decided:3" },
    { corner: "pane", step: "pane.put:2" },
    { corner: "relay", step: "relay.encoded:2" },
  ] as const)(
    "F3 a worker that slept at $step changes nothing when it wakes",
    { timeout: 20 * 60_000 },
    async ({ corner, step }, context) => {
      const service = await openService(corners[corner]);
      try {
        const zombie = service.worker({ FAILPOINT_STOP: step });
        await sendAll(service, before);
        await stopped(zombie);
        const successor = keptWorker(service, "a zombie");
        await sendAll(service, after);
        await service.wait();
        await successor.stop();
        expect(await wakeAndFinish(service, zombie)).toEqual([]);
        judged(context);
      } finally {
        await service.close();
      }
    },
  );

  test(
    "F3 an uploader whose object was swept while it slept starts over",
    async (context) => {
      const here = corners.uploader;
      const service = await openService(here, { SWEEP_GRACE: "1h" });
      const db = openDatabase({ url: here.databaseUrl });
      const { S3_ENDPOINT: endpoint, S3_REGION: region } = here.env;
      const keys = { accessKeyId: here.env.AWS_ACCESS_KEY_ID, secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY };
      const objects = openObjects({ endpoint, region, bucket: here.bucket, ...keys });
      try {
        // Passed only by a pane that has written an object: early ones write none.
        const zombie = service.worker({ FAILPOINT_STOP: "pane.put-some" });
        await sendAll(service, input);
        await stopped(zombie);
        const clock = { now: () => Date.now() + 3_600_000 };
        const swept = await sweep({ db, objects, clock, onStep: () => undefined, config: { sweep_grace: 3_600_000 } });
        expect(swept).toBeGreaterThan(0);
        expect(await wakeAndFinish(service, zombie)).toEqual([]);
        judged(context);
      } finally {
        objects.close();
        await db.close();
        await service.close();
      }
    },
    20 * 60_000,
  );
});
