import { expect, test } from "vitest";
import type { Explanation } from "../../../src/domain/explain/explanation.ts";
import { explanationLines } from "../../../src/ops/explain-text.ts";

const STEPS: Explanation = {
  athlete_id: "anna",
  date: "2026-11-20",
  metric: "steps",
  source: "derived",
  value: 1200,
  unit: "count",
  effective: false,
  why: "a person's value (source manual) goes before a derived value",
  locked: false,
  synced_value: null,
  is_final: true,
  pane: "late",
  revision: 7,
  updated_at: "2026-11-21T05:00:00.000Z",
  rule: { name: "steps_merge", version: 1, does: "The timelines are merged." },
  input_hash: "ab",
  inputs: {
    dates: { from: "2026-11-19", to: "2026-11-20" },
    days_remembered: null,
    objects: [
      {
        period_start: "2026-11-20",
        period_end: "2026-11-20",
        level: "day",
        generation: 3,
        object_key: "k",
        samples: { steps: 12 },
      },
    ],
    staged: { steps: 2 },
  },
  sources: {
    used: [{ source_key: "watch", samples: 9, counted: 1200 }],
    set_aside: [{ source_key: "phone", samples: 5, reason: "covered" }],
  },
  session: null,
  provenance: { n: 14, sources: [{ source_key: "watch" }], baseline: { mean: 51.2 }, flags: ["soft_range"], none: [] },
  values: [
    { source: "manual", value: 9000, unit: "count", locked: false, is_final: true, revision: 8, why: "" },
    { source: "derived", value: 1200, unit: "count", locked: false, is_final: true, revision: 7, why: "" },
  ],
  edits: [
    {
      edited_at: "2026-11-21T06:00:00.000Z",
      actor: "coach",
      action: "set",
      source: "manual",
      before: null,
      after: { value: 9000, locked: true },
    },
  ],
};

test("an explanation reads from the value to the hands that changed it", () => {
  expect(explanationLines(STEPS)).toEqual([
    "steps of 2026-11-20: 1200 count (derived; final)",
    "It does not count: a person's value (source manual) goes before a derived value.",
    "steps_merge/1: The timelines are merged.",
    "",
    "read",
    "  2026-11-19 to 2026-11-20",
    "  2026-11-20 generation 3: 12 steps",
    "  in staging: 2 steps",
    "",
    "sources",
    "  used watch: 9 samples, of which 1200 counted",
    "  set aside phone: 5 samples, covered",
    "",
    "noted by the rule",
    "  n 14",
    "  baseline.mean 51.2",
    '  flags "soft_range"',
    "",
    "values of that date",
    "  source   value       locked  final  revision",
    "  manual   9000 count  no      yes    8",
    "  derived  1200 count  no      yes    7",
    "",
    "edits",
    "  2026-11-21T06:00:00.000Z coach: set of manual, nothing to 9000 count, locked",
  ]);
});

test("a locked, provisional value of a night says so", () => {
  const lines = explanationLines({
    ...STEPS,
    effective: true,
    why: "a person locked it",
    locked: true,
    is_final: false,
    synced_value: null,
    rule: { name: "provider_total", version: null, does: "Taken as it is." },
    inputs: { dates: { from: "2026-11-20", to: "2026-11-20" }, days_remembered: 40, objects: [], staged: {} },
    sources: {
      used: [{ source_key: "watch", samples: 1 }],
      set_aside: [{ source_key: null, samples: null, reason: "x" }],
    },
    session: { session_id: "s", source: "watch", kind: "main", provenance: null },
    provenance: null,
    edits: [
      { ...(STEPS.edits[0] as Explanation["edits"][number]), before: { value: null, locked: false }, after: null },
    ],
  });
  expect(lines[0]).toBe(
    "steps of 2026-11-20: 1200 count (derived; provisional: the day, or one that it reads, is still open; locked; the sync says nothing)",
  );
  expect(lines).toContain("It counts: a person locked it.");
  expect(lines).toContain("provider_total: Taken as it is.");
  expect(lines).toContain("  40 of these days are remembered");
  expect(lines).toContain("  set aside others: some samples, x");
  expect(lines).toContain("  main of watch (s)");
  expect(lines.at(-1)).toBe("  2026-11-21T06:00:00.000Z coach: set of manual, nothing to nothing");
  expect(explanationLines({ ...STEPS, rule: null })[2]).toBe("No rule made it: a person did.");
});
