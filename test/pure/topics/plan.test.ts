import { expect, test } from "vitest";
import { declaredTopics } from "../../../src/io/avro-declared.ts";
import type { ClusterState, Declared } from "../../../src/ops/topics.ts";
import { planTopics } from "../../../src/ops/topics.ts";

type Field = { name: string; type: unknown; default?: unknown };
const schema = (...fields: Field[]): object => ({ type: "record", name: "R", namespace: "n", fields });
const X: Field = { name: "x", type: "string" };
const Y: Field = { name: "y", type: "int", default: 0 };
const Y_WITHOUT_DEFAULT: Field = { name: "y", type: "int" };

const topic: Declared = {
  name: "t",
  subject: "t-value",
  partitions: 24,
  compatibility: "BACKWARD_TRANSITIVE",
  schema: schema(X),
  config: { "cleanup.policy": "delete", "retention.ms": "1000" },
};
type There = {
  partitions?: number;
  config?: Record<string, string>;
  overrides?: Record<string, string>;
  brokers?: number;
};
const state = (versions: object[], there: There = {}): ClusterState => ({
  brokers: there.brokers ?? 1,
  topics: new Map([
    [
      "t",
      {
        partitions: there.partitions ?? 24,
        replicas: 1,
        overrides: there.overrides ?? topic.config,
        config: { ...topic.config, "delete.retention.ms": "500", ...there.config },
      },
    ],
  ]),
  subjects: new Map([["t-value", { compatibility: topic.compatibility, versions, accepts: null }]]),
});
const EMPTY: ClusterState = { brokers: 1, topics: new Map(), subjects: new Map() };
const reasons = (declared: Declared, there: ClusterState): string[] =>
  planTopics([declared], there).refusals.map(({ reason }) => reason);

test("nothing is planned when everything is as declared", () => {
  expect(planTopics([topic], state([schema(X)]))).toEqual({ changes: [], refusals: [] });
});

test("an empty cluster gets topics, compatibility and schemas", () => {
  expect(planTopics([topic], EMPTY).changes).toEqual([
    { kind: "create_topic", topic: "t", partitions: 24, replicas: 1, config: topic.config },
    { kind: "set_compatibility", subject: "t-value", from: null, to: "BACKWARD_TRANSITIVE" },
    {
      kind: "register_schema",
      subject: "t-value",
      version: 1,
      compatibility: "BACKWARD_TRANSITIVE",
      schema: schema(X),
    },
  ]);
});

test("three brokers mean three replicas, two of them in sync", () => {
  expect(planTopics([topic], { ...EMPTY, brokers: 3 }).changes[0]).toMatchObject({
    replicas: 3,
    config: { "min.insync.replicas": "2" },
  });
});

test.each([12, 48])("%i topic partitions instead of 24 are refused, because athletes would move", (partitions) => {
  expect(reasons(topic, state([schema(X)], { partitions }))).toEqual([expect.stringMatching(/would move athletes/)]);
});

test.each([
  ["cleanup.policy", "delete", "compact"],
  ["cleanup.policy", "compact", "delete"],
  ["retention.ms", "1000", "999"],
  ["retention.ms", "-1", "1000"],
  ["retention.bytes", "-1", "1000000"],
  ["delete.retention.ms", "500", "499"],
  ["message.timestamp.type", "LogAppendTime", "CreateTime"],
])("%s from %s to %s is refused, and no other setting of the topic is changed with it", (name, from, to) => {
  const declared = { ...topic, config: { ...topic.config, "segment.ms": "7", [name]: to } };
  const plan = planTopics([declared], state([schema(X)], { config: { [name]: from } }));
  expect(plan.refusals).toEqual([{ of: "t", reason: expect.stringContaining(name) }]);
  expect(plan.changes).toEqual([]);
});

test("a longer retention is set, and settings made by hand are kept", () => {
  const declared = { ...topic, config: { ...topic.config, "retention.ms": "-1" } };
  const there = state([schema(X)], { overrides: { ...topic.config, "max.message.bytes": "2000000" } });
  expect(planTopics([declared], there).changes).toEqual([
    {
      kind: "configure_topic",
      topic: "t",
      differences: [{ name: "retention.ms", from: "1000", to: "-1" }],
      overrides: { "cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "2000000" },
    },
  ]);
});

test("a schema with a new field that has a default is registered as the next version", () => {
  const declared = { ...topic, schema: schema(X, Y) };
  expect(planTopics([declared], state([schema(X)])).changes).toMatchObject([{ kind: "register_schema", version: 2 }]);
});

test("an earlier version of the schema needs no new registration", () => {
  expect(planTopics([topic], state([schema(X), schema(X, Y)]))).toEqual({ changes: [], refusals: [] });
});

test("a new field without a default is refused with the field's name", () => {
  const declared = { ...topic, schema: schema(X, Y_WITHOUT_DEFAULT) };
  expect(reasons(declared, state([schema(X)]))).toEqual([expect.stringMatching(/written with version 1.*\by\b/s)]);
});

test("a transitive mode looks at every version, not only the last", () => {
  const versions = [schema(X), schema(X, Y)];
  const declared = { ...topic, schema: schema(X, Y_WITHOUT_DEFAULT) };
  expect(reasons(declared, state(versions))).toHaveLength(1);
  expect(reasons({ ...declared, compatibility: "BACKWARD" }, state(versions))).toEqual([]);
});

test("an output may not lose a field that its readers need, an input may", () => {
  const declared = { ...topic, schema: schema(X) };
  const versions = [schema(X, Y_WITHOUT_DEFAULT)];
  expect(reasons({ ...declared, compatibility: "FULL_TRANSITIVE" }, state(versions))).toEqual([
    expect.stringMatching(/reads with version 1/),
  ]);
  expect(reasons(declared, state(versions))).toEqual([]);
});

test("the registry's refusal counts also where no reason can be found", () => {
  const there = state([schema(Y)]);
  const subjects = new Map([
    ["t-value", { compatibility: topic.compatibility, versions: [schema(X)], accepts: false }],
  ]);
  expect(reasons({ ...topic, schema: schema(X, Y) }, { ...there, subjects })).toEqual([
    expect.stringMatching(/registry calls it incompatible/),
  ]);
});

test("the declared topics are the nine of the contract, athlete-keyed ones with 24 topic partitions", () => {
  const declared = declaredTopics({ prefix: "p." });
  expect(declared.map(({ name }) => name)).toEqual(
    [
      "backfill",
      "batches",
      "day-partitions",
      "deadletter",
      "metrics",
      "samples",
      "sleep-sessions",
      "sleep",
      "windows",
    ].map((name) => `p.health.${name}.v1`),
  );
  for (const { name, subject, partitions, config } of declared) {
    expect(subject).toBe(`${name}-value`);
    expect(partitions).toBe(24);
    // Whatever codec a foreign producer uses, consumers get one that they have.
    expect(config["compression.type"]).toBe("zstd");
  }
});
