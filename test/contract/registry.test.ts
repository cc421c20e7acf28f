import { expect, test } from "vitest";
import { createCodec } from "../../src/io/avro-codec.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import type { DeclaredTopic } from "../../src/io/avro-declared.ts";
import { RegistryAway, createRegistry } from "../../src/io/registry.ts";
import type { AvroSchema } from "../../src/io/registry.ts";
import { httpLine, refused } from "../support/network/http-line.ts";
import { isolated, stackEnv } from "../support/stack.ts";

const { prefix } = await isolated("registry");
const url = stackEnv().SCHEMA_REGISTRY_URL;
const registry = createRegistry(url);
const declared = declaredTopics({ prefix });
const TOUCHED = { athlete_id: "athlete-1", dates: [20_778, 20_779], reason: "données" };

const FIELDS = [
  { name: "a", type: "string" },
  { name: "b", type: ["null", "double"], default: null },
];
const schema = (fields: object[], name = "Thing"): AvroSchema => ({
  type: "record",
  name,
  namespace: "health.test",
  fields: fields as AvroSchema["fields"],
});
/** A topic of its own that is not in topics/, with the schema registered. */
async function declare(name: string, written: AvroSchema): Promise<DeclaredTopic> {
  const topic = `${prefix}${name}`;
  const subject = `${topic}-value`;
  await registry.setCompatibility(subject, "NONE");
  await registry.register(subject, written, "NONE");
  return { name: topic, subject, partitions: 1, config: {}, compatibility: "NONE", schema: written };
}
const codecFor = (...topics: DeclaredTopic[]) => createCodec(createRegistry(url), topics);

test("what is encoded for a topic decodes to the same value, in Confluent framing", async () => {
  const topic = declared.find(({ name }) => name.endsWith("windows.v1"));
  if (!topic) throw new Error("health.windows.v1 is not declared");
  await registry.setCompatibility(topic.subject, topic.compatibility);
  const id = await registry.register(topic.subject, topic.schema, topic.compatibility);
  const bytes = await codecFor(topic).encode(topic.name, TOUCHED);
  expect([bytes[0], bytes.readInt32BE(1)]).toEqual([0, id]);
  expect(await codecFor(topic).decode(topic.name, bytes)).toEqual({ kind: "ok", value: TOUCHED });
});

test("nullables are values or null, never wrapped, and a default fills in what is left out", async () => {
  const topic = await declare("nullable", schema(FIELDS));
  const codec = codecFor(topic);
  for (const [sent, back] of [
    [
      { a: "x", b: 1.5 },
      { a: "x", b: 1.5 },
    ],
    [
      { a: "x", b: null },
      { a: "x", b: null },
    ],
    [{ a: "x" }, { a: "x", b: null }],
  ]) {
    expect(await codec.decode(topic.name, await codec.encode(topic.name, sent))).toEqual({ kind: "ok", value: back });
  }
});

test("values of any size come back as they were sent, the next one untouched by the one before", async () => {
  const topic = await declare("sizes", schema(FIELDS));
  const codec = codecFor(topic);
  const sizes = [1, 1_000, 1_500_000, 512 * 1024 - 10, 512 * 1024, 3];
  const sent = sizes.map((size, at) => ({ a: `${at}`.padEnd(size, "é"), b: size }));
  const encoded = [];
  for (const value of sent) encoded.push(await codec.encode(topic.name, value));
  const back = await Promise.all(encoded.map((bytes) => codec.decode(topic.name, bytes)));
  expect(back).toEqual(sent.map((value) => ({ kind: "ok", value })));
});

test("encoding for a subject that lacks our schema says what to run", async () => {
  const topic = await declare("unapplied", schema(FIELDS));
  const changed = { ...topic, schema: schema([...FIELDS, { name: "c", type: "int", default: 0 }]) };
  await expect(codecFor(changed).encode(topic.name, { a: "x" })).rejects.toThrow(/run health-sync topics apply/);
  await expect(codecFor(topic).encode("nowhere", {})).rejects.toThrow(/not declared/);
});

test("a value that does not fit is refused with its path and without its content", async () => {
  const topic = await declare("misfit", schema(FIELDS));
  const error: unknown = await codecFor(topic)
    .encode(topic.name, { a: "x", b: "one hundred and eighty" })
    .catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/does not fit its schema at b/);
  expect(String(error)).not.toMatch(/eighty/);
});

test("old bytes reach a new reader and new bytes an old one, when the change is compatible", async () => {
  const [v1, v2] = [schema(FIELDS), schema([...FIELDS, { name: "c", type: "long", default: 7 }])];
  const topic = await declare("evolve", v1);
  await registry.register(topic.subject, v2, "NONE");
  const [old, next] = [codecFor(topic), codecFor({ ...topic, schema: v2 })];
  const fromOld = await old.encode(topic.name, { a: "x", b: 2 });
  const fromNew = await next.encode(topic.name, { a: "x", b: 2, c: 9 });
  expect(await next.decode(topic.name, fromOld)).toEqual({ kind: "ok", value: { a: "x", b: 2, c: 7 } });
  expect(await old.decode(topic.name, fromNew)).toEqual({ kind: "ok", value: { a: "x", b: 2 } });
  expect(await next.decode(topic.name, fromNew)).toEqual({ kind: "ok", value: { a: "x", b: 2, c: 9 } });
});

test.each([
  ["empty", Buffer.alloc(0)],
  ["too short", Buffer.from([0, 0, 0, 0, 1])],
  ["without the magic byte", Buffer.from([1, 0, 0, 0, 1, 2, 0])],
  ["JSON", Buffer.from('{"athlete_id":"a"}')],
])("bytes that are %s are a bad frame", async (_, bytes) => {
  const topic = await declare("frame", schema(FIELDS));
  expect(await codecFor(topic).decode(topic.name, bytes)).toMatchObject({ kind: "dead", reason: "bad_frame" });
});

test("an id that the registry does not know, another record's schema and one that cannot be read are unknown", async () => {
  const topic = await declare("allowed", schema(FIELDS));
  const foreign = await declare("foreign", schema(FIELDS, "Other"));
  // Ids are the registry's, not the subject's: a foreign producer may have registered its own of the same name elsewhere.
  const namesake = await declare("namesake", schema([{ name: "needed", type: "int" }]));
  const codec = codecFor(topic, foreign);
  const frames = [
    Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 2, 0x61]),
    await codec.encode(foreign.name, { a: "x" }),
    await codecFor(namesake).encode(namesake.name, { needed: 1 }),
  ];
  for (const frame of frames)
    expect(await codec.decode(topic.name, frame)).toMatchObject({ kind: "dead", reason: "unknown_schema" });
});

test("cut short, too long, bombs and numbers beyond 2^53 are bad payloads, told without content", async () => {
  const fields = [
    { name: "n", type: "long" },
    { name: "list", type: { type: "array", items: "int" } },
  ];
  const topic = await declare("payload", schema(fields));
  const codec = codecFor(topic);
  const good = await codec.encode(topic.name, { n: 1, list: [1, 2] });
  const with200Million = Buffer.concat([good.subarray(0, 6), Buffer.from([0x80, 0x88, 0xde, 0xbe, 0x01, 2])]);
  const beyond = Buffer.concat([good.subarray(0, 5), Buffer.alloc(8, 0xff), Buffer.from([0x7f, 0])]);
  for (const bytes of [good.subarray(0, -1), Buffer.concat([good, Buffer.from([0])]), with200Million, beyond])
    expect(await codec.decode(topic.name, bytes)).toMatchObject({ kind: "dead", reason: "bad_payload", path: "value" });
  expect(await codec.decode(topic.name, good)).toMatchObject({ kind: "ok" });
});

test("while the registry is away an unknown id is nobody's fault: it throws, and known ids go on", async () => {
  const topic = await declare("away", schema(FIELDS));
  const frame = await codecFor(topic).encode(topic.name, { a: "x" });
  const away = createCodec(createRegistry("http://127.0.0.1:9"), [topic]);
  await expect(away.decode(topic.name, frame)).rejects.toBeInstanceOf(RegistryAway);
  await expect(away.encode(topic.name, { a: "x" })).rejects.toBeInstanceOf(RegistryAway);
});

test("a wrong address answers 404 to everything, which sinks no record", async () => {
  const topic = await declare("address", schema(FIELDS));
  const frame = await codecFor(topic).encode(topic.name, { a: "x" });
  const wrong = createCodec(createRegistry(url.replace(/[^/]+$/, "nowhere")), [topic]);
  await expect(wrong.decode(topic.name, frame)).rejects.toThrow(/run health-sync topics apply/);
});

test("whatever the registry says about the id of our own schema, what was written with it is read", async () => {
  const topic = await declare("lies", schema(FIELDS));
  const frame = await codecFor(topic).encode(topic.name, { a: "x" });
  const other = JSON.stringify({ schema: JSON.stringify(schema([{ name: "b", type: "long" }])) });
  const line = await httpLine(new URL(url).host);
  for (const lie of [refused(404, `{"error_code":40403}`), refused(200, other), refused(200, `{"schema":"no"}`)]) {
    line.script(({ path }) => (path.includes("/schemas/ids/") ? lie : null));
    const misled = createCodec(createRegistry(url.replace(new URL(url).host, line.address)), [topic]);
    expect(await misled.decode(topic.name, frame)).toEqual({ kind: "ok", value: { a: "x", b: null } });
  }
  line.close();
});

test.each([
  ["a page in HTML", 200, "<html>sign in</html>", "text/html"],
  ["JSON without an id", 200, "{}", "application/json"],
  ["an id that is no number", 200, `{"id":"seven"}`, "application/json"],
])("%s in place of the registry's answer writes no record", async (_, status, body, type) => {
  const topic = await declare("page", schema(FIELDS));
  const line = await httpLine(new URL(url).host);
  line.script(() => refused(status, body, type));
  const misled = createCodec(createRegistry(url.replace(new URL(url).host, line.address)), [topic]);
  await expect(misled.encode(topic.name, { a: "x" })).rejects.toBeInstanceOf(RegistryAway);
  line.close();
});

test("a registry that fails a few times is asked again, and what was learnt is not asked for twice", async () => {
  const topic = await declare("flaky", schema(FIELDS));
  const frame = await codecFor(topic).encode(topic.name, { a: "x" });
  const asked: string[] = [];
  const line = await httpLine(new URL(url).host);
  line.script(({ path }) => (asked.push(path) <= 2 ? refused(503, "{}") : null));
  const codec = createCodec(createRegistry(url.replace(new URL(url).host, line.address)), [topic]);
  for (let n = 0; n < 3; n++) expect(await codec.decode(topic.name, frame)).toMatchObject({ kind: "ok" });
  expect(asked).toHaveLength(3);
  line.close();
});
