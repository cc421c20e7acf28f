import { afterAll, beforeAll, expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { exportedDays } from "../support/service/exported.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService, type Service } from "../support/service/service.ts";
import { withClient } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("backfill");
const DAY = 86_400_000;
let service: Service;
beforeAll(async () => {
  service = await openService(here);
}, 60_000);
afterAll(() => service.close(), 60_000);

test(`histories of two athletes beside live samples: nothing is lost, and no day is written again and again (seed ${SEED})`, async () => {
  const { file, home, lines } = exportedDays(SEED, 4);
  const imported = (athlete: string): Promise<string> =>
    service.command("import", file, "--athlete", athlete, "--time-zone", home);
  await Promise.all([imported("past-1"), imported("past-2")]);
  const yesterday = new Date(Date.now() - DAY).toISOString().slice(0, 10);
  const live = sendings({ seed: SEED, athletes: 1, days: 2, firstDate: yesterday, size: 25, density: 0.1 });
  // Everything stands in the log by now, and a slow machine does not stop for so long: so input rests once.
  service.worker({ PANE_BACKFILL_QUIET: "5s" });
  await sendAll(service, live);
  await service.wait();
  await service.audit([...lines("past-1"), ...lines("past-2")]);
  const [row] = await withClient(
    here.databaseUrl,
    async (client) =>
      (
        await client.query<{ taken: string; objects: string; days: string }>(
          `select (select last_value from object_generations) as taken,
           (select count(*) from health_streams) + (select count(*) from sleep_streams) as objects,
           (select count(*) from health_streams where athlete_id like 'past-%') as days`,
        )
      ).rows,
  );
  expect(Number(row?.days)).toBeGreaterThanOrEqual(8);
  expect(Number(row?.taken)).toBeLessThanOrEqual(3 * Number(row?.objects));
}, 180_000);
