import { expect, test } from "vitest";
import { createTimeLeft } from "../../../src/ops/time-left.ts";
import { createProgress } from "../../../src/ops/wait.ts";

const pending = { records: 0, windows: 0, history: 0, deletions: 0, outbox: 0 };

test("time left follows from how fast the last minute went", () => {
  const timeLeft = createTimeLeft();
  expect(timeLeft(0, 1000)).toBeNull();
  expect(timeLeft(10_000, 900)).toBe(90);
  expect(timeLeft(20_000, 500)).toBe(20);
  expect(timeLeft(65_000, 400)).toBe(44);
});

test("it is not known too early, nor while more comes in than goes out", () => {
  const timeLeft = createTimeLeft();
  timeLeft(0, 100);
  expect(timeLeft(500, 50)).toBeNull();
  expect(timeLeft(5_000, 200)).toBeNull();
});

test("nothing left takes no time", () => {
  expect(createTimeLeft()(0, 0)).toBe(0);
});

test("waiting tells how long records take, then how long windows do", () => {
  const progress = createProgress();
  expect(progress(0, { ...pending, records: 100, windows: 5 })).toBe("100 records to stage, 5 windows to fire");
  expect(progress(10_000, { ...pending, records: 40, windows: 60 })).toBe(
    "40 records to stage, 60 windows to fire; about 10 s until all is staged",
  );
  expect(progress(20_000, { ...pending, windows: 2 })).toBe("2 windows to fire; about 15 s until all has fired");
});
