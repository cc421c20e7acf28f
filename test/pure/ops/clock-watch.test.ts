import { expect, test } from "vitest";
import { createClockWatch } from "../../../src/ops/clock-watch.ts";

const clocks = () => {
  const at = { wall: 1_000_000, steady: 500 };
  const setBy = createClockWatch({ wall: () => at.wall, steady: () => at.steady });
  const pass = (ms: number, drift = 0): void => {
    at.wall += ms + drift;
    at.steady += ms;
  };
  return { setBy, pass };
};

test("time that passes, and a process that is late to look, are no clock that was set", () => {
  const { setBy, pass } = clocks();
  for (const ms of [0, 1000, 3_600_000]) {
    pass(ms);
    expect(setBy()).toBe(0);
  }
});

test("a clock that drifts for weeks is not one that was set", () => {
  const { setBy, pass } = clocks();
  for (let n = 0; n < 100; n += 1) {
    pass(1000, 400);
    expect(setBy()).toBe(0);
  }
});

test.each([3_600_000, -3_600_000, 86_400_000, 5_001])("a clock that was set by %i ms is told, whichever way", (by) => {
  const { setBy, pass } = clocks();
  pass(1000, by);
  expect(setBy()).toBe(by);
});
