import { expect, test } from "vitest";
import { liesIn, shareOf, summedDays } from "../../src/domain/apportion.ts";
import { aSample, at } from "./make.ts";

const evening = aSample({
  metric: "mindful_session",
  start_at: at("2026-03-10T22:00:00Z"),
  end_at: at("2026-03-11T04:00:00Z"),
  value: 360,
  local_date: "2026-03-10",
});

test("an interval is shared out by the time that it spends in each date of its zone", () => {
  expect([shareOf(evening, "2026-03-10"), shareOf(evening, "2026-03-11"), shareOf(evening, "2026-03-12")]).toEqual([
    1 / 3,
    2 / 3,
    0,
  ]);
  expect([...summedDays([evening, evening])]).toEqual([
    ["2026-03-10", 240],
    ["2026-03-11", 480],
  ]);
});

test("an instant lies in its date whole, though a second from it reaches into the next", () => {
  const instant = aSample({ start_at: at("2026-03-10T23:59:59.900Z"), value: 5 });
  expect([shareOf(instant, "2026-03-10"), shareOf(instant, "2026-03-11")]).toEqual([1, 0]);
  expect([liesIn(instant, "2026-03-10"), liesIn(instant, "2026-03-11")]).toEqual([true, false]);
  expect([...summedDays([instant])]).toEqual([["2026-03-10", 5]]);
});

test("what ends at midnight does not lie in the date that begins there", () => {
  const ended = { ...evening, end_at: at("2026-03-11T00:00:00Z") };
  expect([liesIn(ended, "2026-03-10"), liesIn(ended, "2026-03-11")]).toEqual([true, false]);
});
