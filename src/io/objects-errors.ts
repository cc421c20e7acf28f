import { errorChain, isNetworkError, textOf } from "./network-errors.ts";

/** The answer ended before the length it had announced. */
export class ShortBody extends Error {}

const TRANSIENT_NAMES = new Set([
  "TimeoutError",
  "AbortError",
  "RequestTimeout",
  "RequestTimeoutException",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "InternalError",
  "ServiceUnavailable",
  "ConditionalRequestConflict",
  "OperationAborted",
]);

/** The HTTP status that an error of the client carries, or 0. */
export const statusOf = (error: unknown): number => {
  const metadata: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "$metadata") : undefined;
  const status: unknown =
    typeof metadata === "object" && metadata !== null ? Reflect.get(metadata, "httpStatusCode") : undefined;
  return typeof status === "number" ? status : 0;
};

/** The object store is away, slow, overloaded or broke off: the same request may succeed later. */
export const isTransient = (error: unknown): boolean =>
  isNetworkError(error) ||
  errorChain(error).some((each) => {
    if (each instanceof ShortBody || TRANSIENT_NAMES.has(textOf(each, "name"))) return true;
    const status = statusOf(each);
    return status >= 500 || status === 429 || status === 408;
  });
