import { errorChain, isNetworkError, textOf } from "./network-errors.ts";

/** No answer in time: what was asked may have been done. */
export class Unanswered extends Error {}

const TRANSIENT_NAMES = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSNumberOfRetriesExceeded",
  "KafkaJSBrokerNotFound",
  "KafkaJSLockTimeout",
  "KafkaJSMetadataNotLoaded",
  "KafkaJSTopicMetadataNotLoaded",
  "KafkaJSGroupCoordinatorNotFound",
]);

/** kafkajs says so in a plain Error after a connection whose first question was never answered. */
const NOT_CONNECTED = "Broker not connected";

/** Kafka is away, moving a leader or slow: the same call may succeed later. */
export const isTransient = (error: unknown): boolean =>
  isNetworkError(error) ||
  errorChain(error).some((each) => {
    if (each instanceof Unanswered || TRANSIENT_NAMES.has(textOf(each, "name"))) return true;
    if (textOf(each, "message") === NOT_CONNECTED) return true;
    return each instanceof Error && "retriable" in each && each.retriable === true;
  });
