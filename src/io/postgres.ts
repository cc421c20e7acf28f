import { DatabaseError, defaults, Pool } from "pg";
import type { ClientBase, PoolClient } from "pg";
import type { Database, News, Reader, Tx } from "../flow/ports.ts";
import { copyIn, copyOut } from "./postgres-copy.ts";
import { announcer } from "./postgres-notices.ts";
import { typeParser } from "./postgres-types.ts";

export { isTransient } from "./postgres-errors.ts";

// Else pg writes a Date with the process's zone, whose offset before 1900 has seconds that the text form lacks.
defaults.parseInputDatesAsUTC = true;

export type DatabaseOptions = {
  url: string;
  /** Connections at most; a caller waits for a free one no longer than `connect_timeout_ms`. */
  max?: number;
  application_name?: string;
  connect_timeout_ms?: number;
  /** 0: no limit (migrations). */
  statement_timeout_ms?: number;
  /** Postgres ends a transaction that sleeps this long, so that a stopped process does not hold its locks for ever. */
  idle_in_transaction_timeout_ms?: number;
  log?: (event: string, fields: Record<string, unknown>) => void;
};

/** A snapshot holds no locks, and its reader may fetch objects meanwhile: it may idle longer than a writer. */
const SNAPSHOT =
  "begin isolation level repeatable read, read only; set local idle_in_transaction_session_timeout = '60s'";

/** Time for the server to report its own statement timeout before the client gives the connection up. */
const CLIENT_PATIENCE_MS = 5_000;

const openPool = (options: DatabaseOptions): Pool => {
  const statementTimeout = options.statement_timeout_ms ?? 60_000;
  const pool = new Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    application_name: options.application_name ?? "health-sync",
    connectionTimeoutMillis: options.connect_timeout_ms ?? 8_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeout,
    query_timeout: statementTimeout === 0 ? 0 : statementTimeout + CLIENT_PATIENCE_MS,
    idle_in_transaction_session_timeout: options.idle_in_transaction_timeout_ms ?? 60_000,
    options: "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex",
    types: { getTypeParser: typeParser as never },
  });
  // Without these listeners a connection that dies while idle, or between two statements, ends the process.
  // Whoever uses the connection next gets the rejection.
  pool.on("error", (error) => options.log?.("postgres_connection_lost", { error: error.message }));
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  return pool;
};

type Answer = { command: string; rows: unknown[] };

const ask = async (client: ClientBase, text: string, params?: readonly unknown[]): Promise<Answer> => {
  // Without parameters the text may hold several statements; the last one answers.
  const answer: unknown = await client.query(params ? { text, values: [...params] } : { text });
  return (Array.isArray(answer) ? answer.at(-1) : answer) as Answer;
};

/** The Tx port on one connection. Calls queue, and none gets through once the transaction is over. */
const transactionOn = (client: PoolClient) => {
  const news = new Set<News>();
  let over = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => {
      if (over) throw new Error("the transaction is over: await every query inside it");
      return call();
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  const tx: Tx = {
    query: <Row>(text: string, params?: readonly unknown[]) =>
      inTurn(async () => (await ask(client, text, params)).rows as Row[]),
    copyOut: (query, types, params) => inTurn(() => copyOut(client, { query, types, params: params ?? [] })),
    copyIn: (table, columns, rows) => inTurn(() => copyIn(client, { table, columns, rows })),
    announce: (one) => void news.add(one),
  };
  const end = async (): Promise<void> => {
    await last;
    over = true;
  };
  return { tx, end, news };
};

type Work<T> = (tx: Tx) => Promise<T>;
type Begun = { begin: string; announce: (news: Iterable<News>) => void };

const runIn = async <T>(pool: Pool, { begin, announce }: Begun, work: Work<T>): Promise<T> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  const { tx, end, news } = transactionOn(client);
  try {
    await client.query(begin);
    const result = await work(tx);
    await end();
    // Postgres answers the commit of a failed transaction with ROLLBACK and no error.
    const { command } = await ask(client, "commit");
    if (command !== "COMMIT") throw new Error("not committed: a statement in the transaction failed and was ignored");
    announce(news);
    return result;
  } catch (error) {
    await end();
    // After the client's own timeout the statement still runs: only closing the connection ends it.
    if (error instanceof Error && error.message === "Query read timeout") broken = error;
    else await client.query("rollback").catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
};

const queryOn = async (pool: Pool, text: string, params?: readonly unknown[]): Promise<unknown[]> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return (await ask(client, text, params)).rows;
  } catch (error) {
    // A statement that failed in Postgres leaves the connection usable; anything else may not.
    if (!(error instanceof DatabaseError)) broken = error as Error;
    throw error;
  } finally {
    client.release(broken);
  }
};

/** The Database port on a pool of pg connections. Connects on first use; `isTransient` classifies its rejections. */
export const openDatabase = (options: DatabaseOptions): Database => {
  const pool = openPool(options);
  const { announce, sent } = announcer((text, params) => queryOn(pool, text, params));
  let closing: Promise<void> | undefined;
  return {
    transaction: (work) => runIn(pool, { begin: "begin isolation level read committed", announce }, work),
    snapshot: <T>(work: (tx: Reader) => Promise<T>) => runIn(pool, { begin: SNAPSHOT, announce }, work),
    query: async <Row>(text: string, params?: readonly unknown[]) => (await queryOn(pool, text, params)) as Row[],
    close: () => (closing ??= sent().then(() => pool.end())),
  };
};
