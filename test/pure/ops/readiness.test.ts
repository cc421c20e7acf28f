import { expect, test } from "vitest";
import type { RouteRequest } from "../../../src/flow/route.ts";
import { opsRoutes, type OpsRouteDeps } from "../../../src/ops/readiness.ts";

const ask = async (path: string, over: Partial<OpsRouteDeps> = {}) => {
  const deps: OpsRouteDeps = {
    probes: { kafka: async () => undefined, postgres: async () => undefined },
    workers: () => ({ "worker-live": { ok: true, why: null } }),
    metricsText: async () => "health_sync_records_total 1\n",
    metricsContentType: "text/plain",
    timeoutMs: 20,
    ...over,
  };
  const route = opsRoutes(deps).find((one) => one.path === path);
  if (!route) throw new Error(`no route ${path}`);
  return route.handler({ query: {} } as RouteRequest);
};

test("ready is 200 when every part answers", async () => {
  const { status, body } = await ask("/readyz");
  expect(status).toBe(200);
  expect(body).toEqual({
    ready: true,
    parts: {
      kafka: { ok: true, why: null },
      postgres: { ok: true, why: null },
      "worker-live": { ok: true, why: null },
    },
  });
});

test("one part that fails or hangs makes it 503, and says which and why", async () => {
  const { status, body } = await ask("/readyz", {
    probes: {
      kafka: () => Promise.reject(new Error("connection refused")),
      postgres: () => new Promise(() => undefined),
      objects: async () => 1,
    },
  });
  expect(status).toBe(503);
  expect(body).toMatchObject({
    ready: false,
    parts: {
      kafka: { ok: false, why: "connection refused" },
      postgres: { ok: false, why: "no answer within 20 ms" },
      objects: { ok: true },
    },
  });
});

const workers = () => ({
  "worker-live": { ok: false, why: "the worker refuses to start: use positions set" },
  "worker-background": { ok: true, why: null },
});

test("a part of the worker that refuses to start makes it 503 with its text, while the process stays alive", async () => {
  expect(await ask("/readyz", { workers })).toMatchObject({ status: 503, body: { parts: workers() } });
  expect(await ask("/healthz", { workers })).toMatchObject({ status: 200 });
});

test("telemetry is plain Prometheus text", async () => {
  expect(await ask("/metrics")).toEqual({
    status: 200,
    body: "health_sync_records_total 1\n",
    headers: { "content-type": "text/plain" },
  });
});
