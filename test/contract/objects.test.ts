import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { ObjectConflict, ObjectMissing } from "../../src/flow/ports.ts";
import type { ObjectStore } from "../../src/flow/ports.ts";
import { cacheObjects } from "../../src/io/object-cache.ts";
import { isTransient, openObjects } from "../../src/io/objects.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("objects");
const at = {
  endpoint: here.env.S3_ENDPOINT,
  bucket: here.bucket,
  region: here.env.S3_REGION,
  accessKeyId: here.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY,
};
const objects = openObjects({ ...at, page_size: 3 });
afterAll(() => objects.close());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const rejection = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable("it should have been rejected"),
    (error: unknown) => error,
  );
const keysUnder = async (prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of objects.list(prefix)) keys.push(key);
  return keys;
};

test("what was put is what is got, byte for byte", async () => {
  for (const size of [0, 1, 70_000, 2_000_000]) {
    const body = Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251);
    await objects.put(`round/athlete=a_1/${size}.parquet`, body);
    expect(Buffer.compare(await objects.get(`round/athlete=a_1/${size}.parquet`), body)).toBe(0);
  }
});

test("the same bytes under a taken key are a success, other bytes a conflict that changes nothing", async () => {
  await objects.put("twice/a", bytes("first"));
  await objects.put("twice/a", bytes("first"));
  expect(await rejection(objects.put("twice/a", bytes("other")))).toBeInstanceOf(ObjectConflict);
  expect(await objects.get("twice/a")).toEqual(bytes("first"));
});

test("of ten different puts at once one wins, and the others hear of it", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => objects.put("race/a", bytes(`body ${index}`))),
  );
  const won = results.flatMap((each, index) => (each.status === "fulfilled" ? [index] : []));
  expect(won).toHaveLength(1);
  expect(await objects.get("race/a")).toEqual(bytes(`body ${won[0]}`));
  const lost = results.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  expect(lost.every((reason) => reason instanceof ObjectConflict)).toBe(true);
});

test("ten equal puts at once all succeed", async () => {
  await Promise.all(Array.from({ length: 10 }, () => objects.put("race/b", bytes("equal"))));
  expect(await objects.get("race/b")).toEqual(bytes("equal"));
});

test("an absent object is ObjectMissing; an absent bucket is a mistake of another kind", async () => {
  expect(await rejection(objects.get("absent/a"))).toBeInstanceOf(ObjectMissing);
  const elsewhere = openObjects({ ...at, bucket: `${here.bucket}-absent` });
  const error = await rejection(elsewhere.get("absent/a"));
  expect(error).not.toBeInstanceOf(ObjectMissing);
  expect(isTransient(error)).toBe(false);
  elsewhere.close();
});

test("a range is those bytes and no more, also from the cache; of an absent object it is ObjectMissing", async () => {
  const body = bytes("0123456789");
  await objects.put("ranged", body);
  expect(await objects.getRange("ranged", { from: 2, to: 5 })).toEqual(bytes("234"));
  expect(await rejection(objects.getRange("not-there", { from: 0, to: 1 }))).toBeInstanceOf(ObjectMissing);
  const asked: string[] = [];
  const cache = cacheObjects(
    {
      ...objects,
      getRange: (key, range) => {
        asked.push(key);
        return objects.getRange(key, range);
      },
    },
    4_000,
  );
  for (let again = 0; again < 2; again += 1)
    expect(await cache.getRange("ranged", { from: 0, to: 4 })).toEqual(bytes("0123"));
  expect(asked).toHaveLength(1);
  await cache.get("ranged");
  expect(await cache.getRange("ranged", { from: 7, to: 10 })).toEqual(bytes("789"));
  expect(asked).toHaveLength(1);
  await cache.delete(["ranged"]);
  expect(await rejection(cache.getRange("ranged", { from: 0, to: 4 }))).toBeInstanceOf(ObjectMissing);
});

test("deleting takes many keys, absent ones too, and no keys at all", async () => {
  const keys = Array.from({ length: 7 }, (_, index) => `gone/${index}`);
  await Promise.all(keys.map((key) => objects.put(key, bytes(key))));
  await objects.delete([...keys.slice(1), "gone/never-there"]);
  expect(await keysUnder("gone/")).toEqual(["gone/0"]);
  await objects.delete([]);
});

test("a listing goes on over its pages, in order, with sizes and times", async () => {
  const keys = Array.from({ length: 8 }, (_, index) => `listed/${index}`);
  await Promise.all(keys.map((key, index) => objects.put(key, new Uint8Array(index))));
  const found = [];
  for await (const each of objects.list("listed/")) found.push(each);
  expect(found.map((each) => each.key)).toEqual(keys);
  expect(found.map((each) => each.bytes)).toEqual(keys.map((_, index) => index));
  for (const each of found) expect(Math.abs(each.modified_at - Date.now())).toBeLessThan(3_600_000);
  expect(await keysUnder("listed/nothing")).toEqual([]);
});

test("ensureBucket may be called again, and by several at once", async () => {
  await Promise.all([objects.ensureBucket(), objects.ensureBucket()]);
  expect(await keysUnder("no-such-prefix/")).toEqual([]);
});

/** A store that breaks in one way, on a real socket. */
const broken = async (answer: RequestListener) => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const store = openObjects({ ...at, endpoint: `http://127.0.0.1:${port}`, timeout_ms: 1_500 });
  const close = (): void => {
    store.close();
    server.closeAllConnections();
    server.close();
  };
  return { store, close };
};

const FAILURES: [string, RequestListener][] = [
  ["answers 503", (_, response) => void response.writeHead(503).end()],
  ["answers 500", (_, response) => void response.writeHead(500).end()],
  ["never answers", () => undefined],
  ["resets the connection", (request) => void request.socket.resetAndDestroy()],
  [
    "sends half a body and hangs",
    (_, response) => void response.writeHead(200, { "content-length": "10" }).write("half"),
  ],
  [
    "sends half a body and breaks off",
    (_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("half");
      setTimeout(() => response.socket?.destroy(), 20);
    },
  ],
];

test.each(FAILURES)("a store that %s is a transient rejection in bounded time", async (_, answer) => {
  const { store, close } = await broken(answer);
  expect(isTransient(await rejection(store.get("any")))).toBe(true);
  close();
});

test("a put whose answer was lost succeeds on the retry that finds its own bytes", async () => {
  const stored = new Map<string, Buffer>();
  const { store, close } = await broken((request, response) => {
    const key = request.url ?? "";
    if (request.method === "GET") {
      response.writeHead(200, { "content-length": String(stored.get(key.split("?")[0] ?? "")?.length) });
      response.end(stored.get(key.split("?")[0] ?? ""));
      return;
    }
    const taken = stored.has(key.split("?")[0] ?? "");
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (taken) response.writeHead(412).end();
      else {
        stored.set(key.split("?")[0] ?? "", Buffer.concat(chunks));
        request.socket.destroy();
      }
    });
  });
  await store.put("lost", bytes("answer"));
  expect(stored.size).toBe(1);
  close();
});

test("the cache asks the store once for what it keeps, and again for what it had to drop", async () => {
  let gets = 0;
  const counting: ObjectStore = {
    ...objects,
    get: (key) => {
      gets += 1;
      return objects.get(key);
    },
  };
  const body = new Uint8Array(1_000);
  const cache = cacheObjects(counting, 4_000);
  for (let index = 0; index < 5; index++) await cache.put(`cached/${index}`, body);
  expect(await cache.get("cached/4")).toEqual(body);
  expect(gets).toBe(0);
  await Promise.all([cache.get("cached/0"), cache.get("cached/0"), cache.get("cached/0")]);
  expect(gets).toBe(1);
  await cache.get("cached/0");
  expect(gets).toBe(1);
  await cache.delete(["cached/0"]);
  expect(await rejection(cache.get("cached/0"))).toBeInstanceOf(ObjectMissing);
});
