import registryClient from "@kafkajs/confluent-schema-registry";
import type { COMPATIBILITY, SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { type Answered, askBy, clientAccess, OPEN, type Question, type RegistrySecurity } from "./registry-http.ts";

/** An Avro schema as JSON. */
export type AvroSchema = { type: "record"; name: string; namespace: string; fields: { name: string }[] };

/** What a subject holds; `versions` oldest first. */
export type SubjectState = { compatibility: string | null; versions: AvroSchema[] };

/** Every question throws RegistryAway when there is no usable answer: only the registry's own "not found" is null. */
export type Registry = {
  /** The schema as JSON, or the parse error's text where no Avro type can be made of it. Null: no such id. */
  schemaById(id: number): Promise<{ schema: unknown } | { unusable: string } | null>;
  /** The id of exactly this schema under the subject. Null: not registered there. */
  idOf(subject: string, schema: AvroSchema): Promise<number | null>;
  subject(subject: string): Promise<SubjectState | null>;
  /** The registry's own verdict, by the mode now set on the subject, against all its versions. */
  accepts(subject: string, schema: AvroSchema): Promise<boolean>;
  setCompatibility(subject: string, mode: string): Promise<void>;
  /** Registers under the subject, whose mode must already be set. */
  register(subject: string, schema: AvroSchema, mode: string): Promise<number>;
};

const ANSWER_MS = 5000;
const DELAYS_MS = [100, 300, 900];

/**
 * The registry at a Confluent-compatible address. The client library registers and looks up; the rest it lacks.
 * Throws what is wrong with the settings.
 */
export function createRegistry(url: string, security: RegistrySecurity = OPEN): Registry {
  const access = clientAccess(url, security);
  const client = new registryClient.SchemaRegistry({ host: url, ...access, retry: { retries: 0 } });
  const ask = askBy(access, ANSWER_MS);
  const call = <T>(method: string, address: string, body?: unknown): Promise<T | null> =>
    called<T>(ask, { method, address, body });
  const base = url.replace(/\/$/, "");
  const subjectAt = (subject: string) => `${base}/subjects/${encodeURIComponent(subject)}`;
  return {
    schemaById: (id) => retrying(() => lookUp(client, id)),
    idOf: (subject, schema) => retrying(() => idOf(client, subject, schema)),
    subject: async (subject) => {
      const numbers = await call<number[]>("GET", `${subjectAt(subject)}/versions`);
      if (numbers === null) return null;
      const versions: AvroSchema[] = [];
      for (const number of numbers.toSorted((a, b) => a - b)) {
        const version = await call<{ schema: string }>("GET", `${subjectAt(subject)}/versions/${number}`);
        if (version) versions.push(schemaIn(version.schema));
      }
      const config = await call<{ compatibilityLevel: string }>("GET", `${base}/config/${encodeURIComponent(subject)}`);
      return { compatibility: config?.compatibilityLevel ?? null, versions };
    },
    accepts: async (subject, schema) => {
      const address = `${base}/compatibility/subjects/${encodeURIComponent(subject)}/versions`;
      const verdict = await call<{ is_compatible: boolean }>("POST", address, { schema: JSON.stringify(schema) });
      return verdict?.is_compatible ?? true;
    },
    setCompatibility: async (subject, mode) => {
      await call("PUT", `${base}/config/${encodeURIComponent(subject)}`, { compatibility: mode });
    },
    register: async (subject, schema, mode) => {
      const { id } = await client.register(schema, { subject, compatibility: compatibility(mode) });
      return id;
    },
  };
}

async function lookUp(client: SchemaRegistry, id: number): ReturnType<Registry["schemaById"]> {
  try {
    const type: unknown = await timed(client.getSchema(id));
    const avro = hasSchema(type);
    return avro ? { schema: type.schema({ exportAttrs: true }) } : { unusable: "it is not an Avro schema" };
  } catch (error) {
    if (status(error) === 404) return null;
    // Without a status the answer came, and no type could be made of it. Text that is no JSON is no registry's answer.
    if (status(error) !== undefined || error instanceof Late || error instanceof SyntaxError) throw error;
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
}

async function idOf(client: SchemaRegistry, subject: string, schema: AvroSchema): Promise<number | null> {
  try {
    const id: unknown = await timed(client.getRegistryIdBySchema(subject, schema));
    // A page of something in between is an answer to the library too: records would be written under no id at all.
    if (!Number.isInteger(id)) throw new Error("what answered for the schema registry named no id");
    return id as number;
  } catch (error) {
    // The library turns exactly a 404 into this error, and drops the status.
    if (error instanceof Error && error.name === "ConfluentSchemaRegistryError") return null;
    throw error;
  }
}

type Exporting = { schema(options: { exportAttrs: boolean }): unknown };
const hasSchema = (type: unknown): type is Exporting =>
  typeof type === "object" && type !== null && "schema" in type && typeof type.schema === "function";

class Late extends Error {}

/** The registry gave no usable answer, however often it was asked. The only passing failure here. */
export class RegistryAway extends Error {}

async function timed<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`the schema registry did not answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function retrying<T>(question: () => Promise<T>): Promise<T> {
  for (const delay of DELAYS_MS) {
    try {
      return await question();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
  try {
    return await question();
  } catch (error) {
    throw new RegistryAway("the schema registry cannot be asked", { cause: error });
  }
}

const status = (error: unknown): number | undefined =>
  typeof error === "object" && error !== null && "status" in error && typeof error.status === "number"
    ? error.status
    : undefined;

/** Null for the registry's own 404, told by its error code from a wrong address. */
async function called<T>(ask: (question: Question) => Promise<Answered>, question: Question): Promise<T | null> {
  const { status: answered, text } = await retrying(() => ask(question));
  if (answered >= 200 && answered < 300) {
    const parsed: T = JSON.parse(text);
    return parsed;
  }
  if (answered === 404 && /"error_code"\s*:\s*404\d\d/.test(text)) return null;
  const { method, address } = question;
  throw new Error(`the schema registry answered ${answered} to ${method} ${address}: ${text.slice(0, 300)}`);
}

const schemaIn = (text: string): AvroSchema => JSON.parse(text);

const compatibility = (mode: string): COMPATIBILITY => {
  const known = Object.entries(registryClient.COMPATIBILITY).find(([name]) => name === mode)?.[1];
  if (known === undefined) throw new Error(`unknown compatibility mode ${mode} in topics/`);
  return known;
};
