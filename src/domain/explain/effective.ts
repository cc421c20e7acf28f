export type ValueSource = "manual" | "apple_health" | "derived";
type Row = { source: ValueSource; locked: boolean };

/** Smaller goes first: locked, then a person's value, the provider's, ours (contract §3). */
const SOURCES: readonly ValueSource[] = ["manual", "apple_health", "derived"];
const rank = ({ source, locked }: Row): number => (locked ? 0 : SOURCES.length) + SOURCES.indexOf(source);

/** The rows of a date and metric, the effective one first. */
export const byPrecedence = <T extends Row>(rows: readonly T[]): T[] => rows.toSorted((a, b) => rank(a) - rank(b));

const WHAT: Readonly<Record<ValueSource, string>> = {
  manual: "a person's value",
  apple_health: "the provider's value",
  derived: "a derived value",
};
const what = ({ source, locked }: Row): string => (locked ? "a locked value" : WHAT[source]);

/** Why the row stands where it does among the rows of its date and metric. */
export const whyEffective = (row: Row, rows: readonly Row[]): string => {
  const first = byPrecedence(rows)[0] as Row;
  if (rows.length === 1) return "it is the only value of this metric on that date";
  if (first !== row) return `${what(first)} (source ${first.source}) goes before ${what(row)}`;
  if (row.locked) return "a person locked it: a locked value goes before all others";
  return row.source === "manual"
    ? "a person's value goes before computed ones"
    : `${what(row)} goes before a derived one`;
};
