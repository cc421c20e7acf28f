import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inTime } from "../../src/flow/in-time.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("however many questions are under way, each that is answered in time has its answer, and leaves no timer", async () => {
  const ask = inTime(100);
  const asked = Array.from({ length: 50 }, (_, n) =>
    ask(() => new Promise<number>((resolve) => setTimeout(resolve, 99, n))),
  );
  await vi.advanceTimersByTimeAsync(99);
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(vi.getTimerCount()).toBe(0);
});

const fail = (): Promise<string> => Promise.reject(new Error("away"));

test("an error is no answer, and no lateness", async () => {
  const ask = inTime(100, 1);
  expect([await ask(fail), await ask(fail), await ask(async () => "here")]).toEqual([null, null, "here"]);
});

test("with so many late nothing is asked, until one of them is answered after all", async () => {
  const ask = inTime(100, 2);
  const late = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const first = late.map(({ promise }) => ask(() => promise));
  await vi.advanceTimersByTimeAsync(100);
  expect(await Promise.all(first)).toEqual([null, null]);
  const question = vi.fn<() => Promise<string>>(async () => "here");
  expect(await ask(question)).toBeNull();
  expect(question).not.toHaveBeenCalled();
  late[0]?.reject(new Error("too late"));
  await vi.advanceTimersByTimeAsync(0);
  expect(await ask(question)).toBe("here");
});
