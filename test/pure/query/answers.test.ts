import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Sample } from "../../../src/domain/sample.ts";
import { compareRows } from "../../../src/domain/merge.ts";
import { cursorParameter } from "../../../src/query/params.ts";
import { rawPage } from "../../../src/query/samples-answer.ts";
import { summarizeDay } from "../../../src/query/today.ts";
import { zonesOf } from "../../../src/query/zone.ts";
import { aSample, at, NO_SETTINGS, steps, uuid } from "../../domain/make.ts";

const day = { from: at("2026-03-10T00:00:00Z"), to: at("2026-03-11T00:00:00Z") };

test("pages of any size show every sample once and in order", () => {
  const sample = fc
    .record({ start: fc.integer({ min: 0, max: 20 }), length: fc.integer({ min: 0, max: 3 }) })
    .map(({ start, length }) => ({ start_at: start, end_at: start + length }));
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (times, limit) => {
      const live = times.map((one, n) => aSample({ ...one, sample_id: uuid(n) })).toSorted(compareRows);
      const seen: unknown[] = [];
      let cursor: string | null = null;
      do {
        const from = cursor === null ? null : cursorParameter(cursor);
        // As the route does: from the cursor's start on.
        const rest = live.filter((one) => from === null || one.end_at >= from.start_at);
        const page = rawPage(rest, { cursor: from, limit, complete: true });
        seen.push(...page.points.map((point) => point[4]));
        cursor = page.next;
      } while (cursor !== null);
      expect(seen).toEqual(live.map((one) => one.sample_id));
    }),
  );
});

test("a page that ends with what was read, but not with the range, says that there is more", () => {
  const live = [aSample({ sample_id: uuid(1) })];
  expect(rawPage(live, { cursor: null, limit: 10, complete: false }).next).not.toBeNull();
  expect(rawPage(live, { cursor: null, limit: 10, complete: true }).next).toBeNull();
});

test("today has per metric the latest value, the aggregate and the points", () => {
  const live: Sample[] = [
    aSample({ sample_id: uuid(1), start_at: at("2026-03-09T23:59:00Z"), value: 99 }),
    aSample({ sample_id: uuid(2), start_at: at("2026-03-10T08:00:00Z"), value: 60 }),
    aSample({ sample_id: uuid(3), start_at: at("2026-03-10T09:00:00Z"), value: 80 }),
    steps("phone", ["12:00:00", "12:10:00"], 900, { sample_id: uuid(4) }),
    steps("watch", ["12:00:00", "12:10:00"], 1000, { sample_id: uuid(5) }),
  ];
  const [heart, walked] = summarizeDay(live, day, NO_SETTINGS);
  expect(heart).toMatchObject({
    metric: "heart_rate",
    unit: "count/min",
    aggregation: "discrete",
    latest: { at: "2026-03-10T09:00:00.000Z", value: 80 },
    aggregate: { min: 60, mean: 70, max: 80, count: 2 },
  });
  expect(heart?.points).toHaveLength(2);
  expect(walked).toMatchObject({ metric: "steps", aggregation: "cumulative", aggregate: { sum: 1000 } });
});

test("steps over midnight count in today with their share only", () => {
  const over = { start_at: at("2026-03-09T23:30:00Z"), end_at: at("2026-03-10T00:30:00Z") };
  const [walked] = summarizeDay([steps("watch", ["00:00:00", "00:00:00"], 100, over)], day, NO_SETTINGS);
  expect(walked?.aggregate).toEqual({ sum: 50 });
});

test("the zone is the athlete's own at that instant, else that of the newest sample, else UTC", () => {
  const settings = { zones: [{ from: at("2026-03-01T00:00:00Z"), zone: "Asia/Tokyo" }], source_order: {} };
  expect(zonesOf(settings, "Europe/Paris")(at("2026-03-02T00:00:00Z"))).toBe("Asia/Tokyo");
  expect(zonesOf(settings, "Europe/Paris")(at("2026-02-02T00:00:00Z"))).toBe("Europe/Paris");
  expect(zonesOf(NO_SETTINGS, null)(0)).toBe("UTC");
});
