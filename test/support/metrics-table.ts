import { METRICS, type MetricDefinition, aggregationStyle } from "../../src/domain/catalogue.ts";
import { type Range, rangeText } from "../../src/domain/catalogue/definition.ts";

const code = (text: string): string => (text === "" ? "–" : `\`${text.replaceAll("|", "\\|")}\``);

const range = ([min, max]: Range): string => (min === -Infinity && max === Infinity ? "–" : rangeText([min, max]));

const softText = ({ soft, hard, softDay }: MetricDefinition): string => {
  const own = soft[0] === hard[0] && soft[1] === hard[1] ? "–" : rangeText(soft);
  return range(softDay) === "–" ? own : `${own === "–" ? "" : `${own}; `}a day ${rangeText(softDay)}`;
};

const unitsText = ({ units, unit, value }: MetricDefinition): string => {
  if (value === "zero" || value === "rmssd") return "–";
  const others = [...units.keys()].filter((name) => name !== unit && name !== "");
  return others.length === 0 ? "–" : others.map(code).join(" ");
};

const dailyText = ({ daily }: MetricDefinition): string =>
  daily === null ? "–" : `${code(daily.metric)} ${code(daily.unit)} by ${code(daily.rule)}`;

const row = (metric: MetricDefinition): string =>
  [
    code(metric.key),
    [metric.type, ...metric.aliases].map(code).join("<br>"),
    aggregationStyle(metric),
    code(metric.unit),
    unitsText(metric),
    metric.categories === null ? range(metric.hard) : [...new Set(metric.categories.values())].join(", "),
    softText(metric),
    dailyText(metric),
  ].join(" | ");

/** docs/metrics.md, from the catalogue. */
export const metricsTable = (): string =>
  [
    "# Sample types and the athlete metrics that they give alone",
    "",
    "Generated from `src/domain/catalogue/` by `node test/support/record-metrics-table.ts`; a test compares. Outside the",
    "*taken* range a sample is refused (`out_of_range`, or `bad_value` for categories), outside the *usual* one it is kept",
    "with the flag `soft_range`. Identifiers that Apple documents and that stand here not are counted as ignored. Metrics",
    "that need several types (derived `resting_hr`) are not in the table.",
    "",
    "| key | HealthKit identifier | aggregation | unit | also taken | taken | usual | athlete metric |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...METRICS.map((metric) => `| ${row(metric)} |`),
    "",
  ].join("\n");
