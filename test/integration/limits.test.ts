import { expect, test } from "vitest";
import type { Route } from "../../src/flow/route.ts";
import { createLimits } from "../../src/io/http-limits.ts";
import { openEdge, tokenFor } from "../support/ingest/edge.ts";

const clock = { now: () => Date.now() };
const route = (path: string, handler: Route["handler"]): Route => ({
  method: "GET",
  path: `/v1/athletes/{athlete_id}/${path}`,
  scope: "read",
  summary: path,
  schema: {},
  handler,
});

test("an athlete with everything under way that it may have is told to wait, another is served, and places come back", async () => {
  const release = Promise.withResolvers<void>();
  let entered = 0;
  const slow = route("slow", async () => {
    entered += 1;
    await release.promise;
    return { status: 200, body: {} };
  });
  const failing = route("failing", () => Promise.reject(new Error("a bug")));
  const edge = await openEdge([slow, failing], {
    admission: createLimits(clock, { per_token: 1000, per_athlete: 1000, in_flight: 64 }),
  });
  const mine = Array.from({ length: 4 }, () => edge.ask("/v1/athletes/greedy/slow"));
  await expect.poll(() => entered).toBe(4);
  const refused = await edge.ask("/v1/athletes/greedy/slow");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  const other = edge.ask("/v1/athletes/other/slow");
  await expect.poll(() => entered).toBe(5);
  release.resolve();
  expect((await Promise.all([...mine, other])).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  // Answers of every kind give their place back, a client that hangs up as well.
  for (let n = 0; n < 6; n += 1) expect((await edge.ask("/v1/athletes/greedy/failing")).status).toBe(500);
  expect((await edge.ask("/v1/athletes/greedy/slow")).status).toBe(200);
});

test("clients that hang up give their places back", async () => {
  let entered = 0;
  const edge = await openEdge(
    [
      route("stuck", async () => {
        entered += 1;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return { status: 200, body: {} };
      }),
    ],
    { admission: createLimits(clock, { per_token: 1000, per_athlete: 1000, in_flight: 64 }) },
  );
  const leaving = new AbortController();
  const all = Array.from({ length: 4 }, () => edge.ask("/v1/athletes/a/stuck", { signal: leaving.signal }));
  await expect.poll(() => entered).toBe(4);
  leaving.abort();
  await Promise.allSettled(all);
  await expect.poll(async () => (await edge.ask("/v1/athletes/a/stuck")).status, { timeout: 5_000 }).toBe(200);
});

async function* forever(): AsyncGenerator<string> {
  for (;;) {
    yield "data: 1\n\n";
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

test("a stream takes a place only until it begins", async () => {
  const headers = { "content-type": "text/event-stream" };
  const edge = await openEdge([route("live", async () => ({ status: 200, body: forever(), headers }))], {
    admission: createLimits(clock, { per_token: 1000, per_athlete: 1000, in_flight: 64 }),
  });
  const authorization = `Bearer ${await tokenFor()}`;
  const leaving = new AbortController();
  const open = () => fetch(`${edge.url}/v1/athletes/a/live`, { headers: { authorization }, signal: leaving.signal });
  const streams = await Promise.all(Array.from({ length: 10 }, open));
  expect(streams.filter(({ status }) => status === 200).length).toBeGreaterThan(4);
  expect((await open()).status).toBe(200);
  leaving.abort();
});
