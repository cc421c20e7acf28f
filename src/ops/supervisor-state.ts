import type { Instant } from "../domain/sample.ts";

/** A child that exits with this code refuses to start: only a person can help, so it is not started again. */
export const REFUSAL_EXIT_CODE = 78;
export const BACK_OFF = { first_ms: 250, most_ms: 10_000, reset_after_ms: 60_000 };

/**
 * ```
 *            started            exited (back-off)          due
 *  idle ──────────────► running ─────────────────► waiting ─────► running …
 *                          │ exited 78                │ stop
 *                          ▼                          ▼
 *                       refused                    stopped ◄── running (stop → stopping → exited)
 * ```
 */
export type SupervisorState =
  | { kind: "idle" }
  | { kind: "running"; since: Instant; ready: boolean; failures: number; note: string | null }
  | { kind: "waiting"; until: Instant; failures: number; why: string }
  | { kind: "refused"; why: string }
  | { kind: "stopping"; note: string | null }
  | { kind: "stopped"; code: number };

export type SupervisorEvent =
  | { kind: "started" }
  /** The child says that its work is under way. */
  | { kind: "ready" }
  /** The child's own last words: why it will exit. */
  | { kind: "note"; text: string }
  | { kind: "exited"; code: number | null; signal: string | null }
  | { kind: "stop" };

const exitText = (code: number | null, signal: string | null): string =>
  signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;

/** Time before the n-th restart in a row. */
export const backOff = (failures: number): number =>
  Math.min(BACK_OFF.first_ms * 2 ** Math.max(0, failures - 1), BACK_OFF.most_ms);

const onExit = (
  state: SupervisorState,
  event: { code: number | null; signal: string | null },
  now: Instant,
): SupervisorState => {
  if (state.kind === "stopping") return { kind: "stopped", code: event.code ?? 1 };
  if (state.kind !== "running") return state;
  const how = exitText(event.code, event.signal);
  if (event.code === REFUSAL_EXIT_CODE) return { kind: "refused", why: state.note ?? "it gave no reason" };
  const failures = now - state.since >= BACK_OFF.reset_after_ms ? 1 : state.failures + 1;
  const why = state.note === null ? how : `${how}: ${state.note}`;
  return { kind: "waiting", until: now + backOff(failures), failures, why };
};

const onStart = (state: SupervisorState, now: Instant): SupervisorState => {
  if (state.kind !== "idle" && state.kind !== "waiting") return state;
  const failures = state.kind === "waiting" ? state.failures : 0;
  return { kind: "running", since: now, ready: false, failures, note: null };
};

const onStop = (state: SupervisorState): SupervisorState => {
  if (state.kind === "running") return { kind: "stopping", note: state.note };
  return state.kind === "stopping" ? state : { kind: "stopped", code: 0 };
};

/** What the supervisor knows after an event. Pure; the caller starts children and timers. */
export const nextState = (state: SupervisorState, event: SupervisorEvent, now: Instant): SupervisorState => {
  if (event.kind === "started") return onStart(state, now);
  if (event.kind === "exited") return onExit(state, event, now);
  if (event.kind === "stop") return onStop(state);
  if (event.kind === "ready") return state.kind === "running" ? { ...state, ready: true } : state;
  return state.kind === "running" || state.kind === "stopping" ? { ...state, note: event.text } : state;
};

/** What /readyz says about the worker. */
export const workerHealth = (state: SupervisorState): { ok: boolean; why: string | null } => {
  if (state.kind === "running" && state.ready) return { ok: true, why: null };
  if (state.kind === "running") return { ok: false, why: "the worker is starting" };
  if (state.kind === "waiting") return { ok: false, why: `the worker ended (${state.why}) and is started again` };
  if (state.kind === "refused") return { ok: false, why: `the worker refuses to start: ${state.why}` };
  if (state.kind === "idle") return { ok: false, why: "the worker has not been started" };
  return { ok: false, why: "the worker is shutting down" };
};
