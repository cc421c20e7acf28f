import * as fc from "fast-check";
import { expect, test } from "vitest";
import { liveSamples } from "../../../src/domain/merge.ts";
import type { Attributes, Sample } from "../../../src/domain/sample.ts";
import { needsWider, wakingSpan } from "../../../src/domain/sleep/reach.ts";
import { sessionStreams } from "../../../src/domain/sleep/streams.ts";
import { inputSpan } from "../../../src/domain/window.ts";
import { at, digest, shuffled, uuid } from "../make.ts";
import { type Origin, type StageName, STAGES, segment, sessions, vital } from "./night.ts";

const ZONES: Record<Origin, string> = {
  watch: "Europe/Amsterdam",
  phone: "Europe/Amsterdam",
  ring: "America/Los_Angeles",
  bed: "UTC",
  app: "Asia/Tokyo",
  manual: "+05:30",
};
const DAY = 86_400_000;
const START = at("2026-03-07T00:00:00Z");

/** Segments of several sources over some days: short and long, overlapping, doubled, contradictory. */
const segments = (
  days: number,
  lengths = [0.5, 5, 30, 30, 60, 90, 240, 1441],
  count = { minLength: 0, maxLength: 40 },
): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        origin: fc.constantFrom<Origin>("watch", "watch", "phone", "ring", "bed", "app", "manual"),
        stage: fc.constantFrom(...(Object.keys(STAGES) as StageName[])),
        from: fc.integer({ min: 0, max: Math.ceil(days * 48) }),
        minutes: fc.constantFrom(...lengths),
        version: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
        created: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      }),
      count,
    )
    .map((all) =>
      all.map(({ origin, stage, from, minutes, version, created }, n) => {
        const start = START + from * 1_800_000;
        const attributes: Attributes = {};
        if (version !== undefined) attributes.sync_version = version;
        if (created !== undefined) attributes.created = created;
        const over = { sample_id: uuid(n + 1), tz: ZONES[origin], attributes };
        return segment(origin, stage, [start, start + minutes * 60_000], over);
      }),
    );

const vitals = (days: number): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        metric: fc.constantFrom("heart_rate", "heart_rate", "hrv_sdnn", "spo2", "respiratory_rate", "steps", "workout"),
        minute: fc.integer({ min: 0, max: days * 1440 }),
        minutes: fc.constantFrom(0, 0, 0, 1, 30),
        value: fc.integer({ min: 40, max: 90 }),
        aggregated: fc.boolean(),
      }),
      { maxLength: 60 },
    )
    .map((all) =>
      all.map(({ metric, minute, minutes, value, aggregated }, n) => {
        const start = START + minute * 60_000;
        const attributes: Attributes = aggregated ? { aggregated: true } : {};
        return vital(metric, start, value, { sample_id: uuid(1000 + n), end_at: start + minutes * 60_000, attributes });
      }),
    );

const body = (days: number): fc.Arbitrary<Sample[]> =>
  fc.tuple(segments(days), vitals(days)).map(([a, b]) => [...a, ...b]);

const live = (samples: readonly Sample[], dead: readonly string[] = []): Sample[] => {
  const stones = dead.map((sample_id) => ({ sample_id, reason: "deleted" as const, twin_key: null }));
  return liveSamples(samples, stones, digest).live;
};
const streams = (samples: readonly Sample[]) => sessions(samples).map((session) => sessionStreams(session, samples));

test("neither order nor repetition nor the split of what was received changes a session or its streams", () => {
  fc.assert(
    fc.property(shuffled(body(3)), fc.integer({ min: 0, max: 100 }), ([one, other], cut) => {
      const again = live([...other.slice(cut), ...other, ...other.slice(0, cut)]);
      expect(sessions(again)).toEqual(sessions(one));
      expect(sessions(other)).toEqual(sessions(one));
      expect(streams(other)).toEqual(streams(one));
    }),
  );
});

test("a stage that was deleted and sent again otherwise under a new uuid leaves the corrected night alone", () => {
  const correction = fc.record({
    which: fc.nat(),
    stage: fc.constantFrom(1, 2, 3, 4, 5),
    shift: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(body(2), correction, (all, { which, stage, shift }) => {
      const old = all.filter(({ metric }) => metric === "sleep_analysis")[which % 40];
      fc.pre(old !== undefined);
      const fixed = { ...old, value: stage, end_at: old.end_at + shift * 60_000 };
      const received = [...all, { ...fixed, sample_id: uuid(1 + ((which * 7919) % 1000) + 5000) }];
      const alone = all.map((sample) => (sample === old ? fixed : sample));
      expect(sessions(live(received, [old.sample_id]))).toEqual(sessions(alone));
    }),
  );
});

test("no uuid decides what a night is", () => {
  fc.assert(
    fc.property(segments(0.1, [30, 60, 240]), fc.infiniteStream(fc.nat({ max: 0xffff_ffff })), (all, numbers) => {
      const renamed = all.map((sample, n) => ({ ...sample, sample_id: uuid((numbers.next().value ?? 0) * 64 + n) }));
      expect(sessions(renamed)).toEqual(sessions(all));
    }),
  );
});

test("times add up, whatever the night (§3.3)", () => {
  fc.assert(
    fc.property(segments(3), (all) => {
      for (const session of sessions(all)) {
        const { start_at, end_at, onset_at, final_wake_at, time_in_bed_s, total_sleep_s, kind } = session;
        expect(time_in_bed_s).toBe((end_at - start_at) / 1000);
        expect(kind === "in_bed_only").toBe(total_sleep_s === null);
        if (total_sleep_s === null || onset_at === null || final_wake_at === null) continue;
        const span = (final_wake_at - onset_at) / 1000;
        expect(total_sleep_s).toBeGreaterThanOrEqual(1200);
        expect(total_sleep_s).toBeLessThanOrEqual(span);
        expect(start_at <= onset_at && final_wake_at <= end_at).toBe(true);
        expect(total_sleep_s + (session.awake_s ?? 0) + (session.gap_s ?? 0)).toBeCloseTo(span);
        expect(session.efficiency).toBeGreaterThan(0);
        expect(session.efficiency).toBeLessThanOrEqual(1);
        expect(session.onset_latency_s ?? 0).toBeGreaterThanOrEqual(0);
        const { light_s, deep_s, rem_s, unspecified_s } = session;
        const stages = [light_s, deep_s, rem_s, unspecified_s].map((known) => known ?? Number.NaN);
        const sum = stages.reduce((all, one) => all + one, 0);
        expect(stages.every(Number.isNaN) || Math.abs(sum - total_sleep_s) < 1e-6).toBe(true);
      }
    }),
  );
});

test("a date has at most one main sleep; losers name a winner; ids are unique; the hypnogram has no overlap", () => {
  fc.assert(
    fc.property(segments(3), (all) => {
      const found = sessions(all);
      const mains = found.filter(({ is_main_sleep }) => is_main_sleep).map(({ date }) => date);
      expect(new Set(mains).size).toBe(mains.length);
      expect(new Set(found.map(({ session_id }) => session_id)).size).toBe(found.length);
      const winners = new Set(found.filter((one) => one.superseded_by === null).map(({ session_id }) => session_id));
      for (const { superseded_by, is_main_sleep, kind } of found) {
        expect(is_main_sleep).toBe(kind === "main");
        expect(superseded_by === null || (winners.has(superseded_by) && kind === "secondary")).toBe(true);
      }
      for (const session of found) {
        const rows = sessionStreams(session, all);
        expect(rows.length).toBeGreaterThan(0);
        for (const [n, row] of rows.entries())
          expect(row.start_at).toBeGreaterThanOrEqual(rows[n - 1]?.end_at ?? session.start_at);
        expect(rows.at(-1)?.end_at).toBeLessThanOrEqual(session.end_at);
      }
    }),
  );
});

test("a date's sessions and their streams are the same from its inputs as from a whole life (D18)", () => {
  const dates = ["2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12"];
  const long = fc
    .tuple(segments(9, [600, 1200, 1440], { minLength: 20, maxLength: 30 }), vitals(9))
    .map(([a, b]) => [...a, ...b]);
  fc.assert(
    fc.property(long, fc.constantFrom(...dates), (all, date) => {
      const overlapping = ({ from, to }: { from: number; to: number }) =>
        all.filter((sample) => sample.end_at >= from && sample.start_at < to);
      let read = inputSpan(date);
      for (let wider; (wider = needsWider(overlapping(read), read, wakingSpan(date, date))) !== null;) read = wider;
      expect(read.to - read.from).toBeLessThan(40 * DAY);
      const hand = overlapping(read);
      const own = (samples: readonly Sample[]) => sessions(samples).filter((session) => session.date === date);
      expect(own(hand)).toEqual(own(all));
      expect(own(hand).map((one) => sessionStreams(one, hand))).toEqual(
        own(all).map((one) => sessionStreams(one, all)),
      );
    }),
    { numRuns: 300 },
  );
});
