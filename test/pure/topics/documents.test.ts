import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { declaredTopics } from "../../../src/io/avro-declared.ts";
import { asyncApi, recordTypes } from "../../support/topic-documents.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const file = (path: string): string => readFileSync(join(root, path), "utf8");

test("the AsyncAPI document and the record types are those of topics/ and avro/ (record-topic-documents.ts writes them)", () => {
  expect(file("docs/asyncapi.json")).toBe(asyncApi());
  expect(file("avro/records.d.ts")).toBe(recordTypes());
});

test("every topic stands in the AsyncAPI document with its schema, its partitions and an operation", () => {
  const document = JSON.parse(asyncApi()) as {
    channels: Record<string, { address: string; messages: { value: { payload: { schema: unknown } } } }>;
    operations: Record<string, { action: string; channel: { $ref: string } }>;
  };
  for (const topic of declaredTopics()) {
    const [id, channel] = Object.entries(document.channels).find(([, one]) => one.address === topic.name) ?? [];
    expect(channel?.messages.value.payload.schema).toEqual(topic.schema);
    const operations = Object.values(document.operations).filter(({ channel: of }) => of.$ref === `#/channels/${id}`);
    expect(operations).toHaveLength(1);
  }
});

test("types say what may be null, what a number means and what a list holds", () => {
  const types = recordTypes();
  expect(types).toContain("export type AthleteMetric = {");
  expect(types).toContain("  value: null | number;");
  expect(types).toContain("  /** days since the epoch */\n  date: number;");
  expect(types).toContain('  "health.metrics.v1": AthleteMetric;');
  expect(types).toContain("  samples: Sample[];");
});
