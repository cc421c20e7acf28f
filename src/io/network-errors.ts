/** Codes of Node's own network errors after which trying again can help. */
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EMFILE",
  "ENFILE",
]);

/** The string under `key` of an error-like value. */
export const textOf = (error: unknown, key: string): string => {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === "string" ? value : "";
};

/** Of a loop of causes, or of hundreds of tries. */
const MOST_ERRORS = 64;

/** The error itself, what caused it, and the members of an AggregateError (one a tried address), however deep. */
export const errorChain = (error: unknown): unknown[] => {
  const chain: unknown[] = [];
  const left: unknown[] = [error];
  while (left.length > 0 && chain.length < MOST_ERRORS) {
    const at = left.shift();
    if (at === undefined || at === null) continue;
    chain.push(at);
    if (at instanceof AggregateError) left.push(...at.errors);
    if (at instanceof Error) left.push(at.cause);
  }
  return chain;
};

/** The connection failed, not what was asked. */
export const isNetworkError = (error: unknown): boolean =>
  errorChain(error).some((each) => NETWORK_CODES.has(textOf(each, "code")));
