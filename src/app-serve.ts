import type { Connections } from "./app.ts";
import { VERSION, connect, isTransient, setUp } from "./app.ts";
import { apiRoutes, edgeRoutes } from "./app-routes.ts";
import type { Worker, WorkerPart } from "./app-worker.ts";
import { STEPS, WORKER_PARTS, startWorker } from "./app-worker.ts";
import type { Config } from "./config.ts";
import { failpoints } from "./failpoints.ts";
import { Refusal } from "./flow/positions.ts";
import { backOff, pause } from "./flow/retry.ts";
import type { Route } from "./flow/route.ts";
import { giveWay } from "./give-way.ts";
import { gathered } from "./io/gathered.ts";
import { jwksVerifier, tokenVerifier, type TokenVerifier } from "./io/http-auth.ts";
import { jwksKeys } from "./io/http-jwks.ts";
import { createLimits } from "./io/http-limits.ts";
import type { HttpServer } from "./io/http.ts";
import { createHttpServer } from "./io/http.ts";
import { createTelemetry } from "./io/telemetry.ts";
import { type Asked, createAccess, readStandings } from "./ops/access.ts";
import { whenClockIsSet } from "./ops/clock-watch.ts";
import type { Health, Probe } from "./ops/readiness.ts";
import { opsRoutes } from "./ops/readiness.ts";
import { CHILD_FLAG, linkToParent } from "./ops/supervisor-child.ts";
import { REFUSAL_EXIT_CODE } from "./ops/supervisor-state.ts";
import type { Supervisor } from "./ops/supervisor.ts";
import { supervise } from "./ops/supervisor.ts";
import { UNWATCHED, createPace, paced } from "./pace.ts";

export type Role = "edge" | "worker" | "api";

export type ServeOptions = { config: Config; roles: readonly Role[]; setup: boolean; main: string };

/**
 * `serve`: the child of a supervisor runs its parts of the worker itself; everything else supervises one child a part.
 * Resolves when drained.
 */
export const serve = async (options: ServeOptions): Promise<void> => {
  const flag = process.env[CHILD_FLAG];
  if (flag === undefined) return serveParent(options);
  const named = flag.split(",");
  return serveChild(
    options.config,
    WORKER_PARTS.filter((part) => named.includes(part)),
  );
};

const untilTold = (): Promise<void> =>
  new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve());
  });

/** A refusal exits 78 and is not retried; a stall or a bug exits 1, without committing anything more. */
const serveChild = async (config: Config, parts: readonly WorkerPart[]): Promise<void> => {
  const name = nameOf(...parts);
  const alone = !parts.includes("live");
  if (alone) giveWay();
  const telemetry = createTelemetry({ level: config.logLevel, role: name });
  const ended = Promise.withResolvers<void>();
  const parent = linkToParent({ figures: () => telemetry.figures(), orphaned: ended.resolve });
  const fatal = (error: Error): void => {
    telemetry.warn("worker.fatal", { error });
    telemetry.flush();
    const code = error instanceof Refusal ? REFUSAL_EXIT_CODE : 1;
    void parent.note(error.message).then(() => process.exit(code));
  };
  whenClockIsSet((by) => fatal(new Error(`the machine's clock was set by ${by} ms: starting again under the new one`)));
  let workers: Worker[] = [];
  try {
    const onStep = failpoints({ kill: config.failpoint, stop: config.failpointStop }, STEPS);
    const deps = {
      ...connect(config, name, telemetry),
      onStep: alone ? paced(onStep, createPace(UNWATCHED)) : onStep,
      fatal,
    };
    workers = await Promise.all(parts.map((part) => startWorker(part, deps)));
  } catch (error) {
    fatal(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  parent.ready();
  telemetry.info("worker.ready", {});
  await Promise.race([untilTold(), ended.promise]);
  await Promise.all(workers.map((worker) => worker.stop()));
  parent.close();
  telemetry.info("worker.drained", {});
};

type SettingUp = {
  /** What /readyz asks. */
  probe: Probe;
  /** Whether everything is set up: false after the signal, and where a person has to help. */
  done: Promise<boolean>;
};

/**
 * `--setup`. What is away is asked again until it is there: meanwhile the edge serves, and no worker is started.
 * Resolves after the first try; a refusal in it is thrown, because nothing is under way yet.
 */
const settingUp = async (connections: Connections, signal: AbortSignal): Promise<SettingUp> => {
  const { telemetry } = connections;
  let trouble: Error | null = null;
  const attempt = async (): Promise<boolean> => {
    try {
      await setUp(connections, (text) => telemetry.info("setup", { text }));
      trouble = null;
      return true;
    } catch (error) {
      trouble = error instanceof Error ? error : new Error(String(error));
      telemetry.warn("setup_failed", { error });
      if (!isTransient(error)) throw error;
      return false;
    }
  };
  const again = async (): Promise<boolean> => {
    for (let tries = 1; ; tries += 1) {
      await pause(backOff(tries, Math.random()), signal);
      if (signal.aborted) return false;
      if (await attempt()) return true;
    }
  };
  const first = await attempt();
  return {
    probe: async () => {
      if (trouble) throw trouble;
    },
    done: first ? Promise.resolve(true) : again().catch(() => false),
  };
};

const serveParent = async ({ config, roles, setup, main }: ServeOptions): Promise<void> => {
  const telemetry = createTelemetry({ level: config.logLevel, role: "serve" });
  const connections = connect(config, "serve", telemetry);
  const ending = new AbortController();
  const setting = setup ? await settingUp(connections, ending.signal) : null;
  const told = untilTold();
  const workers: Supervisor[] = [];
  // Listening first: an address that is taken ends the start before anything is under way.
  const extra = setting ? { setup: setting.probe } : {};
  const listening = roles.includes("edge") || roles.includes("api") ? listen(connections, roles, workers, extra) : null;
  const served = await listening?.catch((error: unknown) => {
    ending.abort();
    throw error;
  });
  const startWorkers = (): void => {
    if (!roles.includes("worker") || ending.signal.aborted) return;
    const argv = [main, "serve", "--roles", "worker"];
    const all = { clock: connections.clock, telemetry, argv, env: process.env };
    workers.push(...WORKER_PARTS.map((part) => supervise({ ...all, name: nameOf(part), flag: part })));
  };
  const starting = (setting?.done ?? Promise.resolve(true)).then((ready) => ready && startWorkers());
  await told;
  ending.abort();
  telemetry.info("draining", {});
  await Promise.all([served?.close(), starting]);
  await Promise.all(workers.map((worker) => worker.stop()));
  telemetry.info("drained", {});
  telemetry.flush();
};

/** In logs, figures and at /readyz. */
const nameOf = (...parts: WorkerPart[]): string => `worker-${parts.join("-")}`;

const STARTING = { ok: false, why: "not started yet" };

const healthOf = (workers: readonly Supervisor[]): Record<string, Health> => {
  const known = new Map(workers.map((worker) => [worker.name, worker.health()]));
  return Object.fromEntries(WORKER_PARTS.map((part) => [nameOf(part), known.get(nameOf(part)) ?? STARTING]));
};

/** Edge and api in this process: they outlive everything but themselves. */
const listen = async (
  connections: Connections,
  roles: readonly Role[],
  workers: readonly Supervisor[],
  extra: Record<string, Probe>,
) => {
  const { config, telemetry, clock, kafka } = connections;
  const db = connections.openDatabase();
  // Of its own, so that a token is not checked late because readers hold every connection.
  const accessDb = connections.openDatabase(4);
  const standing = gathered((asked: readonly Asked[]) => readStandings(accessDb, asked));
  const objects = connections.openObjects();
  const producer = kafka.producer();
  const draining = new AbortController();
  const routes: Route[] = [
    ...opsRoutes({
      probes: { ...probes(connections, { db, objects }), ...extra },
      ...(roles.includes("worker") ? { workers: () => healthOf(workers) } : {}),
      metricsText: async () => {
        const figures = await Promise.all(workers.map((worker) => worker.figures()));
        return telemetry.metricsText(figures.map((some) => some ?? []));
      },
      metricsContentType: telemetry.contentType,
    }),
    ...(roles.includes("edge") ? edgeRoutes(connections, { db, producer, objects }) : []),
    ...(roles.includes("api") ? apiRoutes(connections, { db, objects, signal: draining.signal }) : []),
  ];
  const server: HttpServer = createHttpServer({
    routes,
    verify: verifierOf(config),
    access: createAccess({ db: accessDb, clock, standing }),
    admission: createLimits(clock, config.limits),
    telemetry,
    clock,
    version: VERSION,
  });
  const { url, port } = await server.listen(config.port, config.host);
  telemetry.info("listening", { url, port, roles: [...roles] });
  return {
    close: async () => {
      draining.abort();
      await server.close();
      await Promise.allSettled([producer.close(), db.close(), accessDb.close()]);
      objects.close();
    },
  };
};

const verifierOf = (config: Config): TokenVerifier => {
  const keys = config.authKeys;
  return keys === null ? tokenVerifier(config.authSecret) : jwksVerifier(jwksKeys(keys.jwks), keys);
};

const probes = (
  { kafka, registry, declared }: Connections,
  { db, objects }: { db: ReturnType<Connections["openDatabase"]>; objects: ReturnType<Connections["openObjects"]> },
): Record<string, Probe> => {
  const log = kafka.logInfo();
  const subject = declared[0]?.subject ?? "";
  return {
    kafka: () => log.clusterId(),
    registry: () => registry.subject(subject),
    postgres: () => db.query("select 1"),
    objects: async () => {
      for await (const _ of objects.list("health_streams/readyz")) break;
    },
  };
};
