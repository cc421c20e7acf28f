import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import registryClient from "@kafkajs/confluent-schema-registry";
import fastify from "fastify";
import kafkajs from "kafkajs";
import { NAIVE_SCHEMA } from "./edge-naive-schema.ts";

// What a user would write instead: Fastify checks the body, the registry's client encodes every sample, each is a record.
const { KAFKA_BROKERS = "", SCHEMA_REGISTRY_URL = "", TOPIC_PREFIX = "" } = process.env;
const topic = `${TOPIC_PREFIX}naive`;
const compress = promisify(zstdCompress);
// The same compression as ours, and told the size too, or it would lose by that alone.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => compress(buffer, { pledgedSrcSize: buffer.length }),
  decompress: () => Promise.reject(new Error("nothing is read here")),
});
const kafka = new kafkajs.Kafka({ brokers: KAFKA_BROKERS.split(","), logLevel: kafkajs.logLevel.ERROR });
const registry = new registryClient.SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
const text = { type: "string" } as const;
const NAMES = ["uuid", "type", "start", "end"] as const;
type Sample = Record<(typeof NAMES)[number], string> & {
  value: number;
  unit?: string;
  source: object;
  metadata: object;
};
type Body = { samples: Sample[] };

const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 24 }] });
await admin.disconnect();
const avro = { type: registryClient.SchemaType.AVRO, schema: JSON.stringify(NAIVE_SCHEMA) } as const;
const { id } = await registry.register(avro, { subject: `${topic}-value` });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();

const app = fastify({ bodyLimit: 16 << 20 });
const body = {
  type: "object",
  required: ["samples"],
  properties: {
    samples: {
      type: "array",
      items: {
        type: "object",
        required: [...NAMES, "value"],
        properties: {
          uuid: { type: "string", format: "uuid" },
          type: text,
          start: { type: "string", format: "date-time" },
          end: { type: "string", format: "date-time" },
          value: { type: "number" },
          unit: text,
        },
      },
    },
  },
};
app.post<{ Params: { athlete: string }; Body: Body }>(
  "/v1/athletes/:athlete/batches",
  { schema: { body } },
  async (request, reply) => {
    const { athlete } = request.params;
    const messages = await Promise.all(
      request.body.samples.map(async ({ source, metadata, unit = "", ...sample }) => ({
        key: athlete,
        value: await registry.encode(id, {
          ...sample,
          athlete_id: athlete,
          unit,
          source: JSON.stringify(source),
          metadata: JSON.stringify(metadata),
        }),
      })),
    );
    await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages });
    return reply.code(202).send({ accepted: messages.length });
  },
);
const url = await app.listen({ port: 0, host: "127.0.0.1" });
process.stderr.write(`${JSON.stringify({ event: "listening", url })}\n`);
