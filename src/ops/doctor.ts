import type { Database, LogInfo, ObjectStore } from "../flow/ports.ts";
import { migrate } from "./migrate.ts";
import { showPositions } from "./positions.ts";
import { type Probe, probeOnce } from "./readiness.ts";
import type { Declared } from "./topics.ts";
import { type TopicPorts, compare } from "./topics-apply.ts";

/** `bad` makes the exit code 1; `odd` works, but a person should look. `advice`: what to do about it. */
export type Finding = { state: "fine" | "odd" | "bad"; says: string; advice?: string };
export type Examined = Finding & { part: string };
export type Examination = { part: string; examine: () => Promise<Finding> };

export type DoctorDeps<Schema extends object> = {
  /** Throws with the name of the first setting that is missing. */
  settings: () => void;
  db: Database;
  logInfo: LogInfo;
  /** What to do about Kafka when it fails with these words. */
  kafkaAdvice: (says: string) => string | undefined;
  /** And about the registry. */
  registryAdvice: (says: string) => string | undefined;
  ports: TopicPorts<Schema>;
  declared: readonly Declared<Schema>[];
  registry: Probe;
  objects: Pick<ObjectStore, "put" | "get" | "delete">;
  now: () => number;
};

const LONG_MS = 15_000;
const [SKEW_MS, OUTBOX_MS, LATE_MS] = [5_000, 300_000, 3_600_000];

const fine = (says: string): Finding => ({ state: "fine", says });
const minutes = (ms: number): string => `${Math.round(ms / 60_000)} min`;

/** Where the words of a failure, or of its cause, tell what to do, that is the finding; else it is thrown on. */
const advised = async (
  examine: () => Promise<Finding>,
  adviceOf: (says: string) => string | undefined,
): Promise<Finding> => {
  try {
    return await examine();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const words = [error, cause].flatMap((one) => (one instanceof Error ? [one.message] : []));
    const advice = words.map(adviceOf).find((known) => known !== undefined);
    if (advice === undefined) throw error;
    return { state: "bad", says: words.join(": "), advice };
  }
};

const topics = async <Schema extends object>({ ports, declared }: DoctorDeps<Schema>): Promise<Finding> => {
  const { changes, refusals } = await compare(ports, declared);
  const [refused] = refusals;
  if (refused) return { state: "bad", says: `${refused.of}: ${refused.reason}`, advice: "health-sync topics plan" };
  if (changes.length === 0) return fine(`${declared.length} topics and subjects as declared`);
  const missing = changes.some(({ kind }) => kind === "create_topic" || kind === "register_schema");
  const says = `${changes.length} topics or subjects are not as declared`;
  return { state: missing ? "bad" : "odd", says, advice: "health-sync topics apply" };
};

const schema = async ({ db }: { db: Database }): Promise<Finding> => {
  const { applied, version, ahead } = await migrate(db, { dryRun: true });
  if (applied.length > 0) {
    return {
      state: "bad",
      says: `${applied.length} migrations are missing, first ${applied[0]}`,
      advice: "health-sync migrate",
    };
  }
  if (ahead.length === 0) return fine(`schema at ${version}`);
  return { state: "odd", says: `${ahead.join(", ")} is newer than this build`, advice: "deploy the newer build" };
};

const clocks = async ({ db, now }: { db: Database; now: () => number }): Promise<Finding> => {
  const [row] = await db.query<{ at: number }>("select clock_timestamp() as at");
  const skew = Math.abs((row?.at ?? 0) - now());
  if (skew < SKEW_MS) return fine("this machine and Postgres agree on the time");
  return {
    state: "odd",
    says: `this machine and Postgres are ${Math.round(skew / 1000)} s apart`,
    advice: "keep both with NTP",
  };
};

/** Writes, reads and deletes an object of its own; no prefix that holds data. */
const objects = async ({ objects: store, now }: Pick<DoctorDeps<object>, "objects" | "now">): Promise<Finding> => {
  const key = `doctor/${now()}-${process.pid}`;
  const body = new TextEncoder().encode("health-sync doctor");
  await store.put(key, body);
  const found = await store.get(key);
  await store.delete([key]);
  if (Buffer.compare(found, body) === 0) return fine("an object was written, read and deleted");
  return {
    state: "bad",
    says: "an object read back differs from what was written",
    advice: "look at the object store",
  };
};

const positions = async (deps: { db: Database; logInfo: LogInfo }): Promise<Finding> => {
  const stored = await showPositions(deps, null);
  const outside = stored.find(
    ({ position, low, high }) =>
      low === null || high === null || (position !== null && (position < low || position > high)),
  );
  if (outside) {
    const says = `${outside.group_id}: ${outside.topic}/${outside.topic_partition} is stored at ${outside.position}, outside its log`;
    return {
      state: "bad",
      says,
      advice: "health-sync positions show, then positions set: it says first what it would lose",
    };
  }
  const lag = stored.reduce((sum, row) => sum + (row.lag ?? 0), 0);
  return fine(`${stored.length} positions fit their logs, ${lag.toLocaleString("en")} records behind`);
};

type Work = { outbox: number | null; late: number | null; letters: number; refused: string | null };

const WORK = `select
  (select min(created_at) from outbox) as outbox,
  (select min(touched_at) from windows where dirty > fired and closed_at is not null) as late,
  (select count(*) from dead_letters where retried_at is null and first_seen_at > $1) as letters,
  (select string_agg(reason, ', ') from (select distinct reason from dead_letters where first_seen_at > $1) r) as refused`;

const work = async ({ db, now }: { db: Database; now: () => number }): Promise<Finding> => {
  const [row] = await db.query<Work>(WORK, [new Date(now() - 86_400_000)]);
  const waiting = (since: number | null | undefined): number =>
    since === null || since === undefined ? 0 : now() - since;
  if (waiting(row?.outbox) > OUTBOX_MS) {
    const says = `the oldest event waits for ${minutes(waiting(row?.outbox))} to be published`;
    return { state: "bad", says, advice: "is a worker running (serve --roles worker)? its log names what fails" };
  }
  if (waiting(row?.late) > LATE_MS) {
    const says = `a closed day waits for ${minutes(waiting(row?.late))} to be rewritten`;
    return { state: "bad", says, advice: "look for pane_put_off in the worker's log" };
  }
  if (row && row.letters > 0) {
    const says = `${row.letters} dead letters in the last day (${row.refused})`;
    return { state: "odd", says, advice: "health-sync deadletters list" };
  }
  return fine("nothing waits, nothing was refused in the last day");
};

/** Everything that is looked at, in an order in which the first that is bad often explains the rest. */
export const examinations = <Schema extends object>(deps: DoctorDeps<Schema>): Examination[] => [
  { part: "settings", examine: async () => (deps.settings(), fine("all that serve needs are set")) },
  {
    part: "kafka",
    examine: () => advised(async () => fine(`cluster ${await deps.logInfo.clusterId()}`), deps.kafkaAdvice),
  },
  {
    part: "registry",
    examine: () => advised(async () => (await deps.registry(), fine("answers")), deps.registryAdvice),
  },
  { part: "topics", examine: () => topics(deps) },
  { part: "postgres", examine: async () => (await deps.db.query("select 1"), fine("answers")) },
  { part: "schema", examine: () => schema(deps) },
  { part: "clocks", examine: () => clocks(deps) },
  { part: "objects", examine: () => objects(deps) },
  { part: "positions", examine: () => positions(deps) },
  { part: "work", examine: () => work(deps) },
];

const ADVICE: Readonly<Record<string, string>> = {
  settings: "set it; `health-sync stack up` prints all settings of a local stack",
  kafka: "check KAFKA_BROKERS and that the brokers run",
  registry: "check SCHEMA_REGISTRY_URL",
  postgres: "check DATABASE_URL and that Postgres runs",
  schema: "health-sync migrate",
  objects: "check S3_ENDPOINT, S3_BUCKET and the keys; `serve --setup` creates the bucket",
};

/** One after the other; what does not answer in time or fails is a finding too, never a throw. */
export const examineAll = async (
  all: readonly Examination[],
  told: (examined: Examined) => void = () => undefined,
): Promise<Examined[]> => {
  const out: Examined[] = [];
  for (const { part, examine } of all) {
    let finding: Finding | null = null;
    const health = await probeOnce(async () => {
      finding = await examine();
    }, LONG_MS);
    const failed: Finding = {
      state: "bad",
      says: health.why ?? "no answer",
      advice: ADVICE[part] ?? "see what is bad above it first",
    };
    const examined = { part, ...(health.ok && finding !== null ? (finding as Finding) : failed) };
    told(examined);
    out.push(examined);
  }
  return out;
};
