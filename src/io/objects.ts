import { readFileSync } from "node:fs";
import { addAbortSignal, Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ObjectConflict, ObjectMissing } from "../flow/ports.ts";
import type { ByteRange, ObjectStore } from "../flow/ports.ts";
import { textOf } from "./network-errors.ts";
import { isTransient, ShortBody, statusOf } from "./objects-errors.ts";

export { isTransient } from "./objects-errors.ts";

export type ObjectsOptions = {
  /** Absent: Amazon's own, by region. A custom endpoint is addressed with the bucket in the path. */
  endpoint?: string | undefined;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** A file with the certificates that an https endpoint's must be signed by, instead of the system's. */
  ca?: string | undefined;
  /** For one request with its body, tries included. */
  timeout_ms?: number;
  /** Keys a page of a listing, at most 1000. */
  page_size?: number;
  log?: (event: string, fields: Record<string, unknown>) => void;
};

export type Objects = ObjectStore & { ensureBucket(): Promise<void>; close(): void };

/** S3 deletes at most so many keys a request. */
const DELETE_BATCH = 1000;
const ATTEMPTS = 3;

const agentOptions = (ca: string | undefined): { maxSockets: number; ca?: string } => ({
  maxSockets: 64,
  ...(ca ? { ca: readFileSync(ca, "utf8") } : {}),
});

const openClient = (options: ObjectsOptions): S3Client =>
  new S3Client({
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    ...(options.endpoint ? { endpoint: options.endpoint, forcePathStyle: true } : {}),
    maxAttempts: ATTEMPTS,
    requestChecksumCalculation: "WHEN_SUPPORTED",
    responseChecksumValidation: "WHEN_SUPPORTED",
    requestHandler: { connectionTimeout: 3_000, socketTimeout: 10_000, httpsAgent: agentOptions(options.ca) },
  });

/** What the operations share. `signal` ends a request that hangs, its body included. */
type Store = { client: S3Client; bucket: string; signal: () => AbortSignal };

const readBody = async (body: unknown, length: number | undefined, signal: AbortSignal): Promise<Uint8Array> => {
  if (!(body instanceof Readable)) throw new TypeError("the object store answered without a body");
  const chunks: Uint8Array[] = [];
  for await (const chunk of addAbortSignal(signal, body)) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  if (length !== undefined && bytes.length !== length) {
    throw new ShortBody(`the object store sent ${bytes.length} of ${length} bytes`);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
};

/** HTTP's last byte is inclusive. */
const rangeHeader = (range: ByteRange | null) =>
  range === null ? {} : { Range: `bytes=${range.from}-${range.to - 1}` };

const getOnce = async (store: Store, key: string, range: ByteRange | null): Promise<Uint8Array> => {
  const signal = store.signal();
  try {
    const command = new GetObjectCommand({ Bucket: store.bucket, Key: key, ...rangeHeader(range) });
    const answer = await store.client.send(command, { abortSignal: signal });
    return await readBody(answer.Body, answer.ContentLength, signal);
  } catch (error) {
    if (textOf(error, "name") === "NoSuchKey") throw new ObjectMissing(`no object ${key}`, { cause: error });
    throw error;
  }
};

/** The client repeats a request that failed, but not a body that broke off: that is done here. */
const get = async (store: Store, key: string, range: ByteRange | null = null): Promise<Uint8Array> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await getOnce(store, key, range);
    } catch (error) {
      if (attempt >= ATTEMPTS || !(error instanceof ShortBody || textOf(error, "code") === "ECONNRESET")) throw error;
    }
  }
};

/**
 * Create-only. 412 says that the key exists, 409 that another request is creating it: either may be an earlier try of
 * this very put whose answer was lost, so the bytes there decide.
 */
const put = async (store: Store, key: string, body: Uint8Array): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      const command = new PutObjectCommand({ Bucket: store.bucket, Key: key, Body: body, IfNoneMatch: "*" });
      await store.client.send(command, { abortSignal: store.signal() });
      return;
    } catch (error) {
      const status = statusOf(error);
      if (status !== 412 && status !== 409) throw error;
      const there = await get(store, key).catch((failure: unknown) => {
        if (failure instanceof ObjectMissing) return undefined;
        throw failure;
      });
      if (there && Buffer.compare(there, body) === 0) return;
      if (there) throw new ObjectConflict(`object ${key} exists with other bytes`, { cause: error });
      // The other request came to nothing; its key is free again.
      if (attempt >= ATTEMPTS) throw error;
    }
  }
};

const deleteAll = async (store: Store, keys: readonly string[]): Promise<void> => {
  for (let at = 0; at < keys.length; at += DELETE_BATCH) {
    const batch = keys.slice(at, at + DELETE_BATCH).map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({ Bucket: store.bucket, Delete: { Objects: batch, Quiet: true } });
    const answer = await store.client.send(command, { abortSignal: store.signal() });
    const failed = answer.Errors?.find((each) => each.Code !== "NoSuchKey");
    if (failed) {
      const error = new Error(`object ${failed.Key} was not deleted: ${failed.Code} ${failed.Message}`);
      throw Object.assign(error, { name: failed.Code ?? "Error" });
    }
  }
};

async function* list(store: Store, prefix: string, pageSize: number): ReturnType<ObjectStore["list"]> & AsyncGenerator {
  let token: string | undefined;
  do {
    const page = await store.client.send(
      new ListObjectsV2Command({ Bucket: store.bucket, Prefix: prefix, MaxKeys: pageSize, ContinuationToken: token }),
      { abortSignal: store.signal() },
    );
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key) yield { key: Key, bytes: Size ?? 0, modified_at: LastModified?.getTime() ?? 0 };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
}

const ensureBucket = async (store: Store, options: ObjectsOptions): Promise<void> => {
  const there = await store.client
    .send(new HeadBucketCommand({ Bucket: store.bucket }), { abortSignal: store.signal() })
    .then(() => true)
    .catch((error: unknown) => {
      if (statusOf(error) === 404) return false;
      throw error;
    });
  if (there) return;
  const place =
    options.endpoint || options.region === "us-east-1"
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: options.region as "eu-west-1" } };
  await store.client
    .send(new CreateBucketCommand({ Bucket: store.bucket, ...place }), { abortSignal: store.signal() })
    .catch((error: unknown) => {
      if (textOf(error, "name") !== "BucketAlreadyOwnedByYou") throw error;
    });
};

/**
 * The ObjectStore port on an S3 bucket. Requests are checksummed, tried at most three times and end after `timeout_ms`;
 * `isTransient` classifies what they reject with.
 */
export const openObjects = (options: ObjectsOptions): Objects => {
  const client = openClient(options);
  const store: Store = {
    client,
    bucket: options.bucket,
    signal: () => AbortSignal.timeout(options.timeout_ms ?? 30_000),
  };
  const noted = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      if (isTransient(error))
        options.log?.("object_store_failed", { error: textOf(error, "name"), status: statusOf(error) });
      throw error;
    });
  return {
    put: (key, body) => noted(put(store, key, body)),
    get: (key) => noted(get(store, key)),
    getRange: (key, range) => noted(get(store, key, range)),
    delete: (keys) => noted(deleteAll(store, keys)),
    list: (prefix) => list(store, prefix, options.page_size ?? 1000),
    ensureBucket: () => noted(ensureBucket(store, options)),
    close: () => client.destroy(),
  };
};
