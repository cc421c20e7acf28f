import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { backOff, pause } from "../../src/flow/retry.ts";
import { unavailable } from "../../src/flow/route.ts";
import { places, slots } from "../../src/flow/slots.ts";

test("never more than so many at once, in order of arrival, and every one gets its turn", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(3), { maxLength: 20 }), async (size, works) => {
      const turn = slots(size);
      const begun: number[] = [];
      let running = 0;
      const results = works.map((ticks, n) =>
        turn(async () => {
          begun.push(n);
          running += 1;
          expect(running).toBeLessThanOrEqual(size);
          for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
          running -= 1;
          if (ticks === 3) throw new Error(`work ${n}`);
          return n;
        }),
      );
      const settled = await Promise.allSettled(results);
      expect(begun).toEqual(works.map((_, n) => n));
      expect(settled.map(({ status }) => status === "rejected")).toEqual(works.map((ticks) => ticks === 3));
    }),
  );
});

test("so many places and no more; one given back twice is one place", () => {
  const take = places(2);
  const [first, second] = [take(), take()];
  expect(take()).toBeNull();
  first?.();
  first?.();
  expect([take() === null, take()]).toEqual([false, null]);
  second?.();
  expect(take()).not.toBeNull();
  expect(places(0)()).toBeNull();
});

test("what cannot be done now says when to come again, and keeps its cause to itself", () => {
  const cause = new Error("secret");
  expect(unavailable("ask again", 5, cause)).toMatchObject({
    status: 503,
    message: "ask again",
    headers: { "retry-after": "5" },
    cause,
  });
});

test("the back-off doubles from 100 ms to 5 s, never under half of it", () => {
  expect([0, 1, 2, 5, 6, 60].map((attempt) => backOff(attempt, 0))).toEqual([50, 100, 200, 1600, 2500, 2500]);
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
      const full = Math.min(5000, 100 * 2 ** Math.min(attempt, 10));
      expect(backOff(attempt, random)).toBeGreaterThanOrEqual(full / 2);
      expect(backOff(attempt, random)).toBeLessThanOrEqual(full);
    }),
  );
});

test("a pause ends at its time or at the signal, whichever is first, and leaves no timer", async () => {
  vi.useFakeTimers();
  const ended: string[] = [];
  const ending = new AbortController();
  void pause(50).then(() => ended.push("short"));
  void pause(5000, ending.signal).then(() => ended.push("aborted"));
  await vi.advanceTimersByTimeAsync(100);
  expect(ended).toEqual(["short"]);
  ending.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual(["short", "aborted"]);
  expect(vi.getTimerCount()).toBe(0);
  await pause(5000, ending.signal);
  vi.useRealTimers();
});
