import * as fc from "fast-check";
import { expect, test } from "vitest";
import { discreteBuckets, LENGTHS } from "../../../src/query/buckets.ts";
import { openFigures } from "../../../src/query/columns.ts";
import { disturbedDays, segmentsOf } from "../../../src/query/segments.ts";
import type { SeriesPlan, SeriesPointer } from "../../../src/query/series-sql.ts";
import { aSample, uuid } from "../../domain/make.ts";

const span = fc
  .tuple(fc.integer({ min: -20, max: 60 }), fc.integer({ min: 0, max: 15 }))
  .map(([from, length]) => ({ from, to: from + length }));

test("segments follow one upon the other through the whole range, rows exactly where something disturbs", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), (disturbed) => {
      const segments = segmentsOf({ from: 0, to: 40 }, disturbed);
      expect(segments.map(({ from }) => from)).toEqual([0, ...segments.slice(0, -1).map(({ to }) => to)]);
      expect(segments.at(-1)?.to).toBe(40);
      for (const { from, to, rows } of segments) {
        expect(to).toBeGreaterThan(from);
        for (let at = from; at < to; at += 1) expect(disturbed.some((one) => one.from <= at && at < one.to)).toBe(rows);
      }
    }),
  );
});

const at = Date.parse("2026-03-10T00:00:00Z");
const pointer = (over: Partial<SeriesPointer> = {}): SeriesPointer => ({
  period_start: "2026-03-10",
  period_end: "2026-03-10",
  object_key: "key",
  footer: null,
  first: at,
  last: at + 1000,
  watched: true,
  plain: true,
  ...over,
});
const planOf = (over: Partial<SeriesPlan>): SeriesPlan => ({
  version: 1,
  searching: false,
  restless: [],
  pointers: [pointer()],
  ...over,
});
const day = at / 86_400_000;
const all = { from: day - 30, to: day + 30 };

test.each<[string, Partial<SeriesPlan>, unknown]>([
  ["a day at rest", {}, []],
  [
    "a restless date, with what its rows may be copies of",
    { restless: ["2026-03-10"] },
    [{ from: day - 2, to: day + 3 }],
  ],
  ["rows that sum up others", { pointers: [pointer({ plain: false })] }, [{ from: day, to: day + 1 }]],
  ["a day without a window", { pointers: [pointer({ watched: false })] }, [{ from: day - 2, to: day + 3 }]],
  ["figures that nobody noted", { pointers: [pointer({ first: null, last: null })] }, [{ from: day, to: day + 1 }]],
  ["a deletion under way", { searching: true }, [all]],
])("%s disturbs what it should", (_, over, expected) => {
  expect(disturbedDays(planOf(over), all, "start_at")).toEqual(expected);
});

test("objects whose starts interleave are read as rows by the hour, not by the day", () => {
  const pointers = [pointer({ last: at + 90_000_000 }), pointer({ first: at + 86_400_000, last: at + 99_000_000 })];
  expect(disturbedDays(planOf({ pointers }), all, "start_at")).toHaveLength(2);
  expect(disturbedDays(planOf({ pointers }), all, "local_date")).toEqual([]);
});

test("figures of columns are those of rows, to the last bit", () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }));
  const points = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 7_200_000 }),
      value.map((one) => one + 0),
    ),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(points, (some) => {
      const sorted = some.toSorted(([a], [b]) => a - b);
      const rows = sorted.map(([start, value], n) => aSample({ start_at: at + start, value, sample_id: uuid(n) }));
      const figures = openFigures({ base: at, length: LENGTHS["5m"], count: 12 });
      const columns = { at: rows.map((row) => row.start_at), values: rows.map((row) => row.value) };
      figures.add(columns, { from: at, to: at + 3_600_000 });
      const inside = rows.filter((row) => row.start_at < at + 3_600_000);
      const expected = discreteBuckets(inside, LENGTHS["5m"]).map(({ start_at, min, mean, max, count }) => ({
        at: start_at,
        min,
        mean,
        max,
        count,
      }));
      expect([...figures.filled()]).toEqual(expected);
    }),
  );
});
