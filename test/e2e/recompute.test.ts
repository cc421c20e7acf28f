import { afterAll, beforeAll, expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import type { RecomputePreview } from "../../src/ops/recompute-text.ts";
import { logicalDump } from "../support/logical-dump.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService, type Service } from "../support/service/service.ts";
import { withClient } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("recompute-command");
let service: Service;
const batches = sendings({ seed: SEED, athletes: 2, days: 4, firstDate: "2026-03-27", size: 40, density: 0.3 });
const athlete = batches[0]?.athlete_id ?? "";
const DAY = "2026-03-28";

const sql = async <Row>(text: string, params: unknown[] = []): Promise<Row[]> =>
  withClient(here.databaseUrl, async (client) => (await client.query(text, params)).rows as Row[]);
const preview = async (...args: string[]): Promise<RecomputePreview> =>
  JSON.parse(await service.command("recompute", "--dry-run", "--json", ...args)) as RecomputePreview;
const stepsOfDay = () =>
  sql<{ value: number }>(
    `select value from athlete_metrics where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
    [athlete, DAY],
  );

/** Runs work with a worker, until nothing is under way. */
const settled = async (work: () => Promise<unknown>): Promise<void> => {
  const worker = service.worker();
  await worker.event("worker.ready");
  await work();
  await service.wait();
  await worker.stop();
};

beforeAll(async () => {
  service = await openService(here);
  await settled(() => sendAll(service, batches));
}, 120_000);
afterAll(() => service.close(), 60_000);

test("a value that a wrong rule left behind: the dry run prints old and new and changes nothing, the recompute does just that", async () => {
  expect(await preview("--all-athletes")).toMatchObject({ athletes: 2, objects: [], metrics: [], sessions: 0 });
  const [right] = await stepsOfDay();
  await sql(
    `update athlete_metrics set value = 7, input_hash = 'old'
     where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
    [athlete, DAY],
  );
  const before = await logicalDump(here.databaseUrl);
  const told = await preview("--athlete", athlete, "--rule", "steps_merge");
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
  const change = { athlete_id: athlete, date: DAY, metric: "steps", before: 7, after: right?.value };
  expect(told).toMatchObject({ objects: [], metrics: [change] });
  expect(await service.command("recompute", "--dry-run", "--athlete", athlete)).toMatch(/steps +derived +7 /);

  await settled(async () => {
    const said = await service.command("recompute", "--athlete", athlete, "--from", DAY, "--to", DAY, "--wait");
    expect(said).toContain("1 days of 1 athletes are computed");
  });
  expect(await stepsOfDay()).toEqual([right]);
  expect(await preview("--all-athletes")).toMatchObject({ objects: [], metrics: [], sessions: 0 });
}, 180_000);

test.each([
  [["--from", "2026-03-28"], /either --athlete ID or --all-athletes/],
  [["--all-athletes", "--from", "2026-03-29", "--to", "2026-03-28"], /--from must not be after --to/],
  [["--all-athletes", "--rule", "steps"], /no such rule; choose from .*steps_merge/],
])("recompute %j says what to do instead", async (args, said) => {
  await expect(service.command("recompute", ...args)).rejects.toThrow(said);
});
