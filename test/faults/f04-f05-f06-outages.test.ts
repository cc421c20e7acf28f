import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { killPart, startPart, stopPart } from "../../stack/parts.ts";
import { down, up } from "../../stack/stack.ts";
import type { PartName } from "../../stack/state.ts";
import { SEED, WHOLE_MATRIX, faultInput } from "../support/service/fault-input.ts";
import { undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { openService, type Service } from "../support/service/service.ts";
import { onDatabase } from "../support/stack-database.ts";
import { makeIsolated, type Isolated } from "../support/stack.ts";

/** A stack of its own: other test files must not notice that its parts go away. */
const STACK = `faults-${process.pid}`;
const say = (): void => undefined;
const before = { ...process.env };
const input = faultInput();
const corners: Partial<Record<PartName, Isolated>> = {};
let calm: FinalState | undefined;

beforeAll(async () => {
  Object.assign(process.env, await up({ name: STACK, say }));
  for (const { part } of PARTS) corners[part] = await makeIsolated(`outage-${part}`);
  calm = await undisturbed(await makeIsolated("outage-calm"), input);
}, 15 * 60_000);
afterAll(async () => {
  Object.assign(process.env, before);
  await down(STACK, false, say);
}, 60_000);

const PARTS = [
  { group: "F4", part: "kafka" },
  { group: "F5", part: "postgres" },
  { group: "F6", part: "objects" },
] as const;
const ENDINGS = WHOLE_MATRIX ? [stopPart, killPart] : [killPart];
const AWAY_MS = 3000;

/** One outage after the other, with some quiet between them. */
const outages = async (part: PartName): Promise<void> => {
  for (const end of ENDINGS) {
    await sleep(AWAY_MS);
    await end(part);
    await sleep(AWAY_MS);
    await startPart(part);
  }
};

/** Sends all the time, the whole input again and again, until the outages are over: a retry is the same batch. */
const load = async (service: Service, going: () => boolean): Promise<void> => {
  for (let round = 0; round === 0 || going(); round += 1) {
    for (const sending of input) {
      await service.client.send(sending);
      if (round > 0 && !going()) return;
    }
  }
};

test.for(PARTS)(
  `$group $part goes away under load: answers are true and all heals by itself (seed ${SEED})`,
  { timeout: 10 * 60_000 },
  async ({ part }, context) => {
    const stormy = corners[part];
    if (!stormy || !calm) throw new Error("no stack");
    const service = await openService(stormy, {}, "edge,worker,api");
    try {
      let going = true;
      const loading = load(service, () => going);
      await outages(part);
      going = false;
      await loading;
      await service.wait();
      const { state } = await service.audit();
      expect(differences(calm, state)).toEqual([]);
      // Acknowledged or refused for now; never an error of ours, never a dropped connection.
      expect([202, 503]).toEqual(expect.arrayContaining([...service.client.statuses.keys()]));
      judged(context);
    } finally {
      await service.close();
    }
  },
);

/** Sessions of others that take every connection that Postgres has, and each that becomes free. */
const crowd = (serverUrl: string) => {
  const taken: Client[] = [];
  const over = new AbortController();
  let refusals = 0;
  const take = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const client = new Client({ connectionString: serverUrl });
      client.on("error", () => undefined);
      try {
        await client.connect();
        taken.push(client);
      } catch {
        refusals += 1;
        await sleep(20);
      }
    }
  };
  const taking = Array.from({ length: 8 }, take);
  return {
    isFull: () => refusals > 0,
    /** Ends the sessions on a database, whose places the crowd takes; answers how many had been there. */
    crowdOut: async (database: string): Promise<number> => {
      const ending = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
      return (await taken[0]?.query(ending, [database]))?.rowCount ?? -1;
    },
    leave: async () => {
      over.abort();
      await Promise.all(taking);
      await Promise.all(taken.splice(0).map((client) => client.end()));
    },
  };
};

/** Whoever asks is told to come again; the edge needs no Postgres to acknowledge. */
const whileCrowded = async (service: Service, database: string, others: ReturnType<typeof crowd>): Promise<void> => {
  while (!others.isFull()) await sleep(50);
  const acknowledged = () => service.client.statuses.get(202) ?? 0;
  const [before, answers] = [acknowledged(), new Set<number>()];
  const athlete = input[0]?.athlete_id ?? "";
  for (let calls = 0, left = 1; calls < 20 || left > 0 || acknowledged() === before; calls += 1) {
    left = await others.crowdOut(database);
    const answer = await fetch(`${service.url}/v1/athletes/${athlete}/metrics?from=2026-10-24&to=2026-10-27`, {
      headers: { authorization: `Bearer ${service.token}` },
    });
    answers.add(answer.status);
    if (answer.status === 503) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    await answer.arrayBuffer();
  }
  expect([200, 503]).toEqual(expect.arrayContaining([...answers]));
  expect(answers).toContain(503);
};

const crowdedOut = (): void =>
  test(
    `F5 others take every connection of postgres: the edge goes on, questions are put off, and all heals by itself (seed ${SEED})`,
    { timeout: 10 * 60_000 },
    async (context) => {
      const corner = await makeIsolated("outage-crowd");
      const service = await openService(corner, {}, "edge,worker,api");
      let others: ReturnType<typeof crowd> | null = null;
      try {
        let going = true;
        const loading = load(service, () => going);
        loading.catch(() => undefined);
        await sleep(AWAY_MS);
        others = crowd(onDatabase(corner.databaseUrl, "postgres"));
        await whileCrowded(service, new URL(corner.databaseUrl).pathname.slice(1), others);
        await others.leave();
        going = false;
        await loading;
        await service.wait();
        const { state } = await service.audit();
        if (!calm) throw new Error("no stack");
        expect(differences(calm, state)).toEqual([]);
        expect([202, 503]).toEqual(expect.arrayContaining([...service.client.statuses.keys()]));
        judged(context);
      } finally {
        await others?.leave();
        await service.close();
      }
    },
  );

if (WHOLE_MATRIX) crowdedOut();
