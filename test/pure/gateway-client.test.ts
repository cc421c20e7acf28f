import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { reconcile } from "../../examples/gateway/gateway.ts";
import { type Batch, sendBatch, type SendOptions, Stopped, TryLater } from "../../examples/gateway/send.ts";
import { anchorStore, healthStore } from "../support/health-store.ts";

/** Answers one by one what a script says; after its end 202. */
const scripted = async (script: readonly (readonly [status: number, retryAfter?: string])[]) => {
  const seen: { path: string; token: string; body: Batch }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = JSON.parse(gunzipSync(Buffer.concat(pieces)).toString()) as Batch;
      const [status, retryAfter] = script[seen.length] ?? [202];
      seen.push({ path: request.url ?? "", token: request.headers.authorization ?? "", body });
      if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
      const answer = status === 202 ? { batch_id: body.batch_id, rejected: [] } : { detail: "because" };
      if (status === 0) request.socket.destroy();
      else response.writeHead(status).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  afterAll(() => server.close());
  const pauses: number[] = [];
  let tokens = 0;
  const options: SendOptions = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/athletes/a1`,
    token: async () => `t${(tokens += 1)}`,
    sleep: async (ms) => pauses.push(ms),
    random: () => 0,
  };
  return { seen, pauses, options };
};
const batch: Batch = { samples: [{ uuid: "1" }, { uuid: "2" }, { uuid: "3" }], deleted: [{ uuid: "4" }] };
const idsOf = ({ samples = [], deleted = [] }: Batch): string[] => [...samples, ...deleted].map(({ uuid }) => uuid);

test("no answer, a busy or an absent service get the same bytes again, as late as the service asks", async () => {
  const { seen, pauses, options } = await scripted([[0], [503, "2"], [429, "7"], [500], [502], [202]]);
  expect(await sendBatch(options, batch)).toHaveLength(1);
  expect(new Set(seen.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(pauses).toEqual([500, 2000, 7000, 4000, 8000]);
});

test("patience ends: the caller is told to come later, and its anchor stays", async () => {
  const { seen, options } = await scripted(Array.from({ length: 9 }, () => [503, "0"] as const));
  await expect(sendBatch({ ...options, tries: 3 }, batch)).rejects.toThrow(TryLater);
  expect(seen).toHaveLength(3);
});

test("a batch that is too large is halved, and halved again, without losing an entry", async () => {
  const { seen, options } = await scripted([[413], [413], [202], [202], [202]]);
  expect(await sendBatch(options, batch)).toHaveLength(3);
  expect(
    seen
      .slice(2)
      .flatMap(({ body }) => idsOf(body))
      .toSorted(),
  ).toEqual(["1", "2", "3", "4"]);
  expect(new Set(seen.map(({ body }) => body.batch_id)).size).toBe(5);
});

test("a single entry that is too large is not halved for ever", async () => {
  const { options } = await scripted([[413]]);
  await expect(sendBatch(options, { samples: [{ uuid: "1" }] })).rejects.toMatchObject({ status: 413 });
});

test("a batch_id that is taken is replaced, once", async () => {
  const renamed = await scripted([[409], [202]]);
  await sendBatch(renamed.options, batch);
  const [first, second] = renamed.seen.map(({ body }) => body);
  expect(second?.batch_id).not.toBe(first?.batch_id);
  expect({ ...second, batch_id: "" }).toEqual({ ...first, batch_id: "" });
  const { options } = await scripted([[409], [409]]);
  await expect(sendBatch(options, batch)).rejects.toMatchObject({ status: 409 });
});

test("an expired token is replaced, once", async () => {
  const { seen, options } = await scripted([[401], [202]]);
  await sendBatch(options, batch);
  expect(seen.map(({ token }) => token)).toEqual(["Bearer t1", "Bearer t2"]);
  const refused = await scripted([[401], [401]]);
  await expect(sendBatch(refused.options, batch)).rejects.toMatchObject({ status: 401 });
});

test.each([400, 403, 404, 410, 415])("%i stops: sending it again would help nobody", async (status) => {
  const { seen, options } = await scripted([[status]]);
  await expect(sendBatch(options, batch)).rejects.toThrow(Stopped);
  expect(seen).toHaveLength(1);
});

test("the same content has the same id, other content another", async () => {
  const { seen, options } = await scripted([]);
  await sendBatch(options, batch);
  await sendBatch(options, { ...batch, batch_id: "mine" });
  await sendBatch(options, { ...batch, deleted: [] });
  const [a, b, c] = seen.map(({ body }) => body.batch_id);
  expect(b).toBe(a);
  expect(c).not.toBe(a);
});

test("where HealthKit has nothing, nothing is said: reading may not be allowed any longer", async () => {
  const { seen, options } = await scripted([]);
  const health = healthStore();
  const gateway = { ...options, health: health.store, anchors: anchorStore(() => false), timeZone: () => "UTC" };
  const range = { from: new Date(0), to: new Date(1000) };
  expect(await reconcile(gateway, "T", range)).toBeNull();
  health.add({ uuid: "1", type: "T", start: new Date(1).toISOString(), end: new Date(2).toISOString() });
  expect(await reconcile(gateway, "T", range)).not.toBeNull();
  expect(seen.map(({ path }) => path.split("/").at(-1))).toEqual(["batches", "reconcile"]);
});
