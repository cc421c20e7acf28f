import { metricOfType, type MetricDefinition } from "../domain/catalogue.ts";
import type { RecordParts } from "../domain/ids.ts";
import { convertValue, sentValue } from "../domain/measure.ts";
import { normaliseSource } from "../domain/source.ts";
import { isEntry } from "./read-sample.ts";
import { parseInstant } from "./time-text.ts";

/** A native sample as far as its key needs it; nothing about it is known to be right yet. */
export type Unkeyed = {
  type: unknown;
  start: unknown;
  end: unknown;
  value: unknown;
  unit: unknown;
  source: unknown;
  metadata: unknown;
};

/** What the id of a record is made of (D10), of the first among its equals, and the value that orders these. */
export type RecordKey = { key: RecordParts; value: number };

/** Display units change between exports: the canonical value does not. A unit that is none of ours is refused later. */
const valueInId = (metric: MetricDefinition, sent: { value: number; unit: unknown; door: string }): number | null => {
  if (!metric.valueInId) return null;
  const unit = typeof sent.unit === "string" ? sent.unit : null;
  const converted = convertValue(metric.units, { ...sent, unit });
  return converted.kind === "value" ? converted.value : sent.value;
};

/** The last source's name and the same normalised: samples of one source stand in runs. */
let last = { name: "", source: "" };

const sourceOf = (name: string): string => {
  if (last.name !== name) last = { name, source: normaliseSource(name) };
  return last.source;
};

/** The key of a sample that came without an id, or null where it is too broken to have one: it is refused with its reason. */
export const recordKey = (sample: Unkeyed, from: { athlete_id: string; door: string }): RecordKey | null => {
  const metric = typeof sample.type === "string" ? metricOfType(sample.type) : undefined;
  const start_at = parseInstant(sample.start);
  const end_at = parseInstant(sample.end);
  if (!metric || start_at === undefined || end_at === undefined) return null;
  const value = sentValue(metric, sample.value, isEntry(sample.metadata) ? sample.metadata : {});
  if (value === undefined) return null;
  const name = isEntry(sample.source) ? sample.source["name"] : null;
  const source = sourceOf(typeof name === "string" ? name : "");
  const { athlete_id, door } = from;
  const inId = valueInId(metric, { value, unit: sample.unit, door });
  return { key: { athlete_id, metric: metric.key, start_at, end_at, source, value: inId, n: 0 }, value };
};
