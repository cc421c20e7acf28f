import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../src/config.ts";
import { openDatabase } from "../src/io/postgres.ts";
import { mintToken } from "../src/ops/token.ts";
import { sendings, type Sending } from "./generator/batches.ts";
import { measure } from "./measure.ts";
import { workersOf } from "./lives.ts";
import { dropEverything } from "./replay-beside.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { startProbes, type Freshness } from "./probe.ts";
import { type Served, serving } from "./serve.ts";
import { MAIN } from "./worker.ts";

export type ReplayBench = {
  athletes: number;
  days: number;
  live: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};
export type Pass = { what: string; samples: number; seconds: number; cpu_s: number; changed: boolean | null };
export type ReplayFigures = { passes: Pass[]; freshness: Freshness[] };

const DAY = 86_400_000;
const DAYS_AGO = 4;
const BODY = 1000;
const AT_ONCE = 4;
const ALONE_MS = 15_000;
const PASSES = 2;

type Target = { url: string; token: string };

const sendAll = async ({ url, token }: Target, bodies: readonly Sending[]): Promise<void> => {
  const queue = bodies.values();
  const one = async (): Promise<void> => {
    for (const { athlete_id, body } of queue) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const to = `${url}/v1/athletes/${athlete_id}/batches`;
      const answer = await fetch(to, { method: "POST", headers, body: JSON.stringify(body) });
      if (answer.status !== 202) throw new Error(`the edge answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
};

/** One hash over results with their revisions and objects with their generations, of everybody but the live athletes. */
const contentHash = async (env: NodeJS.ProcessEnv): Promise<string> => {
  const db = openDatabase({ url: readConfig(env).databaseUrl, max: 1 });
  const hash = createHash("sha256");
  for (const table of ["athlete_metrics", "health_streams", "sleep_sessions", "day_facts", "sample_tombstones"]) {
    const rows = await db.query<{ row: string }>(
      `select (to_jsonb(t) - 'footer')::text as row from ${table} t where athlete_id not like 'live-%' order by 1`,
    );
    for (const { row } of rows) hash.update(row);
  }
  await db.close();
  return hash.digest("hex");
};

const waitFor = async (athletes: ReadonlySet<string>, env: NodeJS.ProcessEnv): Promise<void> => {
  for (const athlete of athletes) await measure([MAIN, "wait", "--athlete", athlete, "--timeout", "3600"], env);
};

type Passing = { env: NodeJS.ProcessEnv; service: Served; samples: number; athletes: ReadonlySet<string> };

/** What `work` took until nothing of these athletes is under way; `before`: the content that must still be the same. */
const passOf = async (
  { env, service, samples, athletes }: Passing,
  what: string,
  work: () => Promise<number>,
  before: string | null,
): Promise<Pass> => {
  const workers = (): number => workersOf(service.lives.usage()).cpu_s;
  const [began, cpu] = [performance.now(), workers()];
  const own_s = await work();
  await waitFor(athletes, env);
  const seconds = (performance.now() - began) / 1000;
  const changed = before === null ? null : (await contentHash(env)) !== before;
  return { what, samples, seconds, cpu_s: own_s + workers() - cpu, changed };
};

type First = ReplayFigures & { content: string; samples: number; athletes: ReadonlySet<string> };

const run = async (bench: ReplayBench, { env, say }: Place, service: Served): Promise<First> => {
  const firstDate = new Date(Date.now() - (bench.days + DAYS_AGO) * DAY).toISOString().slice(0, 10);
  const bodies = sendings({ ...bench, firstDate, size: BODY });
  const samples = bodies.reduce((sum, { body }) => sum + body.samples.length, 0);
  const athletes = new Set(bodies.map(({ athlete_id }) => athlete_id));
  const secret = env["AUTH_SECRET"] ?? "";
  const token = await mintToken({ secret, ttl: 86_400, athletes: "*", scopes: ["ingest", "read"] });
  const at = { env, service, samples, athletes };
  const target = { url: service.url, token };
  say("first pass");
  const passes = [await passOf(at, "first pass", async () => (await sendAll(target, bodies), 0), null)];
  const content = await contentHash(env);
  const probes = startProbes(target, { a_second: bench.live, athletes: 8 });
  probes.phase("before");
  await sleep(ALONE_MS);
  probes.phase("during");
  const command = async (...argv: string[]): Promise<number> => (await measure([MAIN, ...argv], env)).cpu_s;
  for (let n = 1; n <= PASSES; n += 1) {
    say(`replay ${n}`);
    passes.push(await passOf(at, `replay ${n}`, () => command("replay", "--topic", "backfill"), content));
  }
  probes.phase("recompute");
  say("recompute");
  const from = ["recompute", "--athlete", [...athletes].join(","), "--rate", "100000", "--wait"];
  passes.push(await passOf(at, "recompute, from Parquet", () => command(...from), content));
  return { passes, freshness: await probes.stop(), content, samples, athletes };
};

const beside = (bench: ReplayBench, place: Place): Promise<First> =>
  serving(place, (service) => run(bench, place, service));

/** As others do it: the group begins at the start of the log again, into the same tables. No other input flows. */
const offsetsReset = async ({ env, say }: Place, first: First): Promise<Pass> => {
  const db = openDatabase({ url: readConfig(env).databaseUrl, max: 1 });
  await db.query(`delete from consumer_offsets where topic like '%.backfill.v1'`);
  await db.close();
  return serving({ env, say }, (service) =>
    passOf({ ...first, env, service }, "offsets reset", () => Promise.resolve(0), first.content),
  );
};

/** B8: a history sent once, then replayed from the log twice while live samples flow; nothing may change. */
export const benchReplay = (bench: ReplayBench): Promise<ReplayFigures> =>
  inPlace(bench, async (place) => {
    const first = await beside(bench, place);
    bench.say("offsets reset; a consumer that drops everything");
    const reset = await offsetsReset(place, first);
    const dropped = { what: "dropped by a consumer", samples: first.samples, changed: null };
    const passes = [...first.passes, reset, { ...dropped, ...(await dropEverything(place.env)) }];
    return { passes, freshness: first.freshness };
  });
