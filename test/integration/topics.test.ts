import { beforeEach, expect, test } from "vitest";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import type { DeclaredTopic } from "../../src/io/avro-declared.ts";
import { createRegistry } from "../../src/io/registry.ts";
import { applyTopics, compare } from "../../src/ops/topics-apply.ts";
import { topicsCommand } from "../../src/ops/topics-command.ts";
import { kafkaCorner } from "../support/kafka-corner.ts";

const corner = await kafkaCorner("topics");
const registry = createRegistry(corner.registryUrl);
const ports = { topics: corner.kafka.topics(), subjects: registry };
const declared = declaredTopics({ prefix: corner.prefix, partitions: 3 });
const batches = `${corner.prefix}health.batches.v1`;

/** All declared topics, one of them changed. */
const changed = (change: (topic: DeclaredTopic) => Partial<DeclaredTopic>): DeclaredTopic[] =>
  declared.map((topic) => (topic.name === batches ? { ...topic, ...change(topic) } : topic));

async function run(topics: DeclaredTopic[], ...words: string[]): Promise<{ lines: string[]; code: unknown }> {
  const lines: string[] = [];
  const command = topicsCommand({ declared: () => topics, ports: () => ports, print: (line) => lines.push(line) });
  await command.parseAsync(words, { from: "user" });
  const code = process.exitCode;
  process.exitCode = 0;
  return { lines, code };
}

beforeEach(async () => {
  await applyTopics(ports, declared);
});

test("after apply everything is as declared: topics, settings, compatibility and schemas", async () => {
  expect(await compare(ports, declared)).toEqual({ changes: [], refusals: [] });
  const there = await corner.kafka.topics().describe(declared.map(({ name }) => name));
  for (const { name, config, subject, compatibility, schema } of declared) {
    expect(there.get(name)).toMatchObject({ partitions: 3, replicas: 1, overrides: config });
    const state = await registry.subject(subject);
    expect(state?.compatibility).toBe(compatibility);
    expect(state?.versions).toEqual([schema]);
  }
  expect(await run(declared, "apply")).toMatchObject({ lines: ["everything is as declared"] });
});

test("a topic can be written to as soon as apply returns", async () => {
  const fresh = declaredTopics({ prefix: `${corner.prefix}fresh.`, partitions: 2 }).slice(0, 1);
  await applyTopics(ports, fresh);
  const topic = fresh[0]?.name ?? "";
  expect(await corner.produce([{ topic, key: "k", value: Buffer.from("v") }])).toHaveLength(1);
});

test("plan and a dry run show the difference and change nothing", async () => {
  const longer = changed(({ config }) => ({ config: { ...config, "retention.ms": "9999999999" } }));
  for (const words of [["plan"], ["apply", "--dry-run"]]) {
    const { lines, code } = await run(longer, ...words);
    expect(lines).toEqual([`would set on ${batches} retention.ms 2419200000 → 9999999999`]);
    expect(code ?? 0).toBe(0);
  }
  expect(await compare(ports, declared)).toEqual({ changes: [], refusals: [] });
});

test("a longer retention is applied, what was set by hand stays, and going back is refused", async () => {
  const name = `${corner.prefix}byhand`;
  const template = declared[0];
  if (!template) throw new Error("nothing is declared");
  const subject = `${name}-value`;
  const one: DeclaredTopic = { ...template, name, subject, config: { "retention.ms": "1000000" } };
  await applyTopics(ports, [one]);
  await corner.kafka.topics().configure(name, { "retention.ms": "1000000", "max.message.bytes": "2000000" });
  await applyTopics(ports, [{ ...one, config: { "retention.ms": "2000000" } }]);
  const there = (await corner.kafka.topics().describe([name])).get(name);
  expect(there?.overrides).toEqual({ "retention.ms": "2000000", "max.message.bytes": "2000000" });
  await expect(applyTopics(ports, [one])).rejects.toThrow(/nothing was changed.*retention.ms would be lowered/);
});

test.each([
  ["more topic partitions", { partitions: 4 }, /would move athletes/],
  ["fewer topic partitions", { partitions: 2 }, /would move athletes/],
  ["compaction", { config: { "cleanup.policy": "compact" } }, /removes records for good/],
  ["a shorter retention", { config: { "retention.ms": "1000" } }, /would be lowered/],
])("%s: refused with its reason, with exit code 1, and nothing else is applied either", async (_, change, reason) => {
  const extra = { ...changed(() => change)[0], name: `${corner.prefix}extra`, subject: `${corner.prefix}extra-value` };
  const topics = [...changed(() => change), extra as DeclaredTopic];
  const { lines, code } = await run(topics, "apply");
  expect(lines.find((line) => line.startsWith(`refused: ${batches}`))).toMatch(reason);
  expect(lines.at(-1)).toMatch(/nothing is changed/);
  expect(code).toBe(1);
  expect(await corner.kafka.topics().describe([extra.name])).toEqual(new Map());
});

test("a compatible schema becomes the next version, an incompatible one is refused in words", async () => {
  const name = `${corner.prefix}evolving`;
  const base = declared.find((topic) => topic.name === batches);
  if (!base) throw new Error("health.batches.v1 is not declared");
  const one: DeclaredTopic = { ...base, name, subject: `${name}-value`, compatibility: "FULL_TRANSITIVE" };
  await applyTopics(ports, [one]);
  const grown = { ...base.schema, fields: [...base.schema.fields, { name: "note", type: "string", default: "" }] };
  await applyTopics(ports, [{ ...one, schema: grown }]);
  expect((await registry.subject(one.subject))?.versions).toEqual([base.schema, grown]);
  const strict = { ...base.schema, fields: [...base.schema.fields, { name: "must", type: "string" }] };
  const plan = await compare(ports, [{ ...one, schema: strict }]);
  expect(plan.refusals.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/cannot read what was written with version 1/),
    expect.stringMatching(/cannot read what was written with version 2/),
  ]);
  // The registry itself would say no as well.
  await expect(registry.register(one.subject, strict, "FULL_TRANSITIVE")).rejects.toThrow(/ncompatible/);
});

test("--json prints one document with the changes and refusals", async () => {
  const { lines } = await run(
    changed(() => ({ partitions: 5 })),
    "plan",
    "--json",
  );
  const document: unknown = JSON.parse(lines.join("\n"));
  expect(document).toMatchObject({ applied: false, changes: [], refusals: [{ of: batches }] });
});
