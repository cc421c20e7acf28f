import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { Route } from "../../src/flow/route.ts";
import { SCOPES } from "../../src/flow/token-claims.ts";
import { createAccess } from "../../src/ops/access.ts";
import * as bad from "../support/hostile-inputs.ts";
import { openEdge, tokenFor } from "../support/ingest/edge.ts";
import { openRouteTable } from "../support/route-table.ts";
import { makeTopics } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("hostile");
await makeTopics(here);
const { routes, db } = openRouteTable(here);
const edge = await openEdge(routes, { access: createAccess({ db, clock: { now: () => Date.now() } }) });
const token = await tokenFor({ scopes: SCOPES });

type Sent = { method: string; path: string; headers?: Record<string, string>; body?: string };
type Answered = { status: number; type: string };

/** The path goes out as it is written: no client in between tidies it. A stream is left once it begins. */
const send = ({ method, path, headers = {}, body }: Sent): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(edge.url);
    const sent = httpRequest(
      { hostname, port, method, path, headers: { authorization: `Bearer ${token}`, ...headers }, timeout: 20_000 },
      (answer) => {
        const type = String(answer.headers["content-type"]);
        if (type.startsWith("text/event-stream")) answer.destroy();
        answer.resume();
        answer.on("close", () => resolve({ status: answer.statusCode ?? 0, type }));
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer within 20 s")));
    sent.on("error", reject);
    sent.end(body);
  });

const named = routes.map((route) => [`${route.method} ${route.path}`, route] as const);
const GOOD: Readonly<Record<string, string>> = { athlete_id: "anna", date: "2026-11-20", metric: "weight" };
/** An erasure is of somebody of its own: of an erased one everything is answered with 410. */
const goodOf = (route: Route, name: string): string =>
  route.method === "DELETE" && name === "athlete_id" ? "gone" : (GOOD[name] ?? "x1");
const goodPath = (route: Route): string =>
  route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => goodOf(route, name));

/** Small, in turns, so that a test with a thousand requests takes seconds. */
const sendAll = async (inputs: readonly Sent[], atOnce = 8): Promise<(Answered & Sent)[]> => {
  const answers: (Answered & Sent)[] = [];
  const queue = [...inputs];
  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      answers.push({ ...next, ...(await send(next)) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, drain));
  return answers;
};

/** What is our fault, said short. Refusals are problem documents. */
const faults = (answers: readonly (Answered & Sent)[]): string[] =>
  answers
    .filter(
      ({ status, type }) =>
        status >= 500 || status === 0 || (status >= 400 && !type.startsWith("application/problem+json")),
    )
    .map(
      ({ method, path, body, headers, status }) =>
        `${status} ${method} ${path.slice(0, 120)} ${JSON.stringify(headers ?? "").slice(0, 80)} ${body?.slice(0, 80) ?? ""}`,
    );

const json = { "content-type": "application/json" };
/** Uploads and exports are few at a time; the others are told to wait with 503, which is not the question here. */
const atOnce = (route: Route): number => (route.upload || route.path.endsWith("/export") ? 1 : 8);
const bodied = new Set(["POST", "PUT", "PATCH"]);

test.each(named)(
  "%s: bad query parameters are never our fault",
  async (_, route) => {
    const { properties = {} } = (route.schema.query ?? {}) as { properties?: Record<string, unknown> };
    const body = bodied.has(route.method) ? { headers: json, body: "{}" } : {};
    const names = [...Object.keys(properties), "unknown", "__proto__"];
    const inputs = names.flatMap((name) =>
      bad.BAD_VALUES.map((value) => {
        const text = encodeURIComponent(value.isWellFormed() ? value : value.toWellFormed());
        return { method: route.method, path: `${goodPath(route)}?${name}=${text}`, ...body };
      }),
    );
    const raw = ["?%", "?%zz=1", "?a[b]=c", "?&&&", `?${"a=1&".repeat(2000)}`, "?=", "?metric=a&metric=b", "?x=%ff"];
    // Not of what cannot be undone: a DELETE takes no parameters, and each would erase.
    const all = [...inputs, ...raw.map((text) => ({ method: route.method, path: goodPath(route) + text, ...body }))];
    expect(faults(await sendAll(route.method === "DELETE" ? all.slice(0, 60) : all, atOnce(route)))).toEqual([]);
  },
  60_000,
);

test.each(named.filter(([, route]) => route.path.includes("{")))(
  "%s: bad ids and keys in the path are never our fault",
  async (_, route) => {
    const params = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
    const body = bodied.has(route.method) ? { headers: json, body: "{}" } : {};
    const inputs = params.flatMap((name) =>
      bad.BAD_SEGMENTS.map((segment) => {
        const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, other: string) =>
          other === name ? segment : goodOf(route, other),
        );
        return { method: route.method, path, ...body };
      }),
    );
    expect(faults(await sendAll(inputs, atOnce(route)))).toEqual([]);
  },
  60_000,
);

test.each(named.filter(([, route]) => bodied.has(route.method)))(
  "%s: bad bodies are never our fault",
  async (_, route) => {
    const inputs = bad.BAD_BODIES.map((body) => ({ method: route.method, path: goodPath(route), headers: json, body }));
    expect(faults(await sendAll(inputs, atOnce(route)))).toEqual([]);
  },
  60_000,
);

test.each(named.filter(([, route]) => route.scope !== null))("%s: no bad token is let in", async (_, route) => {
  const inputs = bad.BAD_TOKENS.map((authorization) => ({
    method: route.method,
    path: goodPath(route),
    headers: { authorization },
  }));
  expect((await sendAll(inputs)).map(({ status }) => status)).toEqual(inputs.map(() => 401));
});

test.each(named)("%s: strange headers are never our fault", async (_, route) => {
  const body = bodied.has(route.method) ? { body: "{}" } : {};
  const inputs = bad.BAD_HEADERS.map((headers) => ({
    method: route.method,
    path: goodPath(route),
    headers: { ...(bodied.has(route.method) ? json : {}), ...headers },
    ...body,
  }));
  expect(faults(await sendAll(inputs, atOnce(route)))).toEqual([]);
});

test.each(bad.BAD_REQUESTS)("bytes that are hardly HTTP do not hurt: %j", async (text) => {
  const { hostname, port } = new URL(edge.url);
  const answer = await new Promise<string>((resolve) => {
    let got = "";
    const socket = connect(Number(port), hostname);
    socket.on("connect", () => socket.write(text));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      got += bytes.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(got));
  });
  expect(/^HTTP\/1.1 5/.test(answer)).toBe(false);
});

test("after all that the process serves as before, within its memory", async () => {
  const answer = await send({ method: "GET", path: "/v1/athletes/anna/metrics" });
  expect(answer.status).toBe(200);
  expect(process.memoryUsage().rss).toBeLessThan(1.5 * 2 ** 30);
});

test("the corpus is as large as it says", () => {
  const { BAD_VALUES, BAD_SEGMENTS, BAD_BODIES, BAD_TOKENS, BAD_HEADERS, BAD_REQUESTS } = bad;
  const texts = [BAD_VALUES, BAD_SEGMENTS, BAD_BODIES, BAD_TOKENS, BAD_REQUESTS].flatMap((list) => [...new Set(list)]);
  expect(texts.length + BAD_HEADERS.length).toBeGreaterThanOrEqual(180);
});
