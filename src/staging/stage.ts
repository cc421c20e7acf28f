import { isAthleteId } from "../domain/ids.ts";
import { epochDay } from "../domain/local-day.ts";
import { isPlausible } from "../domain/refusal.ts";
import type { Digest, SampleChunk } from "../domain/sample.ts";
import { storable } from "../domain/source.ts";
import type { Outcome } from "../flow/outcome.ts";
import { dead, ok } from "../flow/outcome.ts";
import type { Codec, OnStep, RawRecord } from "../flow/ports.ts";
import type { Stage } from "../flow/stage.ts";
import { RUNNER_STEPS } from "../flow/stage.ts";
import { decideStaging } from "./decide.ts";
import type { ChunkInput, Facts, Lane } from "./facts.ts";
import { readFacts } from "./read.ts";
import type { StagingRows } from "./rows.ts";
import { writeRows } from "./sql.ts";

export type StagingDeps = {
  codec: Codec;
  digest: Digest;
  onStep: OnStep;
  /** Wakes the windows stage; may be lost. Dates are days since the epoch. */
  wake: (touched: { athlete_id: string; dates: number[]; reason: string }) => void;
};

/** Every step of a staging commit, in order. */
export const STAGING_STEPS: readonly string[] = RUNNER_STEPS.flatMap((step) =>
  step === "rows" ? ["staging.locked", "staging.removed", "staging.inserted", "staging.rows"] : [`staging.${step}`],
);

/** The athlete id is the key, so that one athlete's records always share a topic partition. */
export const keyedRecord = async <T extends { athlete_id: string }>(
  codec: Codec,
  record: RawRecord,
): Promise<Outcome<T>> => {
  if (record.value === null) return dead("bad_frame", "", "the record has no value; sample topics hold no tombstones");
  const decoded = await codec.decode(record.topic, record.value);
  if (decoded.kind !== "ok") return decoded;
  const value = decoded.value as T;
  if (!isAthleteId(value.athlete_id)) {
    return dead("bad_payload", "athlete_id", "athlete_id must match ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$");
  }
  if (record.key?.toString() !== value.athlete_id) {
    return dead(
      "wrong_key",
      "key",
      "the record's key must be its athlete_id, so that an athlete keeps one topic partition",
    );
  }
  return ok(value);
};

/** Anyone may produce to the input topics: what the tables cannot hold is this record's fault, not the batch's. */
const storableChunk = (record: RawRecord, chunk: SampleChunk, lane: Lane): Outcome<ChunkInput> =>
  isPlausible(chunk.received_at)
    ? ok({ record, chunk: { ...chunk, batch_id: storable(chunk.batch_id) }, lane })
    : dead("bad_payload", "received_at", "received_at must be a time between 1970-01-01 and 2099-12-31");

/** Chunks of samples to staging rows, tombstones and dirty windows. `lane` is backfill for the slow topic. */
export const createStagingStage = (deps: StagingDeps, lane: Lane): Stage<ChunkInput, Facts, StagingRows> => ({
  name: "staging",
  decode: async (record) => {
    const decoded = await keyedRecord<SampleChunk>(deps.codec, record);
    return decoded.kind === "ok" ? storableChunk(record, decoded.value, lane) : decoded;
  },
  read: (tx, inputs) => readFacts(tx, inputs, deps.digest),
  decide: (_, facts, now) => decideStaging(facts, now, deps.digest),
  write: (tx, rows) => writeRows(tx, rows, deps.onStep),
  committed: ({ rows }) => {
    for (const { athlete_id, dates } of rows.wakes) {
      deps.wake({ athlete_id, dates: dates.map(epochDay), reason: "staged" });
    }
  },
});
