import { afterAll } from "vitest";
import type { Route } from "../../../src/flow/route.ts";
import type { TokenClaims } from "../../../src/flow/token-claims.ts";
import { ingestRoutes } from "../../../src/ingest/route.ts";
import type { IngestDeps } from "../../../src/ingest/submit.ts";
import { createHttpServer, type HttpOptions } from "../../../src/io/http.ts";
import { tokenVerifier } from "../../../src/io/http-auth.ts";
import { mintToken } from "../../../src/ops/token.ts";
import type { Telemetry } from "../../../src/flow/ports.ts";

export const SECRET = "a secret of this test, long enough to sign";

export const tokenFor = (claims: Partial<TokenClaims> & { ttl?: number; secret?: string } = {}): Promise<string> =>
  mintToken({ secret: SECRET, athletes: "*", scopes: ["ingest", "read"], ttl: 600, ...claims });

/** Everything that was logged, as text. */
export const listening = (): { telemetry: Telemetry; lines: string[] } => {
  const lines: string[] = [];
  const write = (event: string, fields: Record<string, unknown>) =>
    void lines.push(JSON.stringify({ event, ...fields }));
  return { telemetry: { info: write, warn: write, count: () => {}, gauge: () => {}, time: () => {} }, lines };
};

export type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

/** An edge on a free port, closed after the file's tests. */
export const openEdge = async (
  routes: readonly Route[],
  more: Partial<HttpOptions> = {},
): Promise<{ url: string; close(): Promise<void>; ask(path: string, init?: RequestInit): Promise<Answer> }> => {
  const server = createHttpServer({
    routes,
    verify: tokenVerifier(SECRET),
    telemetry: listening().telemetry,
    clock: { now: () => Date.now() },
    version: "0.0.0",
    ...more,
  });
  const { url } = await server.listen(0, "127.0.0.1");
  afterAll(() => server.close());
  const token = await tokenFor();
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) };
    const answer = await fetch(url + path, { ...init, headers });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === "" ? {} : (JSON.parse(text) as Answer["body"]),
    };
  };
  return { url, close: () => server.close(), ask };
};

export const openIngest = (deps: IngestDeps, more: Partial<HttpOptions> = {}) => openEdge(ingestRoutes(deps), more);

export const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
});

/** A heart rate sample of one minute ago. */
export const heartRate = (index: number, more: Record<string, unknown> = {}): Record<string, unknown> => {
  const at = new Date(Date.now() - 60_000 + index).toISOString();
  return {
    uuid: `11111111-1111-4111-8111-${String(index).padStart(12, "0")}`,
    type: "HKQuantityTypeIdentifierHeartRate",
    start: at,
    end: at,
    value: 57,
    unit: "count/min",
    source: { name: "Watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" },
    ...more,
  };
};
