import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { liveFirst } from "../../src/live-first.ts";

const gate = () => Promise.withResolvers<undefined>();

test("long work begins once the live record under way is done", async () => {
  const first = liveFirst(60_000);
  const { promise, resolve } = gate();
  const order: string[] = [];
  const live = first.live(async () => {
    await promise;
    order.push("live");
  });
  const history = first.turn().then(() => order.push("history"));
  await nextTurn();
  expect(order).toEqual([]);
  resolve(undefined);
  await Promise.all([live, history]);
  expect(order).toEqual(["live", "history"]);
});

test("a live record that fails holds nothing up", async () => {
  const first = liveFirst(60_000);
  await expect(first.live(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(first.turn()).resolves.toBeUndefined();
});

test("history goes on while live records never end", async () => {
  const first = liveFirst(20);
  const { promise, resolve } = gate();
  const live = first.live(() => promise);
  await expect(first.turn()).resolves.toBeUndefined();
  resolve(undefined);
  await live;
});

test("only steps before long work wait", async () => {
  const first = liveFirst(60_000);
  const steps: string[] = [];
  const onStep = first.waiting((step) => void steps.push(step));
  const { promise, resolve } = gate();
  const live = first.live(() => promise);
  await onStep("pane.committed");
  const waiting = (async () => {
    await onStep("pane.read");
    steps.push("decides");
  })();
  await nextTurn();
  expect(steps).toEqual(["pane.committed", "pane.read"]);
  resolve(undefined);
  await Promise.all([live, waiting]);
  expect(steps.at(-1)).toBe("decides");
});
