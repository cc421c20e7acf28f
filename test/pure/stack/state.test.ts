import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { stackDir } from "../../../stack/layout.ts";
import { identify } from "../../../stack/process.ts";
import { findStack, forgetState, noteProcess, readState, withLock, writeState } from "../../../stack/state.ts";
import type { StackState } from "../../../stack/state.ts";

const name = `unit-${process.pid}`;
const self = identify(process.pid);
const state: StackState = {
  name,
  mode: "local",
  dataDir: "/nowhere",
  postgresDir: "/nowhere/postgres",
  ports: { kafka: 1, controller: 2, registry: 3, postgres: 4, objects: 5 },
  secret: "s".repeat(43),
  processes: {},
};
afterEach(() => forgetState(name));

test("a state is read back as written, and a process noted meanwhile is kept", () => {
  expect(readState(name)).toBeUndefined();
  writeState(state);
  noteProcess(name, "kafka", self);
  noteProcess(name, "objects", self);
  noteProcess(name, "objects", undefined);
  expect(readState(name)).toEqual({ ...state, processes: { kafka: self } });
});

test("a damaged state file is named and not taken for no stack", () => {
  mkdirSync(stackDir(name), { recursive: true });
  writeFileSync(join(stackDir(name), "state.json"), '{"name":');
  expect(() => readState(name)).toThrow(/state\.json is not JSON/);
});

test("a process cannot be noted for a stack that was taken down", () => {
  expect(() => noteProcess(name, "kafka", self)).toThrow("another command took it down");
});

test("a stack is found by its brokers", () => {
  writeState(state);
  expect(findStack({ KAFKA_BROKERS: "127.0.0.1:1" })?.name).toBe(name);
  expect(findStack({ KAFKA_BROKERS: "127.0.0.1:2" })).toBeUndefined();
  expect(findStack({})).toBeUndefined();
});

test("a name that could leave the directory of the stacks is refused", () => {
  for (const wrong of ["../dev", "Dev", "", "a/b", "-a", "x".repeat(40)])
    expect(() => stackDir(wrong)).toThrow("stack name");
});

test("commands on one stack wait for each other", async () => {
  const seen: string[] = [];
  const command = (who: string) => () =>
    withLock(name, self, async () => {
      seen.push(`${who} in`);
      await new Promise((resolve) => setTimeout(resolve, 30));
      seen.push(`${who} out`);
    });
  await Promise.all([command("a")(), command("b")(), command("c")()]);
  const pairs = [0, 2, 4].map((index) => seen.slice(index, index + 2));
  expect(pairs).toEqual(pairs.map(([entered]) => [entered, entered?.replace("in", "out")]));
});

test("a lock whose holder died is taken over, and the last holder leaves no directory", async () => {
  mkdirSync(stackDir(name), { recursive: true });
  writeFileSync(join(stackDir(name), "lock.json"), JSON.stringify({ pid: process.pid, born: "long ago" }));
  expect(await withLock(name, self, async () => "done")).toBe("done");
  expect(existsSync(stackDir(name))).toBe(false);
});
