import { type Rules, chooseRules } from "./domain/history/rules.ts";

/** One setting: the only place that knows its name, default and meaning. */
type Setting = { name: string; fallback: string | null; about: string };

/** Listed by `health-sync serve --help`. A null fallback must be set for what needs it. */
export const SETTINGS: readonly Setting[] = [
  { name: "KAFKA_BROKERS", fallback: null, about: "host:port, several with commas" },
  { name: "KAFKA_CLIENT", fallback: "kafkajs", about: "kafkajs or platformatic: the library that reads and writes" },
  { name: "KAFKA_SSL", fallback: "", about: "true: brokers are reached by TLS" },
  {
    name: "KAFKA_SSL_CA",
    fallback: "",
    about: "file with the CA of the brokers' certificates; empty for the system's",
  },
  { name: "KAFKA_SSL_CERT", fallback: "", about: "file with this client's certificate, where brokers ask for one" },
  { name: "KAFKA_SSL_KEY", fallback: "", about: "and with its key" },
  { name: "KAFKA_SASL_MECHANISM", fallback: "", about: "plain, scram-sha-256 or scram-sha-512" },
  { name: "KAFKA_SASL_USERNAME", fallback: "", about: "who logs in to the brokers" },
  { name: "KAFKA_SASL_PASSWORD", fallback: "", about: "and the password" },
  { name: "SCHEMA_REGISTRY_URL", fallback: null, about: "a Confluent-compatible registry" },
  {
    name: "SCHEMA_REGISTRY_CA",
    fallback: "",
    about: "file with the CA of an https registry's certificate; empty for the system's",
  },
  { name: "SCHEMA_REGISTRY_AUTH", fallback: "", about: "user:password that an https registry asks for" },
  { name: "DATABASE_URL", fallback: null, about: "postgres://…; TLS: ?sslmode=verify-full&sslrootcert=FILE" },
  { name: "S3_ENDPOINT", fallback: "", about: "an S3 server; empty for Amazon's own" },
  { name: "S3_BUCKET", fallback: "health-sync", about: "where objects go; `serve --setup` creates it" },
  { name: "S3_REGION", fallback: "us-east-1", about: "the bucket's region" },
  { name: "AWS_ACCESS_KEY_ID", fallback: null, about: "the object store's key" },
  { name: "AWS_SECRET_ACCESS_KEY", fallback: null, about: "and its secret" },
  { name: "S3_CA", fallback: "", about: "file with the CA of an https endpoint's certificate; empty for the system's" },
  { name: "AUTH_SECRET", fallback: null, about: "signs and checks tokens, at least 32 characters" },
  { name: "AUTH_JWKS", fallback: "", about: "instead: public keys of another issuer, a file or URL (JWKS)" },
  { name: "AUTH_ISSUER", fallback: "health-sync", about: "who signs tokens checked by AUTH_JWKS (`iss`)" },
  { name: "AUTH_AUDIENCE", fallback: "health-sync", about: "whom tokens checked by AUTH_JWKS are for (`aud`)" },
  { name: "PORT", fallback: "8080", about: "of the edge and the api; 0 takes a free one" },
  { name: "HOST", fallback: "127.0.0.1", about: "address to listen on" },
  { name: "RATE_PER_TOKEN", fallback: "1000", about: "requests a second that one token may make on average" },
  { name: "RATE_PER_ATHLETE", fallback: "100", about: "and that may be made for one athlete" },
  { name: "MAX_IN_FLIGHT", fallback: "256", about: "requests under way at once; of one athlete a sixteenth" },
  { name: "LOG_LEVEL", fallback: "info", about: "trace, debug, info, warn, error or silent" },
  { name: "WINDOW_GRACE", fallback: "4h", about: "how long after local midnight a day stays open" },
  { name: "SWEEP_GRACE", fallback: "8d", about: "how long unused objects are kept; never shorter than backups" },
  { name: "RECEIPTS_KEPT", fallback: "90d", about: "how long a batch id is known; at least the topics' 28 days" },
  {
    name: "TOPIC_PREFIX",
    fallback: "",
    about: "before topic, group and transactional ids: environments share a cluster",
  },
  { name: "PANE_EARLY_EVERY", fallback: "60s", about: "least time between early panes of one open day" },
  { name: "PANE_LATE_QUIET", fallback: "2s", about: "a closed day fires again after so much quiet" },
  { name: "PANE_BACKFILL_QUIET", fallback: "3s", about: "an import's days fire once its athlete was quiet so long" },
  { name: "RULES", fallback: "", about: "versions of rules to compute by instead of the first, like readiness/2" },
  { name: "MONTH_QUIET", fallback: "5d", about: "a month becomes one object once nothing changed in it for so long" },
  { name: "MONTH_LATE_QUIET", fallback: "60s", about: "late rows of such a month are written after so much quiet" },
  {
    name: "FAILPOINT",
    fallback: "",
    about: "fault runs only: STEP[:N] kills the worker at the N-th passing of a step",
  },
  { name: "FAILPOINT_STOP", fallback: "", about: "fault runs only: the same, stopped (SIGSTOP) instead of killed" },
];

const KAFKA_CLIENTS = ["kafkajs", "platformatic"] as const;

export type Config = {
  brokers: string[];
  kafkaClient: (typeof KAFKA_CLIENTS)[number];
  kafkaSecurity: {
    ssl: boolean;
    ca: string;
    cert: string;
    key: string;
    sasl: { mechanism: string; username: string; password: string } | null;
  };
  registryUrl: string;
  registrySecurity: { ca: string; auth: string };
  databaseUrl: string;
  objects: {
    endpoint: string | undefined;
    bucket: string;
    region: string;
    accessKeyId: string;
    secretAccessKey: string;
    ca: string | undefined;
  };
  authSecret: string;
  /** Null: tokens are those that AUTH_SECRET signs. */
  authKeys: { jwks: string; issuer: string; audience: string } | null;
  port: number;
  host: string;
  limits: { per_token: number; per_athlete: number; in_flight: number };
  logLevel: string;
  windowGrace: number;
  sweepGrace: number;
  receiptsKept: number;
  prefix: string;
  earlyEvery: number;
  lateQuiet: number;
  backfillQuiet: number;
  monthQuiet: number;
  monthLateQuiet: number;
  /** Which versions of rules are in force. */
  rules: Rules;
  failpoint: string;
  failpointStop: string;
};

type Env = Readonly<Record<string, string | undefined>>;

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `4h`, `8d` → milliseconds. Throws with the name of the setting. */
export const duration = (text: string, name: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) throw new Error(`${name}=${text}: give a number and a unit, for instance 90s, 4h or 8d`);
  return Number(match[1]) * (MILLISECONDS[match[2] ?? ""] ?? 0);
};

type Get = (name: string) => string;

const kafkaSecurityOf = (get: Get): Config["kafkaSecurity"] => {
  const mechanism = get("KAFKA_SASL_MECHANISM");
  const [username, password] = [get("KAFKA_SASL_USERNAME"), get("KAFKA_SASL_PASSWORD")];
  return {
    ssl: get("KAFKA_SSL") === "true",
    ca: get("KAFKA_SSL_CA"),
    cert: get("KAFKA_SSL_CERT"),
    key: get("KAFKA_SSL_KEY"),
    sasl: mechanism === "" ? null : { mechanism, username, password },
  };
};

const objectsOf = (get: Get): Config["objects"] => ({
  endpoint: get("S3_ENDPOINT") || undefined,
  bucket: get("S3_BUCKET"),
  region: get("S3_REGION"),
  accessKeyId: get("AWS_ACCESS_KEY_ID"),
  secretAccessKey: get("AWS_SECRET_ACCESS_KEY"),
  ca: get("S3_CA") || undefined,
});

/** Until then the topics may bring a batch's receipt again, or its records under its own time. */
const TOPICS_KEEP = 28 * 86_400_000;

const receiptsKeptOf = (ms: number): number => {
  if (ms < TOPICS_KEEP) throw new Error("RECEIPTS_KEPT: give at least 28d, which is how long the topics hold a batch");
  return ms;
};

const timesOf = (get: Get) => {
  const time = (name: string): number => duration(get(name), name);
  return {
    windowGrace: time("WINDOW_GRACE"),
    sweepGrace: time("SWEEP_GRACE"),
    receiptsKept: receiptsKeptOf(time("RECEIPTS_KEPT")),
    earlyEvery: time("PANE_EARLY_EVERY"),
    lateQuiet: time("PANE_LATE_QUIET"),
    backfillQuiet: time("PANE_BACKFILL_QUIET"),
    monthQuiet: time("MONTH_QUIET"),
    monthLateQuiet: time("MONTH_LATE_QUIET"),
  };
};

const limitsOf = (get: Get): Config["limits"] => {
  const at = (name: string): number => {
    const value = Number(get(name));
    if (!(value > 0 && value < 1e9)) throw new Error(`${name}=${get(name)}: give a number above 0`);
    return value;
  };
  return { per_token: at("RATE_PER_TOKEN"), per_athlete: at("RATE_PER_ATHLETE"), in_flight: at("MAX_IN_FLIGHT") };
};

const rulesOf = (text: string): Rules => {
  try {
    return chooseRules(text.split(",").filter((method) => method !== ""));
  } catch (cause) {
    throw new Error(`RULES=${text}: ${(cause as RangeError).message}`, { cause });
  }
};

const FROM_STACK = "`health-sync stack up` prints all settings of a local stack";

/**
 * Reads every setting lazily: a command fails only for what it needs, and says how to get it.
 */
export const readConfig = (env: Env): Config => {
  const get = (name: string): string => {
    const setting = SETTINGS.find((known) => known.name === name);
    const value = env[name] ?? setting?.fallback;
    if (value === null || value === undefined) throw new Error(`${name} is not set (${setting?.about}); ${FROM_STACK}`);
    return value;
  };
  return {
    get brokers() {
      return get("KAFKA_BROKERS").split(",");
    },
    get kafkaClient() {
      const client = KAFKA_CLIENTS.find((known) => known === get("KAFKA_CLIENT"));
      if (client) return client;
      throw new Error(`KAFKA_CLIENT=${get("KAFKA_CLIENT")}: choose from ${KAFKA_CLIENTS.join(", ")}`);
    },
    get kafkaSecurity() {
      return kafkaSecurityOf(get);
    },
    get registryUrl() {
      return get("SCHEMA_REGISTRY_URL");
    },
    get databaseUrl() {
      return get("DATABASE_URL");
    },
    get objects() {
      return objectsOf(get);
    },
    get authSecret() {
      const secret = get("AUTH_SECRET");
      if (secret.length < 32) throw new Error("AUTH_SECRET is too short: at least 32 characters");
      return secret;
    },
    get authKeys() {
      const jwks = get("AUTH_JWKS");
      return jwks === "" ? null : { jwks, issuer: get("AUTH_ISSUER"), audience: get("AUTH_AUDIENCE") };
    },
    get port() {
      const port = Number(get("PORT"));
      if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT=${get("PORT")} is no port`);
      return port;
    },
    get limits() {
      return limitsOf(get);
    },
    get rules() {
      return rulesOf(get("RULES"));
    },
    registrySecurity: { ca: get("SCHEMA_REGISTRY_CA"), auth: get("SCHEMA_REGISTRY_AUTH") },
    host: get("HOST"),
    logLevel: get("LOG_LEVEL"),
    prefix: get("TOPIC_PREFIX"),
    ...timesOf(get),
    failpoint: get("FAILPOINT"),
    failpointStop: get("FAILPOINT_STOP"),
  };
};

/** For `serve --help`. */
export const settingsHelp = (): string =>
  SETTINGS.map(({ name, fallback, about }) => `  ${name.padEnd(22)} ${about}${fallback ? ` (${fallback})` : ""}`).join(
    "\n",
  );
