import avro from "avsc";
import type { Type } from "avsc";
import { dead, ok } from "../flow/outcome.ts";
import type { Outcome } from "../flow/outcome.ts";
import type { Codec } from "../flow/ports.ts";
import type { DeclaredTopic } from "./avro-declared.ts";
import { Refused, guardOf } from "./avro-guard.ts";
import { type AvroSchema, type Registry, RegistryAway } from "./registry.ts";

/** One of our schemas, with what was learnt of those who write to it. */
type Reader = { schema: AvroSchema; type: Type; writers: Map<number, Writer> };
type Writer =
  | { read(bytes: Buffer): unknown }
  /** Not for ever: the registry may come to know the id. */
  | { unknown: string; until: number };

/** Nothing can be written, nor told apart, before `topics apply` has registered our schema; then it can, without a restart. */
export class NotRegistered extends Error {}

const MAGIC = 0;
const FRAME_BYTES = 5;
const ASK_AGAIN_MS = 10_000;
const MOST_WRITERS = 1000;

/** Logical types stay the numbers and strings beneath them, and a nullable is its value or null. */
export const typeOf = (schema: unknown): Type =>
  avro.Type.forSchema(jsonSchema(schema), { wrapUnions: "never", omitRecordMethods: true });

const jsonSchema = (schema: unknown): Parameters<typeof avro.Type.forSchema>[0] => JSON.parse(JSON.stringify(schema));

/** Avro in Confluent framing for the declared topics. Types and resolvers are made once a writer id, not once a record. */
export function createCodec(registry: Registry, topics: readonly DeclaredTopic[]): Codec {
  const readers = new Map<string, Reader>();
  const byTopic = new Map<string, { subject: string; reader: Reader }>();
  for (const { name, subject, schema } of topics) {
    const text = JSON.stringify(schema);
    const reader = readers.get(text) ?? { schema, type: typeOf(schema), writers: new Map() };
    readers.set(text, reader);
    byTopic.set(name, { subject, reader });
  }
  const of = (topic: string) => {
    const found = byTopic.get(topic);
    if (!found) throw new Error(`${topic} is not declared in topics/ (or stands under another TOPIC_PREFIX)`);
    return found;
  };
  const idFor = registeredIds(registry);
  return {
    async encode(topic, value) {
      const { subject, reader } = of(topic);
      const id = await idFor(subject, reader.schema);
      return framed(id, reader.type, { topic, value: withBuffers(value) });
    },
    async decode(topic, bytes) {
      const { subject, reader } = of(topic);
      if (bytes.length <= FRAME_BYTES || bytes[0] !== MAGIC)
        return dead("bad_frame", "value", "not in Confluent framing: a zero byte, four bytes of schema id, then Avro");
      const id = bytes.readInt32BE(1);
      let writer = reader.writers.get(id);
      if (!writer || ("until" in writer && writer.until < performance.now())) {
        writer = await learn(registry, reader, id, () => idFor(subject, reader.schema));
        if (reader.writers.size >= MOST_WRITERS) reader.writers.clear();
        reader.writers.set(id, writer);
      }
      return "unknown" in writer
        ? dead("unknown_schema", "value", writer.unknown)
        : payload(writer, reader, bytes.subarray(FRAME_BYTES));
    },
  };
}

function registeredIds(registry: Registry): (subject: string, schema: AvroSchema) => Promise<number> {
  const ids = new Map<string, Promise<number>>();
  const ask = async (subject: string, schema: AvroSchema): Promise<number> => {
    const id = await registry.idOf(subject, schema);
    if (id === null) throw new NotRegistered(`${subject} does not hold our schema: run health-sync topics apply`);
    return id;
  };
  return (subject, schema) => {
    const asked = ids.get(subject) ?? ask(subject, schema);
    ids.set(subject, asked);
    asked.catch(() => ids.delete(subject));
    return asked;
  };
}

const unknown = (why: string): Writer => ({ unknown: why, until: performance.now() + ASK_AGAIN_MS });

/**
 * `ownId` throws unless the registry knows our own schema: a wrong address also answers 404, and would sink every
 * record. Its id is not asked about: no wrong answer of the registry can set aside what we can read anyway.
 */
async function learn(registry: Registry, reader: Reader, id: number, ownId: () => Promise<number>): Promise<Writer> {
  const own = await ownId().catch((error: unknown) => {
    if (error instanceof RegistryAway) throw error;
    return error;
  });
  if (own === id) return writerOf(reader.type, reader, id);
  const found = await registry.schemaById(id);
  if (found === null) {
    if (typeof own !== "number") throw own;
    return unknown(`the registry has no schema ${id}`);
  }
  if ("unusable" in found) return unknown(`schema ${id} cannot be used: ${found.unusable}`);
  try {
    return writerOf(typeOf(found.schema), reader, id);
  } catch (error) {
    return unknown(
      `schema ${id} cannot be read as ${reader.type.name}: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

/** Throws for a schema that is not on the list (another name) or not compatible. */
function writerOf(type: Type, reader: Reader, id: number): Writer {
  if (type.name !== reader.type.name) throw new Error(`${id} is ${type.name ?? type.typeName}`);
  const guard = guardOf(type);
  const resolver = type.equals(reader.type) ? undefined : reader.type.createResolver(type);
  return {
    read: (bytes) => {
      guard(bytes);
      const value: unknown = reader.type.fromBuffer(bytes, resolver);
      return value;
    },
  };
}

function payload(writer: { read(bytes: Buffer): unknown }, reader: Reader, bytes: Buffer): Outcome<unknown> {
  try {
    return ok(writer.read(bytes));
  } catch (error) {
    // Only the guard's words: those of avsc quote the value, which may be a health value.
    const why = error instanceof Refused ? `: ${error.message}` : "";
    return dead("bad_payload", "value", `the bytes are no ${reader.type.name ?? "value"}${why}`);
  }
}

/** Larger than any chunk: avsc's own is 1 KiB, and whatever does not fit there is written twice. */
const scratch = Buffer.allocUnsafeSlow(512 * 1024);

function framed(id: number, type: Type, { topic, value }: { topic: string; value: unknown }): Buffer {
  try {
    const end = type.encode(value, scratch, FRAME_BYTES);
    // Negative: so many bytes were missing.
    const out = Buffer.allocUnsafe(end < 0 ? scratch.length - end : end);
    if (end < 0) type.encode(value, out, FRAME_BYTES);
    else scratch.copy(out, FRAME_BYTES, FRAME_BYTES, end);
    out[0] = MAGIC;
    out.writeInt32BE(id, 1);
    return out;
  } catch {
    const paths: string[] = [];
    type.isValid(value, { errorHook: (path) => paths.push(path.join(".")) });
    throw new Error(`a value for ${topic} does not fit its schema at ${paths.slice(0, 5).join(", ")}`);
  }
}

/** Our bytes are Uint8Array, avsc takes Buffer only. No schema of ours has bytes below the top level. */
function withBuffers(value: unknown): unknown {
  const bytes = Object.entries(value ?? {}).filter(
    ([, field]) => field instanceof Uint8Array && !Buffer.isBuffer(field),
  );
  return bytes.length === 0
    ? value
    : { ...(value as object), ...Object.fromEntries(bytes.map(([name, field]) => [name, Buffer.from(field)])) };
}
