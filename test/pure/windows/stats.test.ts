import { expect, test } from "vitest";
import { compareRows } from "../../../src/domain/merge.ts";
import { newestZone, statsOf, summariesOf } from "../../../src/windows/stats.ts";
import { aSample, at, steps, uuid } from "../../domain/make.ts";

const beat = aSample({ sample_id: uuid(1), start_at: at("2026-03-10T12:00:00Z"), value: 60 });
const walk = steps("watch", ["11:50:00", "12:10:00"], 500, { sample_id: uuid(2), tz: "Europe/Paris" });

test("a metric says how far it reaches where that is beyond its last start, and the object how far any does", () => {
  const stats = statsOf([beat, walk]);
  expect(stats["heart_rate"]).not.toHaveProperty("max_end");
  expect(stats["steps"]).toMatchObject({ last: walk.start_at, max_end: walk.end_at });
  expect(stats.max_end).toBe(walk.end_at);
  const instant = steps("watch", ["13:00:00", "13:00:00"], 5, { sample_id: uuid(3) });
  expect(statsOf([walk, instant])["steps"]).not.toHaveProperty("max_end");
});

test("the newest zone is of the row that starts last, of several the first in the file, in whatever order they come", () => {
  const beside = steps("watch", ["12:00:00", "12:10:00"], 5, { sample_id: uuid(4), tz: "Asia/Tokyo" });
  const rows = [beside, walk, beat].toSorted(compareRows);
  expect(newestZone(rows)).toBe(beat.tz);
  expect(newestZone(rows.toReversed())).toBe(beat.tz);
  expect(newestZone([walk])).toBe("Europe/Paris");
});

test("metrics with rows that stand for several readings are named, each once", () => {
  expect(summariesOf([beat, walk])).toEqual([]);
  const aggregate = aSample({ sample_id: uuid(5), attributes: { aggregated: true } });
  const least = aSample({ sample_id: uuid(6), attributes: { min: 0 } });
  const most = steps("watch", ["12:00:00", "12:10:00"], 5, { sample_id: uuid(7), attributes: { max: 9 } });
  expect(summariesOf([most, beat, aggregate, least])).toEqual(["heart_rate", "steps"]);
});
