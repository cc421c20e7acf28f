import type { Route } from "../flow/route.ts";

export type Health = { ok: boolean; why: string | null };
/** Asks one system whether it answers: resolves, or rejects with the reason. */
export type Probe = () => Promise<unknown>;
export type ReadinessReport = { ready: boolean; parts: Record<string, Health> };

const PROBE_MS = 3000;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A probe's answer in bounded time; a hanging system is a failing one. */
export const probeOnce = async (probe: Probe, timeoutMs = PROBE_MS): Promise<Health> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Health>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, why: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  const asked = probe().then(
    (): Health => ({ ok: true, why: null }),
    (error: unknown): Health => ({ ok: false, why: reasonOf(error) }),
  );
  const health = await Promise.race([asked, late]);
  clearTimeout(timer);
  return health;
};

/** Ready when every part is. */
export const summarize = (parts: Record<string, Health>): ReadinessReport => ({
  ready: Object.values(parts).every((part) => part.ok),
  parts,
});

export type OpsRouteDeps = {
  /** kafka, registry, postgres, objects: those that this process's roles need. */
  probes: Readonly<Record<string, Probe>>;
  /** The health of each supervised part of the worker; absent where this process has none. */
  workers?: () => Readonly<Record<string, Health>>;
  metricsText(): Promise<string>;
  metricsContentType: string;
  timeoutMs?: number;
};

/** `/healthz` (this process answers), `/readyz` (everything it needs does, 503 otherwise), `/metrics` (Prometheus). */
export const opsRoutes = (deps: OpsRouteDeps): Route[] => [
  {
    method: "GET",
    path: "/healthz",
    scope: null,
    summary: "Liveness: this process answers",
    schema: { responses: { 200: { description: "Alive" } } },
    handler: async () => ({ status: 200, body: { ok: true } }),
  },
  {
    method: "GET",
    path: "/readyz",
    scope: null,
    summary: "Readiness: Kafka, registry, Postgres, objects and the worker's parts, each with the reason if not",
    schema: { responses: { 200: { description: "Ready" }, 503: { description: "Not ready; `parts` says why" } } },
    handler: async () => {
      const probed = await Promise.all(
        Object.entries(deps.probes).map(
          async ([part, probe]) => [part, await probeOnce(probe, deps.timeoutMs)] as const,
        ),
      );
      const parts = { ...Object.fromEntries(probed), ...deps.workers?.() };
      const report = summarize(parts);
      return { status: report.ready ? 200 : 503, body: report, headers: { "cache-control": "no-store" } };
    },
  },
  {
    method: "GET",
    path: "/metrics",
    scope: null,
    summary: "Prometheus figures of this process and of its workers",
    schema: { responses: { 200: { description: "Prometheus text format" } } },
    handler: async () => ({
      status: 200,
      body: await deps.metricsText(),
      headers: { "content-type": deps.metricsContentType },
    }),
  },
];
