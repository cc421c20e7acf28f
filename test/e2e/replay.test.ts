import { afterAll, beforeAll, expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { exactState, type ExactState } from "../support/service/exact-state.ts";
import { SEED } from "../support/service/fault-input.ts";
import { endOf, sendAll } from "../support/service/fault-run.ts";
import { startCommand } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("replay");
let service: Service;

type Listed = { replay_id: string; state: string; done: number; total: number };
const listed = async (): Promise<Listed[]> =>
  (JSON.parse(await service.command("replay", "list", "--json")) as { replays: Listed[] }).replays;

const unchanged = (first: ExactState, now: ExactState): void => {
  expect(now.rows).toEqual(first.rows);
  expect(now.events).toEqual(first.events);
  expect(now.objects.filter((key) => !first.objects.includes(key))).toEqual([]);
};

let first: ExactState;
beforeAll(async () => {
  service = await openService(here);
  const worker = service.worker();
  await worker.event("worker.ready");
  const batches = sendings({ seed: SEED, athletes: 3, days: 4, firstDate: "2026-03-27", size: 25, density: 0.3 });
  await sendAll(service, batches);
  await service.wait();
  first = await exactState(here);
}, 120_000);
afterAll(() => service.close(), 60_000);

test("everything replayed twice, two replays at once, changes no row, revision, object or event", async () => {
  const run = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await service.command("replay", "--json")) as Record<string, unknown>;
  expect(first.objects.length).toBeGreaterThan(5);
  const ends = await Promise.all([run(), run()]);
  for (const end of ends) {
    expect(end).toMatchObject({ outcome: "done", missing: [] });
    expect(end["done"]).toBe(end["total"]);
    expect(Number(end["total"])).toBeGreaterThan(20);
    const { stored = 0, duplicate = 0 } = end["tally"] as Record<string, number>;
    expect(stored + duplicate).toBeGreaterThan(100);
  }
  await service.wait();
  unchanged(first, await exactState(here));
  expect(await service.sql(`select * from consumer_offsets where group_id like 'staging@%'`)).toEqual([]);
}, 120_000);

test("a replay whose process is killed goes on from where it was, under the same id", async () => {
  const killed = startCommand(["replay"], { ...service.env, FAILPOINT: "staging.position:4" });
  expect(await endOf(killed)).toMatchObject({ signal: "SIGKILL" });
  const [left] = await listed();
  expect(left).toMatchObject({ state: "running" });
  expect(left?.done).toBeGreaterThan(0);
  expect(left?.done).toBeLessThan(left?.total ?? 0);
  await service.sql(`update replays set seen_at = seen_at - interval '1 minute'`);
  expect(await service.command("replay", "list")).toContain("stopped: resume it");
  const end = JSON.parse(await service.command("replay", "resume", left?.replay_id ?? "", "--json")) as {
    outcome: string;
    began: number;
  };
  expect(end).toMatchObject({ outcome: "done", began: left?.done });
  await service.wait();
  unchanged(first, await exactState(here));
}, 120_000);
