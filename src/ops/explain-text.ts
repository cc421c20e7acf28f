import type { EditMade, Explanation, ReadObject } from "../domain/explain/explanation.ts";
import { textTable } from "./text-table.ts";

const amount = (value: number | null, unit: string): string =>
  value === null ? "nothing" : `${Number(value.toPrecision(6))} ${unit}`.trim();

const counts = (samples: Readonly<Record<string, number>>): string =>
  Object.entries(samples)
    .map(([metric, n]) => `${n} ${metric}`)
    .join(", ");

const period = ({ period_start, period_end }: ReadObject): string =>
  period_start === period_end ? period_start : `${period_start} to ${period_end}`;

/** Lines under a heading; nothing where there are none. */
const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", heading, ...lines.map((line) => `  ${line}`)];

const state = ({ value, unit, source, locked, is_final, synced_value }: Explanation): string => {
  const marks = [
    is_final ? "final" : "provisional: the day, or one that it reads, is still open",
    ...(locked ? [`locked; the sync says ${amount(synced_value, unit)}`] : []),
  ];
  return `${amount(value, unit)} (${source}; ${marks.join("; ")})`;
};

const inputLines = ({ inputs: { dates, days_remembered, objects, staged } }: Explanation): string[] => [
  dates.from === dates.to ? dates.from : `${dates.from} to ${dates.to}`,
  ...(days_remembered === null ? [] : [`${days_remembered} of these days are remembered`]),
  ...objects.map((object) => `${period(object)} generation ${object.generation}: ${counts(object.samples)}`),
  ...(Object.keys(staged).length > 0 ? [`in staging: ${counts(staged)}`] : []),
];

const sourceLines = ({ sources: { used, set_aside } }: Explanation): string[] => [
  ...used.map(({ source_key, samples, counted }) => {
    const share = counted === undefined ? "" : `, of which ${counted} counted`;
    return `used ${source_key}: ${samples} samples${share}`;
  }),
  ...set_aside.map(
    ({ source_key, samples, reason }) => `set aside ${source_key ?? "others"}: ${samples ?? "some"} samples, ${reason}`,
  ),
];

/** Figures that a rule noted, one a line: `baseline.mean 51.2`. */
const figures = (value: unknown, path: string): string[] => {
  if (Array.isArray(value))
    return value.length === 0 ? [] : [`${path} ${value.map((one) => JSON.stringify(one)).join(" ")}`];
  if (typeof value !== "object" || value === null) return [`${path} ${String(value)}`];
  return Object.entries(value).flatMap(([key, child]) => figures(child, path === "" ? key : `${path}.${key}`));
};

const editLine = ({ edited_at, actor, action, source, before, after }: EditMade, unit: string): string => {
  const was = before === null ? "nothing" : amount(before.value, unit);
  const is = after === null ? "nothing" : `${amount(after.value, unit)}${after.locked ? ", locked" : ""}`;
  return `${edited_at} ${actor}: ${action} of ${source}, ${was} to ${is}`;
};

/** An explanation as a person reads it. */
export const explanationLines = (explanation: Explanation): string[] => {
  const { date, metric, why, effective, rule, unit, values, edits, session, provenance } = explanation;
  const { sources: _, ...noted } = provenance ?? {};
  return [
    `${metric} of ${date}: ${state(explanation)}`,
    `${effective ? "It counts" : "It does not count"}: ${why}.`,
    rule === null
      ? "No rule made it: a person did."
      : `${rule.name}${rule.version === null ? "" : `/${rule.version}`}: ${rule.does}`,
    ...section("read", inputLines(explanation)),
    ...section("sources", sourceLines(explanation)),
    ...section("sleep", session === null ? [] : [`${session.kind} of ${session.source} (${session.session_id})`]),
    ...section("noted by the rule", figures(noted, "")),
    ...section(
      "values of that date",
      textTable([
        ["source", "value", "locked", "final", "revision"],
        ...values.map((one) => [
          one.source,
          amount(one.value, one.unit),
          one.locked ? "yes" : "no",
          one.is_final ? "yes" : "no",
          String(one.revision),
        ]),
      ]),
    ),
    ...section(
      "edits",
      edits.map((edit) => editLine(edit, unit)),
    ),
  ];
};
