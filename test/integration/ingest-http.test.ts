import { gzipSync } from "node:zlib";
import { SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import type { Route } from "../../src/flow/route.ts";
import { openCorner } from "../support/corner.ts";
import { heartRate, openEdge, openIngest, post, SECRET, tokenFor } from "../support/ingest/edge.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("ingest-http");
const { kafka, db, codec, topics } = await openCorner(here);
const edge = await openIngest(
  { producer: kafka.producer(), codec, topics, db, isTransient: () => false },
  { limits: { body_bytes: 100_000, inflated_bytes: 1_000_000 } },
);
const PATH = "/v1/athletes/a1/batches";
const good = { samples: [heartRate(1)] };
const many = (count: number) => Array.from({ length: count }, () => 1);

test.each<[string, RequestInit, number, string | null]>([
  ["no body", { method: "POST", headers: { "content-type": "application/json" } }, 400, null],
  ["text", { method: "POST", body: "hello" }, 415, null],
  ["a form", { method: "POST", body: new URLSearchParams({ a: "b" }) }, 415, null],
  ["broken JSON", post('{"samples":['), 400, null],
  ["bytes that are no UTF-8", post(Buffer.from([0x7b, 0xff, 0x7d])), 400, null],
  ["a list", post([]), 400, ""],
  ["null", post("null"), 400, ""],
  ["another client's JSON", post({ data: { metrics: [] } }), 400, "samples"],
  ["samples that are no list", post({ samples: {} }), 400, "samples"],
  ["deleted that is no list", post({ deleted: "x" }), 400, "deleted"],
  ["too many samples", post({ samples: many(5001) }), 400, "samples"],
  ["too many entries in all", post({ samples: many(3000), deleted: many(2001) }), 400, "samples"],
  ["a batch_id of another kind", post({ ...good, batch_id: 7 }), 400, "batch_id"],
  ["a batch_id that is a path", post({ ...good, batch_id: "../x" }), 400, "batch_id"],
  ["an unknown provider", post({ ...good, provider: "other" }), 400, "provider"],
  ["a zone that is none", post({ ...good, time_zone: "Mars/Olympus" }), 400, "time_zone"],
  ["an anchor that is no text", post({ ...good, anchor: {} }), 400, "anchor"],
  ["a body over the limit", post({ ...good, anchor: "x".repeat(100_001) }), 413, null],
  [
    "a small gzip of many bytes",
    post(gzipSync(Buffer.alloc(1_000_001, " ")), { "content-encoding": "gzip" }),
    413,
    null,
  ],
  ["what is no gzip", post(good, { "content-encoding": "gzip" }), 400, null],
  ["an encoding that we do not read", post(good, { "content-encoding": "br" }), 415, null],
])("%s is answered by a problem document that names what is wrong", async (_, init, status, path) => {
  const answer = await edge.ask(PATH, init);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({
    type: "about:blank",
    status,
    title: expect.any(String) as unknown,
    detail: expect.any(String) as unknown,
  });
  const named = (answer.body["errors"] as { path: string; detail: string }[] | undefined) ?? [];
  expect(named.map((error) => error.path)).toEqual(path === null ? [] : [path]);
});

const key = new TextEncoder().encode(SECRET);
const signed = (
  claims: Record<string, unknown>,
  more: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
  alg = "HS256",
): Promise<string> => {
  const jwt = new SignJWT({ athletes: "*", scopes: ["ingest"], ...claims }).setProtectedHeader({ alg });
  return more(jwt.setIssuer("health-sync").setAudience("health-sync").setExpirationTime("5m")).sign(key);
};

test.each<[string, () => Promise<string>]>([
  ["signed with another secret", () => tokenFor({ secret: "another secret, long enough to sign with" })],
  ["expired", () => tokenFor({ ttl: -1 })],
  ["for another audience", () => signed({}, (jwt) => jwt.setAudience("elsewhere"))],
  ["of another issuer", () => signed({}, (jwt) => jwt.setIssuer("elsewhere"))],
  [
    "without expiry",
    () =>
      new SignJWT({ athletes: "*", scopes: ["ingest"] })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer("health-sync")
        .setAudience("health-sync")
        .sign(key),
  ],
  ["signed with another algorithm", () => signed({}, (jwt) => jwt, "HS512")],
  [
    "unsigned",
    async () =>
      new UnsecuredJWT({ athletes: "*", scopes: ["ingest"] })
        .setIssuer("health-sync")
        .setAudience("health-sync")
        .setExpirationTime("5m")
        .encode(),
  ],
  ["without athletes", () => signed({ athletes: undefined })],
  ["with a scope that there is not", () => signed({ scopes: ["ingest", "root"] })],
  ["that is no token", async () => "abc"],
])("a token %s is refused", async (_, make) => {
  const answer = await edge.ask(PATH, post("not even JSON", { authorization: `Bearer ${await make()}` }));
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
});

test("without a token there is no answer but 401, whatever the header", async () => {
  for (const authorization of ["", "Basic abc", "Bearer", "Bearer a b"]) {
    expect((await edge.ask(PATH, post(good, { authorization }))).status).toBe(401);
  }
});

test("a token acts for its athletes and within its scopes only", async () => {
  const own = { authorization: `Bearer ${await tokenFor({ athletes: ["a1", "a3"] })}` };
  expect((await edge.ask("/v1/athletes/a2/batches", post(good, own))).status).toBe(403);
  expect((await edge.ask("/v1/athletes/a2/batches/b1", { headers: own })).status).toBe(403);
  expect((await edge.ask("/v1/athletes/A1/batches/b1", { headers: own })).status).toBe(403);
  expect((await edge.ask("/v1/athletes/a3/batches/b1", { headers: own })).status).toBe(404);
  const reader = { authorization: `Bearer ${await tokenFor({ scopes: ["read"] })}` };
  expect((await edge.ask(PATH, post(good, reader))).status).toBe(403);
});

test.each(["_a", "a%20b", "a%2Fb", "ä", "a".repeat(65), "..%2f..%2fetc"])(
  "athlete_id %s is refused by name",
  async (id) => {
    const answer = await edge.ask(`/v1/athletes/${id}/batches`, post(good));
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "athlete_id" }] } });
  },
);

test("what is not there is a 404, another method a 405 that names the right one", async () => {
  expect((await edge.ask("/v1/nothing")).status).toBe(404);
  const wrong = await edge.ask(PATH, { method: "DELETE" });
  expect(wrong).toMatchObject({ status: 405, body: { title: "Method Not Allowed" } });
  expect(wrong.headers.get("allow")).toBe("POST");
  expect((await edge.ask("/%ZZ")).status).toBe(400);
  // Whatever it is, it is told before a body is read: this one would be a 413, 415 or 400.
  for (const method of ["POST", "QUERY"]) {
    expect((await edge.ask("/v1/nothing", { method, body: "x".repeat(200_000) })).status).toBe(404);
  }
  expect((await edge.ask(PATH, { method: "QUERY", body: "{" })).status).toBe(405);
});

test("/openapi.json needs no token and lists every route with the schemas that check it", async () => {
  const { body } = await edge.ask("/openapi.json", { headers: { authorization: "" } });
  const paths = body["paths"] as Record<string, Record<string, unknown>>;
  expect(Object.keys(paths)).toEqual([
    "/v1/athletes/{athlete_id}/batches",
    "/v1/athletes/{athlete_id}/batches/{batch_id}",
  ]);
  const requestBody = expect.objectContaining({ required: true }) as unknown;
  expect(paths["/v1/athletes/{athlete_id}/batches"]).toMatchObject({
    post: { requestBody, security: [{ bearer: [] }] },
  });
});

test("a request id is given back, and replaced where it is not one", async () => {
  expect((await edge.ask("/openapi.json", { headers: { "x-request-id": "abc-1" } })).headers.get("x-request-id")).toBe(
    "abc-1",
  );
  const answer = await edge.ask("/v1/nothing", { headers: { "x-request-id": "a b" } });
  expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.body["request_id"]).toBe(answer.headers.get("x-request-id"));
});

const route = (path: string, handler: Route["handler"], schema: Route["schema"] = {}): Route => ({
  method: "GET",
  path,
  scope: null,
  summary: path,
  schema,
  handler,
});

test("query parameters are converted and checked; unknown and repeated ones are named", async () => {
  const query = { type: "object", properties: { n: { type: "integer" }, s: { type: "string" } }, required: ["n"] };
  const echo = await openEdge([route("/echo", async (request) => ({ status: 200, body: request.query }), { query })]);
  expect((await echo.ask("/echo?n=12&s=3")).body).toEqual({ n: 12, s: "3" });
  for (const [text, path] of [
    ["?n=x", "n"],
    ["", "n"],
    ["?n=1&m=2", "m"],
    ["?n=1&n=2", "n"],
  ] as const) {
    expect(await echo.ask(`/echo${text}`)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  }
});

test("a bug is a 500 that tells nothing of itself", async () => {
  const broken = await openEdge([route("/broken", () => Promise.reject(new Error("heart rate 57")))]);
  const answer = await broken.ask("/broken");
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer.body)).not.toContain("heart rate");
});

test("closing finishes the requests in flight and takes no new ones", async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow = await openEdge([
    route("/slow", async () => {
      entered.resolve();
      await release.promise;
      return { status: 200, body: { done: true } };
    }),
  ]);
  const answer = slow.ask("/slow");
  await entered.promise;
  const closed = slow.close();
  await expect(fetch(`${slow.url}/slow`).then(({ status }) => expect(status).toBe(503))).rejects.toThrow(
    /fetch failed/,
  );
  release.resolve();
  expect((await answer).body).toEqual({ done: true });
  expect((await answer).headers.get("connection")).toBe("close");
  await closed;
});

async function* events(): AsyncGenerator<string> {
  yield "data: 1\n\n";
  yield "data: 2\n\n";
}

test("an async iterable is streamed as it comes, text is sent as it is", async () => {
  const headers = { "content-type": "text/event-stream" };
  const live = await openEdge([route("/live", async () => ({ status: 200, body: events(), headers }))]);
  expect(await (await fetch(`${live.url}/live`)).text()).toBe("data: 1\n\ndata: 2\n\n");
});

test("a stream under way when the server drains ends as it would, and its connection with it", async () => {
  const release = Promise.withResolvers<void>();
  async function* slowly(): AsyncGenerator<string> {
    yield "data: 1\n\n";
    await release.promise;
    yield "data: 2\n\n";
  }
  const headers = { "content-type": "text/event-stream" };
  const live = await openEdge([route("/live", async () => ({ status: 200, body: slowly(), headers }))]);
  const answer = await fetch(`${live.url}/live`);
  expect(answer.headers.get("connection")).toBe("close");
  const closed = live.close();
  release.resolve();
  expect(await answer.text()).toBe("data: 1\n\ndata: 2\n\n");
  await closed;
});
