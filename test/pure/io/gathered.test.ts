import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gathered } from "../../../src/io/gathered.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Answers a key with itself times ten, when it is told to. */
const questions = () => {
  const asked: { keys: readonly number[]; done: PromiseWithResolvers<number[]> }[] = [];
  const ask = gathered((keys: readonly number[]) => {
    const done = Promise.withResolvers<number[]>();
    asked.push({ keys, done });
    return done.promise;
  });
  const answer = async (at: number): Promise<void> => {
    asked[at]?.done.resolve(asked[at].keys.map((key) => key * 10));
    await vi.advanceTimersByTimeAsync(0);
  };
  return { asked, ask, answer, keys: () => asked.map(({ keys }) => keys) };
};

test("alone a key is asked for at once; those that come meanwhile are one question, each with its own answer", async () => {
  const { ask, answer, keys } = questions();
  const first = ask(1);
  expect(keys()).toEqual([[1]]);
  const others = [ask(2), ask(3), ask(2)];
  expect(keys()).toEqual([[1]]);
  await answer(0);
  expect(await first).toBe(10);
  expect(keys()).toEqual([[1], [2, 3, 2]]);
  await answer(1);
  expect(await Promise.all(others)).toEqual([20, 30, 20]);
  void ask(4);
  expect(keys()).toEqual([[1], [2, 3, 2], [4]]);
});

test("a question that fails fails for those in it, and the next one is asked", async () => {
  const { asked, ask, answer, keys } = questions();
  const first = ask(1);
  const second = ask(2);
  asked[0]?.done.reject(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await answer(1);
  expect(await second).toBe(20);
  expect(keys()).toEqual([[1], [2]]);
});

test("a question that hangs holds up nobody for longer than a quarter of a second, and its own answer still comes", async () => {
  const { ask, answer } = questions();
  const hung = ask(1);
  const next = ask(2);
  await vi.advanceTimersByTimeAsync(250);
  await answer(1);
  expect(await next).toBe(20);
  await answer(0);
  expect(await hung).toBe(10);
});

test("one question holds five hundred keys at most", async () => {
  const { ask, answer, keys } = questions();
  const all = Array.from({ length: 601 }, (_, key) => ask(key));
  for (const at of [0, 1, 2]) await answer(at);
  expect(keys().map((some) => some.length)).toEqual([1, 500, 100]);
  expect(await Promise.all(all)).toEqual(Array.from({ length: 601 }, (_, key) => key * 10));
});
