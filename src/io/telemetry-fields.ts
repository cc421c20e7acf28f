/**
 * The only field names that may be logged. A list of what is allowed, because a list of what is forbidden is never
 * complete: a field added by somebody in a hurry (`value`, `samples`, `body`) does not reach the log; its name does,
 * under `dropped_fields`, so that one sees what to add here. Names of people, sources and devices, values, payloads
 * and metadata have no place on it. Athlete ids are pseudonyms and are needed to look after a person's data.
 */
const ALLOWED = new Set(
  [
    // where
    "topic topic_partition topic_partitions partition partitions offset offsets from to",
    "from_offset to_offset first_offset last_offset fetched_from position positions epoch",
    "low high lag group group_id cluster_id shard shards lane stage step owner",
    "object_key generation revision version batch_id athlete_id date dates metric pane",
    "schema_id subject table migration bucket roles role part name url host port",
    // what and how it went
    "fate reason error error_code code kind state signal exit_code status",
    "method route text stack attempt attempts retry_in_ms next_try_ms refusal what",
    "result dry_run type child_pid pid request_id frames",
    // of the Kafka client's own lines
    "message level groupId broker retryCount retryTime advice",
    // how much
    "count records rows bytes ms seconds tally events objects deleted sent read",
    "windows panes backlog athletes deadletters dead_letters samples_count uptime_ms",
    "decode_ms commit_ms decide_ms read_ms put_ms waited_ms queue concurrency applied",
  ]
    .join(" ")
    .split(" "),
);
const MAX_TEXT = 2000;
const MAX_ITEMS = 50;

const primitive = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return undefined;
};

/** An error's own words, and its code; never its other properties, where drivers keep the offending row. */
const errorText = (error: Error): string => {
  const { code } = error as { code?: unknown };
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const text = `${error.name}: ${error.message}${cause}`;
  return typeof code === "string" ? `${text} (${code})` : text;
};

/** Primitives, errors, lists of primitives, and flat objects of numbers (tallies). Everything else is not logged. */
const safeValue = (value: unknown): unknown => {
  if (value instanceof Error) return primitive(errorText(value));
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(primitive);
  if (typeof value === "object" && value !== null) {
    const numbers = Object.entries(value).filter(([, inner]) => typeof inner === "number");
    return Object.fromEntries(numbers.slice(0, MAX_ITEMS));
  }
  return primitive(value);
};

/** The fields of a log line that may be written, and the names of those that may not. */
export const safeFields = (fields: Record<string, unknown>): Record<string, unknown> => {
  const safe: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (ALLOWED.has(name)) safe[name] = safeValue(value);
    else dropped.push(name);
  }
  if (dropped.length > 0) safe["dropped_fields"] = dropped;
  return safe;
};
