import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/io/postgres.ts";
import { grantRuntime } from "../../src/ops/grants.ts";
import { heartRate } from "../support/ingest/edge.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("runtime-role");
const role = `t_runtime_${process.pid}`;
const url = new URL(here.databaseUrl);
url.username = role;
const owner = openDatabase({ url: here.databaseUrl, max: 2 });
const runtime = openDatabase({ url: url.href, max: 2 });

beforeAll(() => owner.query(`create role ${role} login`));
afterAll(async () => {
  await runtime.close();
  await owner.query(`drop owned by ${role}`);
  await owner.query(`drop role ${role}`);
  await owner.close();
});

test("serve, panes and an erasure work as a role that may not change the schema", async () => {
  await expect(runtime.query(`select from athletes`)).rejects.toThrow("permission denied");
  await grantRuntime(owner, role);
  await grantRuntime(owner, role);
  for (const statement of [
    "create table mine (a int)",
    "drop table athletes",
    "alter table athletes add column a int",
    "truncate athletes",
    "insert into schema_migrations values (99, 'x', 'y')",
  ]) {
    await expect(runtime.query(statement)).rejects.toThrow(/permission denied|must be owner/);
  }
  const service = await openService(here, { DATABASE_URL: url.href }, "edge,api,worker");
  try {
    const yesterday = new Date(Date.now() - 30 * 3_600_000).toISOString();
    const samples = [heartRate(1), heartRate(2, { start: yesterday, end: yesterday }), heartRate(3, { value: 9999 })];
    await service.client.send({
      athlete_id: "anna",
      body: { batch_id: "b1", samples, deleted: [], daily: [] } as never,
    });
    await service.wait();
    expect(await owner.query(`select period_start from health_streams`)).toHaveLength(1);
    expect(await owner.query(`select id from dead_letters`)).toHaveLength(1);
    await service.command("erase", "anna", "--yes");
    await service.wait();
    expect(await owner.query(`select from health_streams`)).toEqual([]);
  } finally {
    await service.close();
  }
}, 60_000);

test("tables of a later migration are granted as well, and a name that is none is refused", async () => {
  await owner.query(`create table later (a int)`);
  expect(await runtime.query(`select * from later`)).toEqual([]);
  await expect(grantRuntime(owner, 'x"; drop table athletes; --')).rejects.toThrow("a role's name");
});
