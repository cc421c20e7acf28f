import { expect, test } from "vitest";
import { failpoints } from "../../src/failpoints.ts";

const STEPS = ["a.one", "a.two"];
const armed = (kill: string, stop = ""): { pass: (...steps: string[]) => void; signals: string[] } => {
  const signals: string[] = [];
  const onStep = failpoints({ kill, stop }, STEPS, (name) => signals.push(name));
  return { signals, pass: (...steps) => steps.forEach((step) => void onStep(step)) };
};

test("without a setting nothing happens", () => {
  const { pass, signals } = armed("");
  pass("a.one", "a.two");
  expect(signals).toEqual([]);
});

test("the process is killed once, at the n-th passing of the step", () => {
  const { pass, signals } = armed("a.two:2");
  pass("a.two", "a.one");
  expect(signals).toEqual([]);
  pass("a.two", "a.two");
  expect(signals).toEqual(["SIGKILL"]);
});

test("without a number it is the first passing, and one can be stopped instead", () => {
  const { pass, signals } = armed("a.two", "a.one");
  pass("a.one", "a.two");
  expect(signals).toEqual(["SIGSTOP", "SIGKILL"]);
});

test.each(["a.three", "a.one:0", "a.one:1.5", "a.one:x"])("%s is refused at the start, not passed over", (spec) => {
  expect(() => armed(spec)).toThrow(/no step is called a.three; there are a.one, a.two|counts passings, from 1/);
});
