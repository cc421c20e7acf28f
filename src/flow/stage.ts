import type { Instant } from "../domain/sample.ts";
import type { Effects } from "./effects.ts";
import type { Outcome } from "./outcome.ts";
import type { RawRecord, Tx } from "./ports.ts";

/** One record, decoded, with where it came from. */
export type Input<In> = { record: RawRecord; value: In };

/**
 * A stage over a log: decode → read facts → decide → effects (architecture §2). `decide` is pure and total;
 * only the runner carries effects out, and only in its order.
 */
export type Stage<In, Facts, Rows> = {
  name: string;
  /** `drop` and `dead` are fates too. Throws only when the answer cannot be known now (the registry is away). */
  decode(record: RawRecord): Promise<Outcome<In>>;
  /** What `decide` needs to know, read in the transaction that will commit. */
  read(tx: Tx, inputs: readonly Input<In>[]): Promise<Facts>;
  decide(inputs: readonly Input<In>[], facts: Facts, now: Instant): Effects<Rows>;
  /** Turns rows into SQL. Throws StartOver when what the facts stood on has changed. */
  write(tx: Tx, rows: Rows): Promise<void>;
  /** After the commit; may be lost (wake-ups). */
  committed?(effects: Effects<Rows>): void;
};

/** Erases a stage's own types, so that one runner can carry several. */
export type AnyStage = Stage<unknown, unknown, unknown>;
export const anyStage = (stage: unknown): AnyStage => stage as AnyStage;

/** Steps that the runner announces for each batch, in order, each as `<stage>.<step>`. */
export const RUNNER_STEPS = [
  "fetched",
  "decoded",
  "begun",
  "read",
  "decided",
  "rows",
  "outbox",
  "position",
  "committed",
  "woken",
  "offset",
] as const;
