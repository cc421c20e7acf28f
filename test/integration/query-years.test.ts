import { expect, test } from "vitest";
import { steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { beat, openQueryBench } from "../support/query-bench.ts";
import { daysFrom, storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-years");
const corner = await openCorner(here);
const bench = openQueryBench(corner);
const { ask } = bench;

const dates = daysFrom("2025-10-01", 60);
const range = { from: dates[0], to: dates.at(-1) };
const HOUR = 3_600_000;

/** Every day a heartbeat at noon, one near midnight, and a walk over the midnight that follows. */
const rows = dates.flatMap((date, n) => {
  const noon = Date.parse(`${date}T12:00:00Z`);
  const night = noon + 12 * HOUR;
  return [
    beat(`${date}T12:00:00Z`, 3 * n, { value: 50 + (n % 40) }),
    beat(`${date}T23:59:00Z`, 3 * n + 1, { value: 80 }),
    steps("watch", ["00:00:00", "00:00:01"], 600 + n, {
      sample_id: uuid(3 * n + 2),
      start_at: night - HOUR / 6,
      end_at: night + HOUR / 6,
      local_date: date,
    }),
  ];
});

test("a long series is read a part at a time, and is the same as its days asked for one by one", async () => {
  await storeRows(corner.db, corner.objects, rows);
  for (const metric of ["heart_rate", "steps"]) {
    for (const resolution of ["1d", "1h"]) {
      let reads = 0;
      let most = 0;
      bench.beforeRead = async () => void (reads = 0);
      bench.beforeGet = async () => void (most = Math.max(most, (reads += 1)));
      const whole = (await ask("samples", { metric, resolution, ...range })).points;
      expect(most).toBeLessThan(40);
      bench.beforeRead = bench.beforeGet = async () => undefined;
      const single: unknown[][] = [];
      for (const date of dates) {
        single.push(...(await ask("samples", { metric, resolution, from: date, to: date })).points);
      }
      expect(whole.length).toBeGreaterThanOrEqual(dates.length);
      expect(whole).toEqual(single);
    }
  }
});
