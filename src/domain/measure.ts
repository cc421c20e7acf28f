import type { MetricDefinition } from "./catalogue.ts";
import { rangeText } from "./catalogue/definition.ts";
import { type Conversion, type Units, conversionFor } from "./catalogue/units.ts";
import { MINUTE } from "./local-day.ts";
import { type Refusal, quoted, refuse } from "./refusal.ts";
import { rmssd } from "./rmssd.ts";
import type { Instant } from "./sample.ts";

const numberIn = (text: unknown): number | undefined => {
  const value = typeof text === "string" && /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : text;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

/**
 * The number that a client's value stands for: a number itself, a category by its name, or what the metadata say.
 * What is no quantity may come without one, then it is 0. Undefined where there is none.
 */
export const sentValue = (
  definition: MetricDefinition,
  value: unknown,
  metadata: Readonly<Record<string, unknown>>,
): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const { metadataValue: key, categories, value: meaning } = definition;
  if (key !== null) return numberIn(metadata[`HK${key}`] ?? metadata[`HKMetadataKey${key}`]);
  if (typeof value === "string" && value !== "") return categories?.get(value);
  if (value !== undefined && value !== null && value !== "") return undefined;
  return categories !== null || meaning === "zero" || meaning === "rmssd" ? 0 : undefined;
};

/** What `sentValue` would have understood. */
export const valueHint = ({ categories, metadataValue }: MetricDefinition): string => {
  if (metadataValue !== null) return `must be a finite number, or stand in the metadata as HK${metadataValue}`;
  if (categories === null) return "must be a finite number";
  return `must be one of ${[...new Set(categories.values())].join(", ")}, or the name that HealthKit exports for it`;
};

export type Converted = { kind: "value"; value: number; convert: Conversion; flags: string[] };

type Sent = { value: number; unit: string | null; door: string };

/** A value in its canonical unit. */
export const convertValue = (units: Units, { value, unit, door }: Sent): Converted | Refusal => {
  if (!Number.isFinite(value)) return refuse("bad_value", "value", "value must be a finite number");
  const way = conversionFor(units, { value, unit: unit ?? "", door });
  if (way === undefined) {
    const known = [...units.keys()].join(", ");
    const right = known === "" ? "absent: such a sample has no unit" : `one of ${known}`;
    return refuse("bad_unit", "unit", `unit must be ${right}; it is ${quoted(unit)}`);
  }
  const flags = way.repaired ? ["unit_repaired"] : [];
  return { kind: "value", value: way.convert(value) + 0, convert: way.convert, flags }; // -0 becomes 0: they must hash alike
};

type Measured = Sent & { start_at: Instant; end_at: Instant; beats?: unknown };

const canonicalValue = (
  meaning: MetricDefinition["value"],
  converted: number,
  { start_at, end_at, beats }: Measured,
): number | Refusal => {
  if (meaning === "sent") return converted;
  if (meaning === "minutes") return (end_at - start_at) / MINUTE;
  if (meaning === "zero") return 0;
  const variability = rmssd(beats);
  return "kind" in variability ? variability : variability.value;
};

/** A sample's canonical value: converted, an allowed category, inside the hard range; what is unusual is flagged. */
export const measure = (definition: MetricDefinition, sent: Measured): Converted | Refusal => {
  const { categories, hard, soft, key, unit, units, maxRate, value: meaning } = definition;
  const unitless = meaning === "zero" || meaning === "rmssd";
  const converted = convertValue(units, unitless ? { ...sent, unit: "" } : sent);
  if (converted.kind === "dead") return converted;
  if (categories !== null && ![...categories.values()].includes(converted.value))
    return refuse("bad_value", "value", `value ${valueHint(definition)}`);
  const value = canonicalValue(meaning, converted.value, sent);
  if (typeof value !== "number") return value;
  if (!(value >= hard[0] && value <= hard[1]))
    return refuse("out_of_range", "value", `${key} must be ${`${rangeText(hard)} ${unit}`.trim()}`);
  const seconds = Math.max(1, (sent.end_at - sent.start_at) / 1000);
  const flags = [
    ...converted.flags,
    ...(value < soft[0] || value > soft[1] ? ["soft_range"] : []),
    ...(value / seconds > maxRate ? ["high_rate"] : []),
  ];
  return { ...converted, value, flags };
};
