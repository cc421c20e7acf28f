import { expect, test } from "vitest";
import { createLimits } from "../../../src/io/http-limits.ts";

const rig = (settings: Partial<{ per_token: number; per_athlete: number; in_flight: number }>) => {
  const clock = { at: 0, now: () => clock.at };
  return { clock, enter: createLimits(clock, { per_token: 1e6, per_athlete: 1e6, in_flight: 1e6, ...settings }) };
};
const problem = (status: number, seconds: number) =>
  expect.objectContaining({ status, headers: { "retry-after": String(seconds) } }) as unknown;
const caught = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("a token that was idle may send five seconds' worth at once, then its average", () => {
  const { clock, enter } = rig({ per_token: 2 });
  for (let n = 0; n < 10; n += 1) enter("t", `a${n}`)();
  expect(caught(() => enter("t", "a"))).toEqual(problem(429, 1));
  expect(() => enter("other", "a")).not.toThrow();
  clock.at += 1000;
  enter("t", "a")();
  enter("t", "a")();
  expect(caught(() => enter("t", "a"))).toEqual(problem(429, 1));
});

test("an athlete's rate holds over all tokens, and tells how long to wait", () => {
  const { clock, enter } = rig({ per_athlete: 0.2 });
  enter("t1", "anna")();
  expect(caught(() => enter("t2", "anna"))).toEqual(problem(429, 5));
  enter("t2", "ben")();
  enter("t2", null)();
  clock.at += 5000;
  expect(() => enter("t2", "anna")).not.toThrow();
});

test("one athlete cannot take every place: others find one while theirs are full", () => {
  const { enter } = rig({ in_flight: 64 });
  const mine = Array.from({ length: 4 }, () => enter("t", "greedy"));
  expect(caught(() => enter("t", "greedy"))).toEqual(problem(429, 1));
  const others = Array.from({ length: 60 }, (_, n) => enter("t", `other-${n}`));
  expect(caught(() => enter("t", "late"))).toEqual(problem(503, 2));
  mine[0]?.();
  mine[0]?.();
  expect(() => enter("t", "late")).not.toThrow();
  expect(caught(() => enter("t", "greedy"))).toEqual(problem(503, 2));
  for (const leave of others) leave();
  expect(() => enter("t", "greedy")).not.toThrow();
});

test("a clock that is set back neither refills nor locks anybody out", () => {
  const { clock, enter } = rig({ per_token: 1 });
  for (let n = 0; n < 5; n += 1) enter("t", null)();
  clock.at -= 3_600_000;
  expect(caught(() => enter("t", null))).toEqual(problem(429, 1));
  clock.at += 1000;
  expect(() => enter("t", null)).not.toThrow();
});

test("however many keys come by, memory holds a bounded number", () => {
  const { clock, enter } = rig({ per_token: 10 });
  for (let n = 0; n < 50_000; n += 1) {
    clock.at += 1;
    enter(`t${n}`, null)();
  }
  for (let n = 0; n < 50; n += 1) enter("last", null)();
  expect(caught(() => enter("last", null))).toEqual(problem(429, 1));
});
