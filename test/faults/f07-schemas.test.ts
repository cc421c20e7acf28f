import { describe, expect, test } from "vitest";
import type { Sending } from "../../bench/generator/batches.ts";
import { random } from "../../bench/generator/random.ts";
import type { SampleChunk } from "../../src/domain/sample.ts";
import type { Producer } from "../../src/flow/ports.ts";
import { type TopicName, topicNames } from "../../src/flow/topics.ts";
import { typeOf } from "../../src/io/avro-codec.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { FEW_PARTITIONS, patchedBuild } from "../support/service/build.ts";
import { createClient } from "../support/service/client.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { keptWorker } from "../support/service/kept-worker.ts";
import { runCommand, startServe } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated, type Isolated } from "../support/stack.ts";
import { heartRates } from "../support/staging/chunks.ts";

const STAGED = ["samples", "sleep", "backfill"] as const satisfies readonly TopicName[];
/** Records by each foreign schema. */
const FOREIGN = 4;
const [calmCorner, forced, refused] = [
  await isolated("schema-calm"),
  await isolated("schema-forced"),
  await isolated("schema-refused"),
];
const input = faultInput();
const dice = random(SEED, "schemas");

type Field = { name: string; type: unknown; default?: unknown };
const fieldOf = (fields: readonly Field[], name: string): Field => {
  const found = fields.find((field) => field.name === name);
  if (!found) throw new Error(`SampleChunk has no field ${name}`);
  return found;
};
type Nested = { items: { fields: Field[] } };
const fieldsOf = (fields: readonly Field[], list: string): Field[] =>
  (fieldOf(fields, list).type as Nested).items.fields;

/** What another team might register in our subject where nobody checks: the same name, and not the same thing. */
const CHANGES: readonly {
  name: string;
  schema: (fields: Field[]) => void;
  value: (chunk: SampleChunk) => object;
}[] = [
  {
    name: "an instant as text",
    schema: (fields) => void (fieldOf(fields, "received_at").type = "string"),
    value: (chunk) => ({ ...chunk, received_at: "yesterday" }),
  },
  {
    name: "the athlete under another name",
    schema: (fields) => void (fieldOf(fields, "athlete_id").name = "person"),
    value: ({ athlete_id, ...rest }) => ({ ...rest, person: athlete_id }),
  },
  {
    name: "values as text",
    schema: (fields) => void (fieldOf(fieldsOf(fieldsOf(fields, "series"), "samples"), "value").type = "string"),
    value: (chunk) => ({
      ...chunk,
      series: chunk.series.map((series) => ({
        ...series,
        samples: series.samples.map((sample) => ({ ...sample, value: "72" })),
      })),
    }),
  },
  {
    name: "a zone that may be a number of minutes",
    schema: (fields) => void (fieldOf(fields, "batch_time_zone").type = ["null", "string", "int"]),
    value: (chunk) => ({ ...chunk, batch_time_zone: 120 }),
  },
];
const chosen = dice.shuffled(CHANGES).slice(0, WHOLE_MATRIX ? undefined : 1);

const asked = async (method: string, address: string, body: object): Promise<{ id?: number }> => {
  const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
  const answer = await fetch(address, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { id?: number };
};

/** A registry that takes anything has it; answers the record of whoever writes by it. */
const written = async (here: Isolated, name: TopicName, change: (typeof CHANGES)[number]) => {
  const declared = declaredTopics({ prefix: here.prefix }).find(
    (topic) => topic.name === topicNames(here.prefix)(name),
  );
  if (!declared) throw new Error(`${name} is not declared`);
  const schema = structuredClone(declared.schema);
  change.schema(schema.fields as Field[]);
  const registry = here.env.SCHEMA_REGISTRY_URL;
  // This registry goes on comparing within a subject whatever its mode: an id of a subject of their own is as foreign.
  const theirs = encodeURIComponent(`${declared.subject}-${random(SEED, change.name).uuid()}`);
  await asked("PUT", `${registry}/config/${encodeURIComponent(declared.subject)}`, { compatibility: "NONE" });
  const { id } = await asked("POST", `${registry}/subjects/${theirs}/versions`, { schema: JSON.stringify(schema) });
  const frame = Buffer.alloc(5);
  frame.writeInt32BE(id ?? 0, 1);
  const athlete = `gen-${SEED}-0`;
  const chunk = heartRates([{ value: 72 }], { athlete_id: athlete });
  return {
    topic: declared.name,
    key: athlete,
    value: Buffer.concat([frame, typeOf(schema).toBuffer(change.value(chunk))]),
  };
};

const withoutLetters = (state: FinalState): FinalState => ({ ...state, dead_letters: [] });
const LETTERS = `select count(*)::int as n, count(*) filter (where reason = 'unknown_schema')::int as told
  from dead_letters where origin->>'kind' = 'topic'`;

/** An edge of that build refuses for now, and its log says what to run. */
const acknowledgesNothing = async (service: Service, main: string, sendings: readonly Sending[]): Promise<void> => {
  const edge = await startServe(service.env, "edge,api", main);
  try {
    for (const { athlete_id, body } of sendings) {
      const answer = await fetch(`${edge.url}/v1/athletes/${athlete_id}/batches`, {
        method: "POST",
        headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([503, true]);
    }
    expect(edge.wholeLog()).toMatch(/topics apply/);
  } finally {
    await edge.stop();
  }
};

/** Real samples beside records of theirs, to a worker and an edge that know their ids or that know none. */
const foreignRound = async (
  service: Service,
  producer: Producer,
  change: (typeof CHANGES)[number],
  slice: readonly Sending[],
): Promise<void> => {
  // Started before it is registered, or after: then neither worker nor edge knows any id yet.
  const isWarm = dice.chance(0.5);
  const early = isWarm ? keptWorker(service, change.name) : null;
  if (early) await early.ready();
  const foreign = await written(forced, dice.pick(STAGED), change);
  const edge = isWarm ? null : await startServe(service.env, "edge,api");
  const worker = early ?? keptWorker(service, change.name);
  try {
    const client = edge ? createClient(() => edge.url, service.token) : service.client;
    for (const sending of slice) await client.send(sending);
    if (client !== service.client) service.client.ledger.push(...client.ledger);
    await producer.send(Array.from({ length: FOREIGN }, () => foreign));
    await service.wait();
  } finally {
    await Promise.all([worker.stop(), edge?.stop()]);
  }
};

describe.concurrent(`schemas that do not go together (seed ${SEED})`, () => {
  test(
    "F7 records by an incompatible schema of our name are set aside, never misread, and all others go on",
    { timeout: 20 * 60_000 },
    async (context) => {
      const calm = undisturbed(calmCorner, input);
      const service = await openService(forced);
      const brokers = forced.env.KAFKA_BROKERS.split(",");
      const producer = createKafka({ brokers, clientId: forced.prefix }).producer();
      try {
        const parts = slices(input, chosen.length);
        for (const [n, change] of chosen.entries()) {
          await foreignRound(service, producer, change, parts[n] ?? []);
          await service.audit();
          const count = FOREIGN * (n + 1);
          expect(await service.sql(LETTERS)).toEqual([{ n: count, told: count }]);
          judged(context);
        }
        expect(differences(withoutLetters(await calm), withoutLetters(await finish(service)))).toEqual([]);
      } finally {
        await producer.close();
        await service.close();
      }
    },
  );

  test(
    "F7 a build whose schema the subject refuses says so, acknowledges nothing, and leaves the running one alone",
    { timeout: 10 * 60_000 },
    async (context) => {
      const incompatible = patchedBuild([
        ...FEW_PARTITIONS,
        {
          file: "avro/sample-chunk.avsc",
          find: `   "name": "provider",\n   "type": "string"`,
          replace: `   "name": "provider",\n   "type": "int"`,
        },
      ]);
      const [first = [], second = []] = slices(input, 2);
      const service = await openService(refused);
      try {
        await service.settled(() => sendAll(service, first));
        const subject = encodeURIComponent(`${topicNames(refused.prefix)("samples")}-value`);
        const versions = async () =>
          (await fetch(`${refused.env.SCHEMA_REGISTRY_URL}/subjects/${subject}/versions`)).json();
        const before: unknown = await versions();
        await expect(runCommand(["topics", "apply"], service.env, incompatible.main)).rejects.toThrow(/exited 1/);
        expect(await versions()).toEqual(before);
        await acknowledgesNothing(service, incompatible.main, second.slice(0, 3));
        await sendAll(service, second);
        await finish(service);
        judged(context);
      } finally {
        incompatible.drop();
        await service.close();
      }
    },
  );
});
