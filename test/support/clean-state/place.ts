import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import avsc from "avsc";
import kafkajs from "kafkajs";
import { Client, Pool } from "pg";
import { auditEnvironment, type AuditEnvironment } from "../audit/environment.ts";
import { s3Client } from "../audit/object-files.ts";
import { kafkaClient } from "../audit/topic-log.ts";

/** A database, bucket and topics of its own on the stack, and the means to write there without the product. */
export type Place = {
  env: AuditEnvironment;
  sql(text: string, params?: unknown[]): Promise<unknown[]>;
  put(key: string, body: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  send(topic: string, records: { key: string | null; value: unknown }[]): Promise<void>;
  close(): Promise<void>;
};

const SCHEMAS: Record<string, string> = {
  metrics: "athlete-metric",
  "day-partitions": "day-partition",
  "sleep-sessions": "sleep-session",
  deadletter: "dead-letter",
  batches: "batch-receipt",
};
const ROOT = new URL("../../../", import.meta.url);

const createDatabase = async (url: string, name: string): Promise<string> => {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database "${name}"`);
  await admin.end();
  const own = new URL(url);
  own.pathname = `/${name}`;
  const client = new Client({ connectionString: own.href });
  await client.connect();
  const files = (await readdir(new URL("migrations/", ROOT))).filter((file) => /^\d{4}_/.test(file)).toSorted();
  for (const file of files) await client.query(await readFile(new URL(`migrations/${file}`, ROOT), "utf8"));
  await client.end();
  return own.href;
};

const dropDatabase = async (url: string, name: string): Promise<void> => {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query(`drop database if exists "${name}" with (force)`);
  await admin.end();
};

type Encode = (value: unknown) => Buffer;

const register = async (env: AuditEnvironment, topic: string): Promise<Encode> => {
  const schema = await readFile(new URL(`avro/${SCHEMAS[topic]}.avsc`, ROOT), "utf8");
  const answer = await fetch(`${env.registryUrl}/subjects/${env.topicPrefix}health.${topic}.v1-value/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema }),
  });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status}: ${await answer.text()}`);
  const { id } = (await answer.json()) as { id: number };
  const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
  const frame = Buffer.from([0, 0, 0, 0, 0]);
  frame.writeUInt32BE(id, 1);
  return (value) => Buffer.concat([frame, type.toBuffer(value)]);
};

const createTopics = async (env: AuditEnvironment): Promise<Map<string, Encode>> => {
  const admin = kafkaClient(env).admin();
  await admin.connect();
  const topics = Object.keys(SCHEMAS).map((t) => ({ topic: `${env.topicPrefix}health.${t}.v1`, numPartitions: 3 }));
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
  const encoders = new Map<string, Encode>();
  for (const topic of Object.keys(SCHEMAS)) encoders.set(topic, await register(env, topic));
  return encoders;
};

const deleteTopics = async (env: AuditEnvironment): Promise<void> => {
  const admin = kafkaClient(env).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: Object.keys(SCHEMAS).map((t) => `${env.topicPrefix}health.${t}.v1`) });
  await admin.disconnect();
};

const objects = (client: S3Client, bucket: string): Pick<Place, "put" | "remove"> => ({
  put: async (key, body) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  },
  remove: async (key) => {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  },
});

export const openPlace = async (variables: Record<string, string | undefined>): Promise<Place> => {
  const name = `audit-${randomUUID().slice(0, 8)}`;
  const base = auditEnvironment(variables);
  const databaseUrl = await createDatabase(base.databaseUrl, name);
  const env: AuditEnvironment = { ...base, databaseUrl, topicPrefix: `${name}.`, s3: { ...base.s3, bucket: name } };
  const client = s3Client(env.s3);
  await client.send(new CreateBucketCommand({ Bucket: name }));
  const encoders = await createTopics(env);
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  const producer = kafkaClient(env).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  return {
    env,
    sql: async (text, params) => (await pool.query(text, params)).rows,
    ...objects(client, name),
    send: async (topic, records) => {
      const messages = records.map((r) => ({
        key: r.key,
        value: r.value === null ? null : (encoders.get(topic)?.(r.value) ?? null),
      }));
      await producer.send({ topic: `${env.topicPrefix}health.${topic}.v1`, messages });
    },
    close: async () => {
      await producer.disconnect();
      await pool.end();
      client.destroy();
      await deleteTopics(env);
      await dropDatabase(base.databaseUrl, name);
    },
  };
};
