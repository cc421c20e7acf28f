/** The fate of one record or sample: a closed union, decided once. */
export type Outcome<T> =
  | { kind: "ok"; value: T }
  /** Nothing to do, and nothing lost: counted under its reason. */
  | { kind: "drop"; reason: string }
  /** This input's content is wrong: dead-lettered with a path to the field. */
  | { kind: "dead"; reason: string; path: string; detail: string };

export const ok = <T>(value: T): Outcome<T> => ({ kind: "ok", value });
export const drop = (reason: string): Outcome<never> => ({ kind: "drop", reason });
export const dead = (reason: string, path: string, detail: string): Outcome<never> => ({
  kind: "dead",
  reason,
  path,
  detail,
});
