import { VERSION } from "../../src/app.ts";
import { type DeclaredTopic, declaredTopics } from "../../src/io/avro-declared.ts";

type Field = { name: string; type: Avro; default?: unknown; doc?: string };
type Avro =
  | string
  | readonly Avro[]
  | { type: "record"; name: string; fields: readonly Field[]; doc?: string }
  | { type: "enum"; name: string; symbols: readonly string[] }
  | { type: "array"; items: Avro }
  | { type: "map"; values: Avro }
  | { type: string; logicalType: string };

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: "null",
  boolean: "boolean",
  int: "number",
  long: "number",
  float: "number",
  double: "number",
  string: "string",
  bytes: "Uint8Array",
};

/** What the primitive stands for, as a comment's words. */
const LOGICAL: Readonly<Record<string, string>> = {
  "timestamp-millis": "milliseconds since the epoch, UTC",
  date: "days since the epoch",
  uuid: "UUID",
};

const logicalOf = (type: Avro): string | undefined => {
  if (typeof type === "string") return undefined;
  if (Array.isArray(type)) return type.map(logicalOf).find((words) => words !== undefined);
  return "logicalType" in type ? LOGICAL[type.logicalType] : undefined;
};

/** TypeScript of an Avro type; records that it names go to `records`. */
const typeText = (type: Avro, records: Map<string, string>): string => {
  if (typeof type === "string") return PRIMITIVES[type] ?? type;
  if (Array.isArray(type)) return type.map((one) => typeText(one, records)).join(" | ");
  const named = type as Exclude<Avro, string | readonly Avro[]>;
  if ("logicalType" in named) return PRIMITIVES[named.type] ?? named.type;
  if ("items" in named) {
    const item = typeText(named.items, records);
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  if ("values" in named) return `Record<string, ${typeText(named.values, records)}>`;
  if ("symbols" in named) return named.symbols.map((symbol) => JSON.stringify(symbol)).join(" | ");
  if ("fields" in named) {
    const lines = named.fields.map((field) => {
      const words = [field.doc, logicalOf(field.type)].filter((text) => text !== undefined).join("; ");
      const comment = words === "" ? "" : `  /** ${words} */\n`;
      return `${comment}  ${field.name}: ${typeText(field.type, records)};`;
    });
    const doc = named.doc === undefined ? "" : `/** ${named.doc} */\n`;
    records.set(named.name, `${doc}export type ${named.name} = {\n${lines.join("\n")}\n};`);
    return named.name;
  }
  throw new Error(`no TypeScript for ${JSON.stringify(type)}`);
};

/** `avro/records.d.ts`: the values of all topics as TypeScript, and which topic carries which. */
export const recordTypes = (topics: readonly DeclaredTopic[] = declaredTopics()): string => {
  const records = new Map<string, string>();
  const carried = topics.map(
    ({ name, schema }) => `  ${JSON.stringify(name)}: ${typeText(schema as unknown as Avro, records)};`,
  );
  return [
    "// Written by `node test/support/record-topic-documents.ts` from topics/ and avro/: change those.",
    ...records.values(),
    `/** The value of each topic; on compacted ones also null, a tombstone. */\nexport type TopicRecords = {\n${carried.join("\n")}\n};`,
    "",
  ].join("\n\n");
};

const isOutput = ({ config }: DeclaredTopic): boolean => config["cleanup.policy"] === "compact";
const idOf = (name: string): string => name.replaceAll(/[.-]/g, "_");

const KEYS: Readonly<Record<string, string>> = {
  "health.metrics.v1": "athlete_id|date|metric|source",
  "health.sleep-sessions.v1": "athlete_id|session_id",
  "health.day-partitions.v1": "athlete_id|period_start",
};

const channel = (topic: DeclaredTopic): object => ({
  address: topic.name,
  description: isOutput(topic)
    ? "Compacted: keep the highest revision per key; a null value is a tombstone whose header `revision` carries its number."
    : "Kept 28 days at most; see the README.",
  messages: {
    value: {
      name: topic.subject,
      contentType: "application/vnd.confluent.avro",
      payload: { schemaFormat: "application/vnd.apache.avro+json;version=1.9.0", schema: topic.schema },
      bindings: { kafka: { key: { type: "string", description: KEYS[topic.name] ?? "athlete_id" } } },
    },
  },
  bindings: { kafka: { topic: topic.name, partitions: topic.partitions, topicConfiguration: topic.config } },
});

const reference = (topic: DeclaredTopic): object => ({ $ref: `#/channels/${idOf(topic.name)}` });

/** `docs/asyncapi.json`: AsyncAPI 3.0 of every topic. */
export const asyncApi = (topics: readonly DeclaredTopic[] = declaredTopics()): string => {
  const document = {
    asyncapi: "3.0.0",
    info: {
      title: "health-sync",
      version: VERSION,
      description: "Topics of health-sync; values are Avro in Confluent framing.",
    },
    defaultContentType: "application/vnd.confluent.avro",
    channels: Object.fromEntries(topics.map((topic) => [idOf(topic.name), channel(topic)])),
    operations: Object.fromEntries(
      topics.map((topic) => [
        `${isOutput(topic) ? "send" : "receive"}_${idOf(topic.name)}`,
        { action: isOutput(topic) ? "send" : "receive", channel: reference(topic) },
      ]),
    ),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
};
