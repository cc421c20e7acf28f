import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  backOff,
  nextState,
  REFUSAL_EXIT_CODE,
  workerHealth,
  type SupervisorEvent,
  type SupervisorState,
} from "../../../src/ops/supervisor-state.ts";

const after = (...events: [SupervisorEvent, number][]): SupervisorState =>
  events.reduce<SupervisorState>((state, [event, now]) => nextState(state, event, now), { kind: "idle" });

const died: SupervisorEvent = { kind: "exited", code: 1, signal: null };
const started: SupervisorEvent = { kind: "started" };

test("a child that dies is waited for, longer each time, and never longer than ten seconds", () => {
  const first = after([started, 0], [died, 10]);
  expect(first).toEqual({ kind: "waiting", until: 260, failures: 1, why: "exit code 1" });
  const second = nextState(nextState(first, started, 260), died, 300);
  expect(second).toMatchObject({ kind: "waiting", until: 800, failures: 2 });
  expect([1, 2, 3, 4, 5, 6, 7, 50].map(backOff)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("a minute alive forgives earlier failures", () => {
  const state = after([started, 0], [died, 10], [started, 260], [died, 260 + 60_000]);
  expect(state).toMatchObject({ kind: "waiting", failures: 1 });
});

test("a refusal is final and shows the child's own words", () => {
  const note: SupervisorEvent = { kind: "note", text: "samples/3: records were removed; use positions set" };
  const refused = after([started, 0], [note, 1], [{ kind: "exited", code: REFUSAL_EXIT_CODE, signal: null }, 2]);
  expect(refused).toEqual({ kind: "refused", why: "samples/3: records were removed; use positions set" });
  expect(nextState(refused, started, 3)).toBe(refused);
  expect(workerHealth(refused)).toEqual({ ok: false, why: expect.stringContaining("positions set") });
});

test("the worker is healthy only from when it says that it is ready", () => {
  const running = after([started, 0]);
  expect(workerHealth(running).ok).toBe(false);
  expect(workerHealth(nextState(running, { kind: "ready" }, 5))).toEqual({ ok: true, why: null });
});

test("a stop ends in stopped whatever came before, and nothing is started again", () => {
  const event = fc.constantFrom<SupervisorEvent>(
    started,
    { kind: "ready" },
    died,
    { kind: "exited", code: null, signal: "SIGKILL" },
    { kind: "note", text: "x" },
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      let state = after(...events.map((one, at): [SupervisorEvent, number] => [one, at * 100]));
      state = nextState(state, { kind: "stop" }, 1e6);
      if (state.kind === "stopping") state = nextState(state, died, 1e6);
      expect(["stopped"]).toContain(state.kind);
      expect(nextState(state, started, 1e6)).toBe(state);
    }),
  );
});
