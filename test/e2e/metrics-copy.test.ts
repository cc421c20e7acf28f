import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Copy, openCopy } from "../../examples/metrics-copy/copy.ts";
import { type Followed, follow } from "../../examples/metrics-copy/follow.ts";
import { openService } from "../support/service/service.ts";
import { withClient } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("metrics-copy");
const DAY = 86_400_000;
const now = Date.now();

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const weight = (n: number, value: number) => ({
  uuid: uuid(n),
  type: "HKQuantityTypeIdentifierBodyMass",
  start: `2026-09-0${n}T06:00:00Z`,
  end: `2026-09-0${n}T06:00:00Z`,
  value,
  unit: "kg",
  source: { name: "Scale" },
});

const inTable = (): Promise<unknown[]> =>
  withClient(here.databaseUrl, async (client) => {
    const { rows } = await client.query<{ row: unknown }>(
      `select jsonb_build_array(date, value, locked, revision::float8) as row from athlete_metrics order by date, metric, source`,
    );
    return rows.map(({ row }) => row);
  });
const inCopy = (copy: Copy): unknown[] =>
  copy
    .rows()
    .map(({ date, value, locked, revision }) => [
      new Date(date * DAY).toISOString().slice(0, 10),
      value,
      locked,
      revision,
    ]);

test("the example's copy equals the table through corrections, locks, removals, a replay from the start and a week away", async () => {
  const service = await openService(here);
  service.worker();
  const from = {
    brokers: here.env.KAFKA_BROKERS.split(","),
    registryUrl: here.env.SCHEMA_REGISTRY_URL,
    topic: `${here.prefix}health.metrics.v1`,
    group: `${here.prefix}copy`,
  };
  const send = (batch_id: string, body: object) =>
    service.client.send({
      athlete_id: "anna",
      body: { provider: "apple_health", time_zone: "UTC", batch_id, samples: [], ...body },
    } as never);
  const call = (method: string, path: string, body: object) =>
    fetch(`${service.url}/v1/athletes/anna/${path}`, {
      method,
      headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const caughtUp = async (copy: Copy): Promise<Followed> => {
    const followed = await follow(copy, from);
    await followed.caughtUp;
    return followed;
  };

  await send("a", { samples: [weight(1, 61), weight(2, 62), weight(3, 63)] });
  await service.wait();
  const copy = openCopy(":memory:", now);
  const followed = await caughtUp(copy);
  expect(inCopy(copy)).toHaveLength(3);
  expect(inCopy(copy)).toEqual(await inTable());

  expect((await call("PATCH", "metrics/2026-09-02/weight/apple_health", { value: 70, locked: true })).status).toBe(200);
  await send("b", { samples: [], deleted: [{ uuid: uuid(1) }, { uuid: uuid(2) }] });
  await service.wait();
  await expect.poll(() => inCopy(copy), { timeout: 20_000 }).toEqual(await inTable());
  expect(copy.rows().map(({ value, locked }) => [value, locked])).toEqual([
    [70, true],
    [63, false],
  ]);
  await followed.stop();

  // What was removed while nobody looked, and whose tombstone the topic has forgotten by now.
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-copy-")), "metrics.sqlite");
  const away = openCopy(file, now - 8 * DAY);
  away.apply([{ key: "anna|2020-01-01|weight|manual", revision: 1, value: copy.rows()[0] ?? null }], now - 8 * DAY);
  away.close();
  const back = openCopy(file, now);
  const again = await caughtUp(back);
  expect(inCopy(back)).toEqual(await inTable());
  await again.stop();
  back.close();
  rmSync(file);
  await service.close();
});
