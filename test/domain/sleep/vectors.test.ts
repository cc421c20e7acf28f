import { expect, test } from "vitest";
import { at } from "../make.ts";
import { exported, sessions } from "./night.ts";

test("multi-source.xml: Withings, which has stages, wins over the Watch with its single block (§3.3)", () => {
  const all = sessions(exported("multi-source.xml"));
  const [main, loser, ...others] = all.filter(({ date }) => date === "2026-03-21");
  expect(others).toEqual([]);
  expect(main).toMatchObject({
    source: "Withings",
    kind: "main",
    is_main_sleep: true,
    start_at: at("2026-03-20T23:10:00Z"),
    onset_at: at("2026-03-20T23:10:00Z"),
    final_wake_at: at("2026-03-21T07:10:00Z"),
    end_at: at("2026-03-21T07:34:00Z"),
    total_sleep_s: 480 * 60,
    light_s: 252 * 60,
    rem_s: 120 * 60,
    deep_s: 108 * 60,
    unspecified_s: 0,
    time_in_bed_s: 504 * 60,
    onset_latency_s: null,
    awake_s: 0,
    wakeup_count: 0,
    gap_s: 0,
    superseded_by: null,
    provenance: { winner: "Withings", losers: ["Riley's Watch"], decided_by: "a", gap_min: 0, in_bed_sources: [] },
  });
  expect(main?.efficiency).toBeCloseTo(0.952, 3);
  expect(loser).toMatchObject({
    source: "Riley's Watch",
    kind: "secondary",
    is_main_sleep: false,
    total_sleep_s: 410 * 60,
    light_s: null,
    awake_s: 0,
    superseded_by: main?.session_id,
  });
});

test("partial-sleep.xml: a night with stages, and one of 90 minutes without (§3.3)", () => {
  const [night, short, ...others] = sessions(exported("partial-sleep.xml"));
  expect(others).toEqual([]);
  expect(night).toMatchObject({ date: "2026-03-21", kind: "main", total_sleep_s: 480 * 60, time_in_bed_s: 500 * 60 });
  expect(night?.efficiency).toBe(0.96);
  expect(short).toMatchObject({
    date: "2026-03-25",
    kind: "main",
    total_sleep_s: 90 * 60,
    light_s: null,
    deep_s: null,
    rem_s: null,
    unspecified_s: null,
    awake_s: 0,
    wakeup_count: 0,
  });
});

test("one block of a watch, dated where the athlete wakes", () => {
  const [night, ...others] = sessions(exported("minimal-plus0800.xml"));
  expect(others).toEqual([]);
  expect(night).toMatchObject({ source: "Apple Watch", date: "2026-03-01", total_sleep_s: 450 * 60, awake_s: null });
});
