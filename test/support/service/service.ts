import { setTimeout as sleep } from "node:timers/promises";
import { createKafka } from "../../../src/io/kafka-client.ts";
import { createRegistry } from "../../../src/io/registry.ts";
import { declaredTopics } from "../../../src/io/avro-declared.ts";
import { mintToken } from "../../../src/ops/token.ts";
import { applyTopics } from "../../../src/ops/topics-apply.ts";
import { collect, judge } from "../audit/audit.ts";
import { auditEnvironment } from "../audit/environment.ts";
import { readLedger, type LedgerLine } from "../audit/ledger.ts";
import { passed, render } from "../audit/verdict.ts";
import { withClient } from "../stack-database.ts";
import type { Isolated } from "../stack.ts";
import { createClient, type Client } from "./client.ts";
import { finalState, type FinalState } from "./final-state.ts";
import { runCommand, startServe, startWorker, type Env, type ServiceProcess } from "./processes.ts";

/**
 * The recent days of the inputs are over at midnight in Amsterdam and, by what was sampled in UTC, at midnight UTC, and are
 * closed some time later. Between the two, whether a day is closed depends on what came first: then it is left open for longer.
 */
const graceAt = (now: Date): string => (now.getUTCHours() >= 1 && now.getUTCHours() < 5 ? "12h" : "4h");

/** Short waits, so that a run takes seconds; what is decided does not depend on them. */
const FAST: Env = {
  WINDOW_GRACE: graceAt(new Date()),
  PANE_EARLY_EVERY: "300ms",
  PANE_LATE_QUIET: "200ms",
  PANE_BACKFILL_QUIET: "400ms",
  // Longer than a pane takes on a busy machine: what is swept under its hands it does again, for ever.
  SWEEP_GRACE: "5s",
};
const PARTITIONS = 3;
const OVERDUE = "select count(*)::int as n from object_intents where noted_at < now() - $1 * interval '1 millisecond'";
/** A grace as short as this is waited out: what an auditor without patience finds then is nobody's but a fault's. */
const SHORT_MS = 2_000;
/** Not how long it should take: what a machine is given that is busy with other things. */
const QUIET_S = 300;
const SWEPT_MS = 120_000;
/** An object that lost its pointer may wait this long for the sweeper in a fault run, once its grace is over. */
const ORPHAN_MS = 60_000;
const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const milliseconds = (duration = ""): number =>
  Number.parseInt(duration, 10) * (UNITS[duration.replace(/^\d+/, "")] ?? Number.NaN);

export type Service = {
  env: Env;
  url: string;
  token: string;
  sweepGraceMs: number;
  windowGraceMs: number;
  client: Client;
  /** `main`: of another build than this checkout. */
  worker(extra?: Env, main?: string): ServiceProcess;
  /** `health-sync wait`: until nothing that was accepted is under way, and the sweeper, who comes last, has been round. */
  wait(): Promise<void>;
  /** Runs work with a worker of its own, until nothing is under way. */
  settled(work: () => Promise<unknown>): Promise<void>;
  /** A statement on the service's database. */
  sql<Row>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  command(...args: string[]): Promise<string>;
  /** The auditor's table; throws it where an invariant does not hold. `orphanMs`: how long the sweeper may be late. */
  audit(more?: readonly LedgerLine[], orphanMs?: number): Promise<{ report: string; state: FinalState }>;
  /** All that edge and api have logged. */
  edgeLog(): string;
  close(): Promise<void>;
};

/** Topics and subjects under the corner's prefix, with few topic partitions. */
export const makeTopics = async (here: Isolated): Promise<void> => {
  const kafka = createKafka({ brokers: here.env.KAFKA_BROKERS.split(","), clientId: here.prefix });
  const subjects = createRegistry(here.env.SCHEMA_REGISTRY_URL);
  await applyTopics(
    { topics: kafka.topics(), subjects },
    declaredTopics({ prefix: here.prefix, partitions: PARTITIONS }),
  );
};

/** Says what the workers said last, where something stays under way. */
const quiet = async (env: Env, workers: ReadonlySet<ServiceProcess>): Promise<void> => {
  try {
    await runCommand(["wait", "--timeout", String(QUIET_S)], env);
  } catch (cause) {
    const logs = [...workers].map((worker) => worker.log());
    throw new Error(`${String(cause)}\n${logs.join("\n") || "no worker runs"}`, { cause });
  }
};

/** Until nothing that the sweeper is to delete is overdue, or for as long as it may take him. */
const swept = async (sql: Service["sql"], graceMs: number): Promise<void> => {
  for (const until = Date.now() + SWEPT_MS; Date.now() < until; await sleep(250)) {
    const [row] = await sql<{ n: number }>(OVERDUE, [graceMs > SHORT_MS ? graceMs : 0]);
    if (row?.n === 0) return;
  }
};

/**
 * The product on a corner of the stack: an edge that stays up, workers as the test wants them (or, with the role
 * worker, one under its supervisor), and a client with a ledger.
 */
export const openService = async (here: Isolated, extra: Env = {}, roles = "edge,api"): Promise<Service> => {
  await makeTopics(here);
  const env: Env = { ...here.env, ...FAST, ...extra };
  const token = await mintToken({
    secret: here.env.AUTH_SECRET,
    athletes: "*",
    scopes: ["ingest", "read", "write", "ops"],
    ttl: 36_000,
  });
  const edge = await startServe(env, roles);
  const client = createClient(() => edge.url, token);
  const sweepGraceMs = milliseconds(env["SWEEP_GRACE"]);
  const workers = new Set<ServiceProcess>();
  const startOne = (more: Env = {}, main?: string): ServiceProcess => {
    const worker = startWorker({ ...env, ...more }, main);
    workers.add(worker);
    void worker.exited.then(() => workers.delete(worker));
    return worker;
  };
  const sql = async <Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> =>
    withClient(here.databaseUrl, async (one) => (await one.query(text, [...params])).rows as Row[]);
  const wait = async (): Promise<void> => {
    await quiet(env, workers);
    await swept(sql, sweepGraceMs);
  };
  return {
    env,
    url: edge.url,
    token,
    sweepGraceMs,
    windowGraceMs: milliseconds(env["WINDOW_GRACE"]),
    client,
    worker: startOne,
    wait,
    settled: async (work) => {
      const worker = startOne();
      await worker.event("worker.ready");
      await work();
      await wait();
      await worker.stop();
    },
    sql,
    command: (...args) => runCommand(args, env),
    audit: async (more = [], orphanMs = ORPHAN_MS) => {
      const environment = auditEnvironment(here.env);
      const stored = await collect(environment);
      const verdicts = judge(readLedger([...client.ledger, ...more]), stored, { graceMs: sweepGraceMs + orphanMs });
      const report = render(verdicts, true);
      if (!verdicts.every(passed)) throw new Error(`the auditor found:\n${report}`);
      return { report, state: await finalState(environment.databaseUrl, stored) };
    },
    edgeLog: () => edge.wholeLog(),
    close: async () => {
      await Promise.all([...workers].map((w) => w.stop()));
      await edge.stop();
    },
  };
};
