import { afterAll, expect, test } from "vitest";
import type { Sending } from "../../bench/generator/batches.ts";
import { FEW_PARTITIONS, type Build, type Patch, patchedBuild } from "../support/service/build.ts";
import { type Client, createClient } from "../support/service/client.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish } from "../support/service/fault-run.ts";
import { judged } from "../support/service/judged.ts";
import { earlierBuild } from "../support/service/earlier-build.ts";
import { runCommand, startServe } from "../support/service/processes.ts";
import { type Service, makeTopics, openService } from "../support/service/service.ts";
import { onDatabase, withClient } from "../support/stack-database.ts";
import { type Isolated, isolated } from "../support/stack.ts";

/** A build to come: every kind of change to tables and records that the rules for them allow. */
const NEXT_TABLES = `
alter table health_samples_staging add column next_build text;
alter table windows add column next_build boolean not null default false;
alter table athlete_metrics add column next_build double precision;
alter table consumer_offsets add column next_build text default 'next';
create index next_build_windows on windows (athlete_id, touched_at);
create table next_build (athlete_id text primary key, what jsonb not null default '{}');
`;
const newField = (schema: string, after: string): Patch => ({
  file: `avro/${schema}.avsc`,
  find: `  {\n   "name": "${after}",`,
  replace: `  {\n   "name": "next_build",\n   "type": "string",\n   "default": "written by the next build"\n  },\n  {\n   "name": "${after}",`,
});
const nextBuild = (): Build =>
  patchedBuild([...FEW_PARTITIONS, newField("sample-chunk", "batch_id"), newField("athlete-metric", "metric")], {
    "migrations/0900_next_build.sql": NEXT_TABLES,
  });

const builds: Build[] = [];
afterAll(() => builds.forEach((build) => build.drop()));

type Edge = { client: Client; stop(): Promise<unknown> };
const edgeOf = async (service: Service, main?: string): Promise<Edge> => {
  const edge = await startServe(service.env, "edge,api", main);
  return { client: createClient(() => edge.url, service.token), stop: () => edge.stop() };
};

const sendBy = async (edges: readonly Edge[], slice: readonly Sending[]): Promise<void> => {
  for (const [n, sending] of slice.entries()) await edges[n % edges.length]?.client.send(sending);
};

/**
 * As an operator does it: tables and schemas first, while the old build runs; then both beside each other; then the new
 * one alone; then back to the old one, on the new tables; and forward again. `undefined` is this checkout.
 */
const upgrade = async (
  service: Service,
  [older, newer]: readonly [string | undefined, string | undefined],
): Promise<void> => {
  const [first = [], both = [], alone = [], back = []] = slices(faultInput(), 4);
  const oldEdge = await edgeOf(service, older);
  const newEdge = await edgeOf(service, newer);
  try {
    let old = service.worker({}, older);
    await old.event("worker.ready");
    const sending = sendBy([oldEdge], first);
    await runCommand(["migrate"], service.env, newer);
    if (newer !== undefined) await runCommand(["topics", "apply"], service.env, newer);
    await sending;
    const young = service.worker({}, newer);
    await young.event("worker.ready");
    await sendBy([oldEdge, newEdge], both);
    await old.stop();
    await sendBy([newEdge], alone);
    await service.wait();
    await young.stop();
    old = service.worker({}, older);
    await old.event("worker.ready");
    await sendBy([oldEdge], back);
    await service.wait();
    await old.stop();
  } finally {
    await Promise.all([oldEdge.stop(), newEdge.stop()]);
    service.client.ledger.push(...oldEdge.client.ledger, ...newEdge.client.ledger);
  }
};

/** Which builds' schemas stand for a topic's values. */
const schemas = async (here: Isolated, topic: string): Promise<number> => {
  const subject = `${here.prefix}health.${topic}.v1-value`;
  const answer = await fetch(`${here.env.SCHEMA_REGISTRY_URL}/subjects/${encodeURIComponent(subject)}/versions`);
  return ((await answer.json()) as unknown[]).length;
};

const [beside, before] = [await isolated("next-build"), await isolated("earlier-build")];

test(
  `F15 the next build's tables and records, beside this build, alone, and back again (seed ${SEED})`,
  async (context) => {
    const next = nextBuild();
    builds.push(next);
    const service = await openService(beside);
    try {
      await upgrade(service, [undefined, next.main]);
      expect([await schemas(beside, "samples"), await schemas(beside, "metrics")]).toEqual([2, 2]);
      await finish(service);
      judged(context);
    } finally {
      await service.close();
    }
  },
  10 * 60_000,
);

/** The corner's database as the earlier build's own migrations make it. */
const madeAnew = async (here: Isolated, main: string): Promise<void> => {
  const name = new URL(here.databaseUrl).pathname.slice(1);
  await withClient(onDatabase(here.databaseUrl, "postgres"), async (admin) => {
    await admin.query(`drop database "${name}" with (force)`);
    await admin.query(`create database "${name}"`);
  });
  await runCommand(["migrate"], here.env, main);
  await runCommand(["topics", "apply"], here.env, main);
};

const fromEarlier = (): void =>
  test(
    `F15 from the build before the last change of tables to this one, and back (seed ${SEED})`,
    async (context) => {
      const earlier = earlierBuild(FEW_PARTITIONS);
      builds.push(earlier);
      await madeAnew(before, earlier.main);
      await makeTopics(before);
      const service = await openService(before);
      try {
        await upgrade(service, [earlier.main, undefined]);
        expect(await runCommand(["migrate", "--dry-run"], before.env)).toContain("nothing to apply");
        await finish(service);
        judged(context);
      } finally {
        await service.close();
      }
    },
    10 * 60_000,
  );

// It needs the history, which a shallow clone lacks.
if (WHOLE_MATRIX) fromEarlier();
