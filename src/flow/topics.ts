export type TopicName =
  | "samples"
  | "sleep"
  | "backfill"
  | "batches"
  | "windows"
  | "metrics"
  | "sleep-sessions"
  | "day-partitions"
  | "deadletter";

/** The public name of a topic, under a prefix where several environments share a cluster. */
export type TopicNames = (name: TopicName) => string;

export const topicNames =
  (prefix = ""): TopicNames =>
  (name) =>
    `${prefix}health.${name}.v1`;
