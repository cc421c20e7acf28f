import { expect, test } from "vitest";
import { ATHLETE_METRICS } from "../../src/domain/athlete-metrics.ts";
import { METRICS } from "../../src/domain/catalogue.ts";
import { byPrecedence, whyEffective } from "../../src/domain/explain/effective.ts";
import { RULE_NAMES, methodsOf, ruleOf, samplesOfMethod, samplesRead } from "../../src/domain/explain/rules.ts";
import { sleepSources, sourcesOf } from "../../src/domain/explain/sources.ts";

const row = (source: "manual" | "apple_health" | "derived", locked = false) => ({ source, locked });

test("locked goes first, then manual, the provider's, derived; and each row says why", () => {
  const rows = [row("derived"), row("apple_health"), row("manual")];
  expect(byPrecedence(rows).map(({ source }) => source)).toEqual(["manual", "apple_health", "derived"]);
  expect(rows.map((one) => whyEffective(one, rows))).toEqual([
    "a person's value (source manual) goes before a derived value",
    "a person's value (source manual) goes before the provider's value",
    "a person's value goes before computed ones",
  ]);
  const locked = [row("manual"), row("derived", true)];
  expect(byPrecedence(locked)[0]?.source).toBe("derived");
  expect(locked.map((one) => whyEffective(one, locked))).toEqual([
    "a locked value (source derived) goes before a person's value",
    "a person locked it: a locked value goes before all others",
  ]);
  const two = [row("derived"), row("apple_health")];
  expect(whyEffective(two[1] as (typeof two)[0], two)).toBe("the provider's value goes before a derived one");
  const alone = row("derived");
  expect(whyEffective(alone, [alone])).toBe("it is the only value of this metric on that date");
});

test("every rule that makes a value is told in a sentence, with its version", () => {
  const methods = new Set(METRICS.flatMap(({ daily }) => daily?.rule ?? []));
  const others = ["sleep_session/1", "sleep_score/1", "readiness/1", "stress/1", "wtemp_dev/1"];
  for (const method of [...methods, ...others]) {
    expect(ruleOf(method)?.does).not.toContain("does not know");
    expect(ruleOf(method)?.version).toBe(method === "provider_total" ? null : 1);
  }
  expect(ruleOf("readiness/1")?.name).toBe("readiness");
  expect(ruleOf(null)).toBeNull();
  expect(ruleOf("readiness/99")).toEqual({
    name: "readiness",
    version: 99,
    does: "A rule that this version of the service does not know.",
  });
});

test("a rule reads the samples of its metric, and what else it needs", () => {
  expect(samplesRead("steps", "steps_merge/1")).toEqual(["steps"]);
  expect(samplesRead("hrv", "hrv/1")).toEqual(["hrv_sdnn", "sleep_analysis"]);
  expect(samplesRead("blood_pressure_systolic", "day_mean/1")).toEqual([
    "blood_pressure_systolic",
    "blood_pressure_diastolic",
  ]);
  expect(samplesRead("resting_hr", "rhr/1")).toEqual([
    "resting_heart_rate",
    "heart_rate",
    "steps",
    "workout",
    "sleep_analysis",
  ]);
  expect(samplesRead("sleep_duration", "sleep_session/1")).toEqual(["sleep_analysis"]);
  expect(samplesRead("stress", "stress/1")).toEqual(["heart_rate", "hrv_sdnn"]);
  expect(samplesRead("steps", "provider_total")).toEqual([]);
  expect(samplesRead("weight", null)).toEqual([]);
  const keys = new Set(METRICS.map(({ key }) => key));
  for (const { metric } of ATHLETE_METRICS)
    for (const key of samplesRead(metric, "readiness/1")) expect(keys).toContain(key);
});

test("of merged sources those that never counted are set aside, with the reason", () => {
  const sources = [
    { source_key: "watch", samples: 9, counted: 900 },
    { source_key: "phone", samples: 4, counted: 0 },
  ];
  expect(sourcesOf("steps_merge/1", { n: 13, sources })).toEqual({
    used: [sources[0]],
    set_aside: [
      { source_key: "phone", samples: 4, reason: expect.stringContaining("covered by sources that go first") },
    ],
  });
});

test("where all samples count there is nothing set aside, but impossible pressures", () => {
  const sources = [{ source_key: "cuff", samples: 2 }];
  expect(sourcesOf("day_mean/1", { n: 2, sources })).toEqual({ used: sources, set_aside: [] });
  expect(sourcesOf("day_mean/1", { n: 2, sources, set_aside: 1 }).set_aside).toEqual([
    { source_key: null, samples: 1, reason: "the systolic pressure was not above the diastolic" },
  ]);
});

test("of a chosen sample the others of the day are set aside", () => {
  const provenance = { n: 3, sample_id: "x", source_key: "scale" };
  expect(sourcesOf("day_latest/1", provenance)).toEqual({
    used: [{ source_key: "scale", samples: 1 }],
    set_aside: [{ source_key: null, samples: 2, reason: "earlier on the day than the one that counts" }],
  });
  expect(sourcesOf("day_latest/1", { ...provenance, n: 1 }).set_aside).toEqual([]);
  expect(sourcesOf("day_newest/7", provenance).set_aside[0]?.reason).toBe("another sample was chosen");
});

test("a person's value, and one of baselines, has no sources of its own", () => {
  expect(sourcesOf(null, null)).toEqual({ used: [], set_aside: [] });
  expect(sourcesOf("readiness/1", { z: 0 })).toEqual({ used: [], set_aside: [] });
  expect(sourcesOf("readiness/1", null)).toEqual({ used: [], set_aside: [] });
});

test("a night says which source gave its stages, and why the others did not", () => {
  const provenance = {
    sources: [
      { source_key: "watch", segments: 20 },
      { source_key: "app", segments: 3 },
    ],
    winner: "watch",
    decided_by: "a",
    set_aside: { duplicates: 2, conflicts: 0, too_long: 0, others: 1 },
  };
  expect(sleepSources(provenance)).toEqual({
    used: [{ source_key: "watch", samples: 20 }],
    set_aside: [
      { source_key: "app", samples: 3, reason: "the chosen source tells sleep stages" },
      { source_key: null, samples: 2, reason: "the same segment twice" },
      { source_key: null, samples: 1, reason: "others" },
    ],
  });
  const { set_aside: _, ...bare } = { ...provenance, decided_by: null };
  expect(sleepSources(bare).set_aside).toEqual([
    { source_key: "app", samples: 3, reason: "another source was chosen" },
  ]);
  expect(sleepSources({})).toEqual({ used: [], set_aside: [] });
});

test("a rule is found by its name with or without version, and with it the samples that it can read", () => {
  expect(methodsOf("hrv")).toEqual(["hrv/1"]);
  expect(methodsOf("hrv/1")).toEqual(["hrv/1"]);
  expect(methodsOf("hrv/9")).toEqual([]);
  expect(methodsOf("provider_total")).toEqual(["provider_total"]);
  expect(RULE_NAMES).toContain("steps_merge");
  expect(samplesOfMethod("sleep_mean/1")).toEqual(["respiratory_rate", "sleep_analysis", "spo2"]);
  expect(samplesOfMethod("stress/1")).toEqual(["heart_rate", "hrv_sdnn"]);
  expect(samplesOfMethod("provider_total")).toEqual([]);
});
