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

/** The error itself, what caused it, and the members of an AggregateError (one a tried address). */
export const errorChain = (error: unknown): unknown[] => {
  const chain: unknown[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && chain.length < 8;) {
    chain.push(at);
    if (at instanceof AggregateError) chain.push(...at.errors);
    at = at instanceof Error ? at.cause : undefined;
  }
  return chain;
};

/** The connection failed, not what was asked. */
export const isNetworkError = (error: unknown): boolean =>
  errorChain(error).some((each) => NETWORK_CODES.has(textOf(each, "code")));
