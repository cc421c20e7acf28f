import { errorChain, isNetworkError, textOf } from "./network-errors.ts";

/** SQLSTATEs that say "not now" rather than "not this". */
const TRANSIENT_STATES = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "57014", // query_canceled: by statement_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting up or in recovery
  "57P05", // idle_session_timeout
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
  "25006", // read_only_sql_transaction: a standby just before or after a failover
  "58030", // io_error
]);
/** 08 connection exception, 53 insufficient resources (too many connections, disk full, out of memory). */
const TRANSIENT_CLASSES = new Set(["08", "53"]);

/** pg reports these without any code. */
const PG_TEXTS = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Query read timeout",
  "Client has encountered a connection error",
  "Client was closed and is not queryable",
  "server closed the connection",
];

/**
 * Postgres is away, overloaded or asks to try again: the same transaction may succeed later, unchanged.
 * A commit that fails like this is *unknown*, never undone for certain.
 */
export const isTransient = (error: unknown): boolean =>
  isNetworkError(error) ||
  errorChain(error).some((each) => {
    const code = textOf(each, "code");
    if (TRANSIENT_STATES.has(code)) return true;
    if (code.length === 5 && TRANSIENT_CLASSES.has(code.slice(0, 2))) return true;
    const message = textOf(each, "message");
    return PG_TEXTS.some((text) => message.includes(text));
  });
