import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { environmentLines } from "../../stack/environment.ts";
import { stackDir } from "../../stack/layout.ts";
import { killPart, startPart, stopPart } from "../../stack/parts.ts";
import { down, up } from "../../stack/stack.ts";
import { allUp, status } from "../../stack/status.ts";
import { isolated, stackEnv } from "../support/stack.ts";
import { withClient } from "../support/stack-database.ts";

const here = await isolated("stack");
const say = (): void => undefined;

test("every test file has a corner of its own: an empty migrated database, a bucket, a prefix", async () => {
  const rows = await withClient(here.databaseUrl, async (client) => {
    const found = await client.query(
      "select (select count(*)::int from windows) as windows, current_database() as name",
    );
    return found.rows;
  });
  expect(rows).toEqual([{ windows: 0, name: here.bucket }]);
  expect(here.env).toMatchObject({ S3_BUCKET: here.bucket, TOPIC_PREFIX: here.prefix, DATABASE_URL: here.databaseUrl });
});

test("up on a stack that is up answers the same lines", async () => {
  const lines = environmentLines(await up({ say }));
  expect(lines).toBe(environmentLines(stackEnv()));
  expect(environmentLines(await up({ say }))).toBe(lines);
});

test("status says of every part that it answers", async () => {
  const found = await status(undefined);
  expect(found.parts.map(({ part, up, problem }) => ({ part, up, problem }))).toEqual(
    ["kafka", "registry", "postgres", "objects"].map((part) => ({ part, up: true, problem: null })),
  );
  expect(allUp(found)).toBe(true);
});

test("a stack that the environment names and nobody here started is used as it is", async () => {
  const foreign = { ...stackEnv(), KAFKA_BROKERS: `${stackEnv().KAFKA_BROKERS},127.0.0.1:9` };
  const said: string[] = [];
  expect(await up({ env: foreign, say: (line) => said.push(line) })).toEqual(foreign);
  expect(said.join("\n")).toContain("the stack that the environment names");
  expect(await status(undefined, foreign)).toMatchObject({ stack: null, mode: "environment" });
});

test("a named stack that does not answer is refused part by part, with the way out", async () => {
  const foreign = { ...stackEnv(), KAFKA_BROKERS: "127.0.0.1:9", DATABASE_URL: "postgres://nobody@127.0.0.1:9/none" };
  await expect(up({ env: foreign, say })).rejects.toThrow(/kafka: .*; postgres: .*unset/);
  const found = await status(undefined, foreign);
  expect(found.parts.map(({ part, up }) => [part, up])).toEqual([
    ["kafka", false],
    ["registry", true],
    ["postgres", false],
    ["objects", true],
  ]);
  expect(allUp(found)).toBe(false);
});

test("a second stack stands beside the first, loses and regains its parts, and goes without a trace", async () => {
  const name = `beside-${process.pid}`;
  try {
    const env = await up({ name, say });
    expect(env.KAFKA_BROKERS).not.toBe(stackEnv().KAFKA_BROKERS);
    await stopPart("objects", env);
    await killPart("postgres", env);
    const wounded = await status(name);
    expect(wounded.parts.map(({ up }) => up).slice(2)).toEqual([false, false]);
    await startPart("objects", env);
    await startPart("postgres", env);
    expect(allUp(await status(name))).toBe(true);
    await down(name, true, say);
    expect(await up({ name, say })).toEqual(env);
  } finally {
    await down(name, false, say);
  }
  expect(existsSync(stackDir(name))).toBe(false);
  expect(await status(name)).toMatchObject({ mode: "none", parts: [] });
});
