import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { CreateBucketCommand, PutObjectCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { Client } from "pg";
import type { StackEnvironment } from "./environment.ts";
import { kafkaAnswers, warmKafka } from "./probe-kafka.ts";
import type { PartName } from "./state.ts";

type Probe = (env: StackEnvironment) => Promise<void>;

/** Whether a part answers a question that changes nothing. A rejection says what went wrong. */
export const ANSWERS: Record<PartName, Probe> = {
  kafka: kafkaAnswers,
  registry: async (env) => void (await registry(env, "/subjects")),
  postgres: selectOne,
  objects: (env) => withS3(env, async (s3) => void (await s3.send(new ListBucketsCommand({})))),
};

/** Whether a part does what it is there for: used once after a start, because it writes and cleans up after itself. */
export const WORKS: Record<PartName, Probe> = {
  kafka: warmKafka,
  registry: registryWorks,
  postgres: selectOne,
  objects: objectsWork,
};

/** For a stack that is not ours: the bucket rather than the list of all, which a key may not be allowed to see. */
export const FOREIGN: Record<PartName, Probe> = {
  ...ANSWERS,
  objects: (env) =>
    withS3(env, async (s3) => {
      try {
        await s3.send(new HeadBucketCommand({ Bucket: env.S3_BUCKET }));
      } catch (error) {
        // `serve --setup` creates it.
        if (status(error) !== 404) throw error;
      }
    }),
};

/** Asks until the answer is right; `stillWorthIt` ends the waiting early by throwing, when the process has died. */
export async function untilRight(probe: () => Promise<void>, stillWorthIt: () => void, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      await probe();
      return;
    } catch (error) {
      stillWorthIt();
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function selectOne(env: StackEnvironment): Promise<void> {
  const client = new Client({ connectionString: env.DATABASE_URL, connectionTimeoutMillis: 5000 });
  // Heard so that a server that goes away is a failed query and not an uncaught event.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end();
  }
}

type Answer = { id?: number; schema?: string };

async function registry(env: StackEnvironment, path: string, method = "GET", body?: unknown): Promise<Answer> {
  const response = await fetch(env.SCHEMA_REGISTRY_URL.replace(/\/$/, "") + path, {
    method,
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 200)}`);
  const answer: Answer = JSON.parse(text);
  return answer;
}

async function registryWorks(env: StackEnvironment): Promise<void> {
  // Apicurio's own default is NONE; Confluent's, which every client expects, is BACKWARD.
  await registry(env, "/config", "PUT", { compatibility: "BACKWARD" });
  const subject = `/subjects/health-sync-probe-${randomUUID()}`;
  const schema = JSON.stringify({ type: "record", name: "Probe", fields: [{ name: "at", type: "long" }] });
  const { id } = await registry(env, `${subject}/versions`, "POST", { schema });
  const found = await registry(env, `/schemas/ids/${id}`);
  if (JSON.parse(found.schema ?? "{}").name !== "Probe") throw new Error("the registry gave back another schema");
  await registry(env, subject, "DELETE");
  await registry(env, `${subject}?permanent=true`, "DELETE");
}

async function objectsWork(env: StackEnvironment): Promise<void> {
  const where = { Bucket: env.S3_BUCKET, Key: `_probe/${randomUUID()}` };
  await withS3(env, async (s3) => {
    try {
      await s3.send(new CreateBucketCommand({ Bucket: env.S3_BUCKET }));
    } catch (error) {
      if (status(error) !== 409) throw error;
    }
    await s3.send(new PutObjectCommand({ ...where, Body: where.Key }));
    const read = await s3.send(new GetObjectCommand(where));
    if ((await read.Body?.transformToString()) !== where.Key) throw new Error("S3 gave back another object");
    await s3.send(new DeleteObjectCommand(where));
  });
}

async function withS3(env: StackEnvironment, work: (s3: S3Client) => Promise<void>): Promise<void> {
  const s3 = new S3Client({
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    forcePathStyle: true,
    maxAttempts: 1,
    ...(env.AWS_ACCESS_KEY_ID === ""
      ? {}
      : { credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY } }),
  });
  try {
    await work(s3);
  } finally {
    s3.destroy();
  }
}

function status(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
