import { InvalidArgumentError } from "commander";
import { isAthleteId } from "../domain/ids.ts";
import { METRICS, metricOfKey } from "../domain/catalogue.ts";
import type { Instant } from "../domain/sample.ts";
import { type Asked, type OffsetMark, REPLAYED, type ReplayedTopic } from "./replay-plan.ts";

/** Options as commander hands them on; each may be given several times, or with commas. */
export type ReplayOptions = {
  topic?: ReplayedTopic[];
  since?: Instant;
  until?: Instant;
  fromOffset?: OffsetMark[];
  toOffset?: OffsetMark[];
  athlete?: string[];
  metric?: string[];
  rate?: number;
  dryRun?: true;
  json?: true;
};

const listOf =
  <T>(one: (text: string) => T) =>
  (text: string, before: T[] = []): T[] => [...before, ...text.split(",").map((part) => one(part.trim()))];

const topicNamed = (text: string): ReplayedTopic => {
  const found = REPLAYED.find((name) => name === text);
  if (found) return found;
  throw new InvalidArgumentError(`choose from ${REPLAYED.join(", ")}`);
};

export const topicsOption = listOf(topicNamed);

export const athletesOption = listOf((id) => {
  if (isAthleteId(id)) return id;
  throw new InvalidArgumentError("1 to 64 letters, digits, _ or -, starting with a letter or digit");
});

export const metricsOption = listOf((key) => {
  if (metricOfKey(key)) return key;
  const close = METRICS.filter((metric) => metric.key.includes(key)).map((metric) => metric.key);
  throw new InvalidArgumentError(
    close.length > 0 ? `no such metric; did you mean ${close.slice(0, 5).join(", ")}?` : "see docs/metrics.md for keys",
  );
});

/** `samples/3=120`. */
export const offsetsOption = listOf((text): OffsetMark => {
  const [, topic = "", partition = "", offset = ""] = /^([a-z]+)\/(\d{1,5})=(\d{1,15})$/.exec(text) ?? [];
  if (offset === "") throw new InvalidArgumentError("topic, topic partition and offset, for instance samples/3=120");
  return { topic: topicNamed(topic), topic_partition: Number(partition), offset: Number(offset) };
});

const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** A date is its midnight in UTC. */
export const instantOption = (text: string): Instant => {
  const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError("2026-11-20T06:00:00Z, or 2026-11-20 for midnight UTC");
  return at;
};

export const rateOption = (text: string): number => {
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new InvalidArgumentError("records per second, over 0");
};

/** Throws RangeError where the options exclude each other. */
export const askedOf = (options: ReplayOptions): Asked => {
  const { since = null, until = null, fromOffset: from = [], toOffset: to = [] } = options;
  if (since !== null && until !== null && since >= until) throw new RangeError("--since must be before --until");
  return {
    topics: options.topic ?? REPLAYED,
    since,
    until,
    from,
    to,
    athletes: options.athlete ?? null,
    metrics: options.metric ?? null,
  };
};
