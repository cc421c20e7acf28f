import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import type { AuditEnvironment } from "./environment.ts";
import type { Listed, ObjectFound, StoredRow, StreamRow } from "./stored.ts";

const CONCURRENCY = 8;
const FILES_A_QUERY = 200;

export const s3Client = (s3: AuditEnvironment["s3"]): S3Client =>
  new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });

export const listObjects = async (client: S3Client, bucket: string, prefix: string): Promise<Listed[]> => {
  const out: Listed[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) }),
    );
    for (const o of page.Contents ?? []) out.push({ key: o.Key ?? "", modified_at: o.LastModified?.getTime() ?? 0 });
    token = page.NextContinuationToken;
  } while (token);
  return out;
};

const fetchObject = async (client: S3Client, bucket: string, key: string): Promise<Uint8Array | undefined> => {
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await answer.Body?.transformToByteArray();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
};

const COLUMNS = `athlete_id, sample_id::varchar as sample_id, metric, epoch_ms(start_at)::double as start_at,
  epoch_ms(end_at)::double as end_at, value, unit, source, device, tz, local_date::varchar as local_date, attributes, filename as "where"`;

const STREAM_COLUMNS = `session_id::varchar as session_id, channel, epoch_ms(start_at)::double as start_at,
  epoch_ms(end_at)::double as end_at, value, source, filename as "where"`;

const query = async (duck: DuckDBConnection, columns: string, files: readonly string[]): Promise<Where[]> => {
  const names = files.map((f) => `'${f}'`).join(", ");
  const reader = await duck.runAndReadAll(
    `select ${columns} from read_parquet([${names}], filename = true, hive_partitioning = false)`,
  );
  return reader.getRowObjectsJS() as unknown as Where[];
};
type Where = { where: string };

/** All rows of the files; where one cannot be read the others still are. */
const readFiles = async (duck: DuckDBConnection, columns: string, files: readonly string[]): Promise<Where[]> => {
  if (files.length === 0) return [];
  try {
    return await query(duck, columns, files);
  } catch (error) {
    if (files.length === 1) {
      if (/parquet|magic|footer|thrift|cast|binder/i.test(String(error))) return [];
      throw error;
    }
    const half = Math.ceil(files.length / 2);
    return [
      ...(await readFiles(duck, columns, files.slice(0, half))),
      ...(await readFiles(duck, columns, files.slice(half))),
    ];
  }
};

const download = async (
  env: AuditEnvironment,
  keys: readonly string[],
  folder: string,
): Promise<{ objects: Map<string, ObjectFound>; files: Map<string, string>; listed: Listed[] }> => {
  const client = s3Client(env.s3);
  const objects = new Map<string, ObjectFound>();
  const files = new Map<string, string>();
  const queue = [...keys.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [n, key] = next;
      const bytes = await fetchObject(client, env.s3.bucket, key);
      if (!bytes) continue;
      const content_hash = createHash("sha256").update(bytes).digest("hex");
      objects.set(key, { bytes: bytes.byteLength, content_hash, rows: 0, readable: false });
      const file = join(folder, `${n}.parquet`);
      await writeFile(file, bytes);
      files.set(file, key);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const listed = [
    ...(await listObjects(client, env.s3.bucket, "health_streams/")),
    ...(await listObjects(client, env.s3.bucket, "sleep_streams/")),
  ];
  client.destroy();
  return { objects, files, listed };
};

type Read = Awaited<ReturnType<typeof download>>;

/** The rows of the files whose key is among `keys`, each under its object's key. */
const rowsOf = async (duck: DuckDBConnection, read: Read, columns: string, keys: readonly string[]) => {
  const wanted = new Set(keys);
  const names = [...read.files].filter(([, key]) => wanted.has(key)).map(([file]) => file);
  const rows: Where[] = [];
  for (let i = 0; i < names.length; i += FILES_A_QUERY) {
    for (const row of await readFiles(duck, columns, names.slice(i, i + FILES_A_QUERY))) {
      const key = read.files.get(row.where) ?? row.where;
      const object = read.objects.get(key);
      if (object) Object.assign(object, { rows: object.rows + 1, readable: true });
      rows.push({ ...row, where: key });
    }
  }
  return rows;
};

/** Fetches what the pointers name, and reads it with a second Parquet reader (DuckDB). */
export const readObjects = async (
  env: AuditEnvironment,
  keys: { days: readonly string[]; nights: readonly string[] },
): Promise<{
  rows: StoredRow[];
  streamRows: StreamRow[];
  objects: Map<string, ObjectFound>;
  listed: Listed[];
}> => {
  const folder = await mkdtemp(join(tmpdir(), "health-sync-audit-"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const duck = await instance.connect();
  try {
    const read = await download(env, [...keys.days, ...keys.nights], folder);
    const rows = (await rowsOf(duck, read, COLUMNS, keys.days)) as StoredRow[];
    const streamRows = (await rowsOf(duck, read, STREAM_COLUMNS, keys.nights)) as StreamRow[];
    return { rows, streamRows, objects: read.objects, listed: read.listed };
  } finally {
    duck.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
};
