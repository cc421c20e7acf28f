import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, S3Client } from "@aws-sdk/client-s3";
import { ListBucketsCommand, ListObjectsV2Command, NoSuchBucket } from "@aws-sdk/client-s3";
import { Kafka, logLevel } from "kafkajs";
import type { StackEnvironment } from "../../stack/environment.ts";
import { restQueues } from "../../src/io/kafka-queue.ts";
import { codeOf } from "../../stack/process.ts";
import { onDatabase, withClient } from "./stack-database.ts";

/** `t-NAME-PID-RANDOM`, the name of the database and of the bucket; topics have a dot and more after it. */
const CORNER = /^(t-[a-z0-9-]+-(\d+)-[0-9a-f]{6})(?:\.|$)/;

/** Drops the corners of processes that are gone, as a killed test run leaves them. Only for a stack of this machine. */
export async function dropOrphans(stack: StackEnvironment): Promise<void> {
  await dropLeftovers(stack, (corner) => !isAlive(Number(CORNER.exec(corner)?.[2])));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Removes what belongs to the corners that `which` picks, everywhere in the stack. */
export async function dropLeftovers(stack: StackEnvironment, which: (corner: string) => boolean): Promise<void> {
  const picked = (name: string): boolean => {
    const corner = CORNER.exec(name)?.[1];
    return corner !== undefined && which(corner);
  };
  await Promise.all([
    dropDatabases(stack, picked),
    dropBuckets(stack, picked),
    dropTopics(stack, picked),
    dropSubjects(stack, picked),
  ]);
}

type Pick = (name: string) => boolean;

async function dropDatabases(stack: StackEnvironment, picked: Pick): Promise<void> {
  await withClient(onDatabase(stack.DATABASE_URL, "postgres"), async (client) => {
    const { rows } = await client.query<{ datname: string }>("select datname from pg_database");
    for (const { datname } of rows.filter((row) => picked(row.datname))) {
      await client.query(`drop database if exists "${datname}" with (force)`);
    }
  });
}

async function dropTopics(stack: StackEnvironment, picked: Pick): Promise<void> {
  restQueues();
  const kafka = new Kafka({ brokers: stack.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (let left = Infinity; ;) {
      const topics = (await admin.listTopics()).filter(picked);
      if (topics.length === 0) break;
      try {
        await admin.deleteTopics({ topics });
        break;
      } catch (error) {
        // Another run may clear the same away at the same time: what is left is asked for again.
        if (topics.length >= left) throw error;
        left = topics.length;
      }
    }
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(picked);
    // A group whose member was killed is not empty until its session times out; a later run removes it.
    if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined);
  } finally {
    await admin.disconnect();
  }
}

async function dropSubjects(stack: StackEnvironment, picked: Pick): Promise<void> {
  const subjects = `${stack.SCHEMA_REGISTRY_URL}/subjects`;
  const response = await fetch(subjects);
  if (!response.ok) throw new Error(`${subjects} answered ${response.status}`);
  const all: string[] = JSON.parse(await response.text());
  for (const subject of all.filter(picked)) {
    const url = `${subjects}/${encodeURIComponent(subject)}`;
    for (const target of [url, `${url}?permanent=true`]) await fetch(target, { method: "DELETE" });
  }
}

async function dropBuckets(stack: StackEnvironment, picked: Pick): Promise<void> {
  await withS3(stack, async (s3) => {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const names = Buckets.flatMap(({ Name }) => (Name !== undefined && picked(Name) ? [Name] : []));
    for (const name of names) await dropBucket(s3, name).catch(unlessGone);
  });
}

/** Two test runs that begin at once clear the same leftovers away. */
function unlessGone(error: unknown): void {
  if (!(error instanceof NoSuchBucket)) throw error;
}

async function dropBucket(s3: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    if (Contents.length === 0) break;
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

export async function makeBucket(stack: StackEnvironment, bucket: string): Promise<void> {
  await withS3(stack, async (s3) => void (await s3.send(new CreateBucketCommand({ Bucket: bucket }))));
}

async function withS3(stack: StackEnvironment, work: (s3: S3Client) => Promise<void>): Promise<void> {
  const credentials = { accessKeyId: stack.AWS_ACCESS_KEY_ID, secretAccessKey: stack.AWS_SECRET_ACCESS_KEY };
  const s3 = new S3Client({ endpoint: stack.S3_ENDPOINT, region: stack.S3_REGION, forcePathStyle: true, credentials });
  try {
    await work(s3);
  } finally {
    s3.destroy();
  }
}
