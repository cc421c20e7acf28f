export type InvariantName = "I2" | "I4" | "I5" | "I6" | "I7";

/** `id` names the row; `values` holds health values and is shown only where the caller asks for it. */
export type Violation = { kind: string; id: string; detail: string; values?: string };

/** What one invariant's check saw. A check that had nothing to look at has not passed (`vacuous`). */
export type Verdict = {
  invariant: InvariantName;
  checked: Record<string, number>;
  violations: Violation[];
};

/** These must have seen something for the verdict to mean anything. I7 may have no locked value to look at. */
export const MUST_SEE: Record<InvariantName, readonly string[]> = {
  I2: ["acknowledged samples", "stored rows"],
  I4: ["metrics recomputed", "metric rows"],
  I5: ["receipts", "receipt records"],
  I6: ["topics", "topic records"],
  I7: [],
};

export const vacuous = (verdict: Verdict): string[] =>
  MUST_SEE[verdict.invariant].filter((name) => (verdict.checked[name] ?? 0) === 0);

export const passed = (verdict: Verdict): boolean => verdict.violations.length === 0 && vacuous(verdict).length === 0;

const SHOWN = 20;

/** A table an invariant, then the violations with their ids. No health value stands here unless `withValues`. */
export const render = (verdicts: readonly Verdict[], withValues: boolean): string => {
  const lines: string[] = [];
  for (const verdict of verdicts) {
    const empty = vacuous(verdict);
    const state = passed(verdict) ? "ok  " : "FAIL";
    const checked = Object.entries(verdict.checked).map(([name, n]) => `${n} ${name}`);
    lines.push(`${verdict.invariant}  ${state}  ${checked.join(", ")}; ${verdict.violations.length} violations`);
    for (const name of empty) lines.push(`      nothing seen: no ${name}`);
    for (const v of verdict.violations.slice(0, SHOWN)) {
      const values = withValues && v.values ? `  [${v.values}]` : "";
      lines.push(`      ${v.kind}  ${v.id}  ${v.detail}${values}`);
    }
    const more = verdict.violations.length - SHOWN;
    if (more > 0) lines.push(`      … and ${more} more`);
  }
  return lines.join("\n");
};
