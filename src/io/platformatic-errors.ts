import { Unanswered } from "./kafka-errors.ts";
import { errorChain, isNetworkError, textOf } from "./network-errors.ts";

/** All messages of an error and of what caused it: this client keeps the cause out of its own. */
const told = (chain: readonly unknown[]): string =>
  [...new Set(chain.map((each) => (each instanceof Error ? each.message : String(each))))].join(" ");

const retriable = (each: unknown): unknown =>
  typeof each === "object" && each !== null && "canRetry" in each ? each.canRetry : undefined;

/** A topic that was just made is unknown to a broker for a moment, which this client calls a mistake of the user. */
const unknownTopic = (each: unknown): boolean => textOf(each, "message").startsWith("Unknown topic ");

/** The same error with all that is known of it in its message; Unanswered where the same call may succeed later. */
export const spokenOut = (error: unknown): Error => {
  const chain = errorChain(error);
  const passes = chain.some((each) => retriable(each) === true) && !chain.some((each) => retriable(each) === false);
  return passes || isNetworkError(error) || chain.some(unknownTopic) || chain.some((each) => each instanceof Unanswered)
    ? new Unanswered(told(chain), { cause: error })
    : new Error(told(chain), { cause: error });
};

/** Somewhere in the error, Kafka's name of what went wrong. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  errorChain(error).some((each) => codes.includes(textOf(each, "apiId")));

/** The line to Kafka failed, not what was asked over it: it comes back, or the watchdog ends the process. */
export const lineIsDown = (error: unknown): boolean =>
  isNetworkError(error) || errorChain(error).some((each) => textOf(each, "code") === "PLT_KFK_NETWORK");
