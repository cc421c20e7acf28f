import { interpret } from "../domain/interpret.ts";
import type { AthleteSettings } from "../domain/sample.ts";
import { storable } from "../domain/source.ts";
import { type ChunkHead, type chunkBuilder, MAX_CHUNK_BYTES, tooLarge, topicOf } from "./chunks.ts";
import type { BatchContext, Refusal } from "./decide.ts";
import { isEntry, readSample, refused, type Refused } from "./read-sample.ts";

export type Checked = { accepted: number; refusals: Refusal[]; ignored: string[] };

/** Settings live in Postgres, which the edge does without: they move a sample's day, never its fate. */
const NO_SETTINGS: AthleteSettings = { zones: [], source_order: {} };

/** The uuid as sent, as far as it can be shown; one that a door made was not sent. */
export const uuidAsSent = (entry: unknown): string | null => {
  const uuid = isEntry(entry) && entry["synthetic"] !== true ? entry["uuid"] : undefined;
  return typeof uuid === "string" ? storable(uuid.slice(0, 64)) : null;
};

/**
 * Checks each sample as staging will (the same `interpret`), and puts the good ones, as sent, into chunks. What staging
 * makes of them is not sent: a corrected rule can be replayed.
 */
export const checkSamples = (
  entries: readonly unknown[],
  batch: { head: ChunkHead; context: BatchContext; chunks: ReturnType<typeof chunkBuilder> },
): Checked => {
  const { head, context, chunks } = batch;
  const checked: Checked = { accepted: 0, refusals: [], ignored: [] };
  const converted = context.place !== undefined;
  const door = { name: context.door, synthetic: context.synthetic ?? false, converted };
  const check = (entry: unknown): Refused | undefined => {
    const read = readSample(entry, door);
    if (read.kind === "ignored") {
      checked.ignored.push(read.type);
      return undefined;
    }
    if (read.kind === "dead") return read;
    if (tooLarge(head, read.head, read.sample)) {
      return refused("too_large", "", `is over ${MAX_CHUNK_BYTES} bytes when encoded: send less metadata`);
    }
    const { athlete_id, received_at, batch_time_zone } = head;
    const sent = { series: read.head, sample: read.sample, athlete_id, received_at, batch_time_zone };
    const meaning = interpret({ ...sent, settings: NO_SETTINGS });
    if (meaning.kind === "dead") return refused(meaning.reason, meaning.field, meaning.detail);
    if (meaning.kind === "ignored") {
      checked.ignored.push(meaning.type);
      return undefined;
    }
    const topic = topicOf({ type: read.head.type, end_at: read.sample.end_at }, context);
    chunks.addSample(topic, read.head, read.sample);
    checked.accepted += 1;
    return undefined;
  };
  for (const [index, entry] of entries.entries()) {
    const dead = check(entry);
    if (dead) checked.refusals.push({ ...dead, list: "samples", index, uuid: uuidAsSent(entry) });
  }
  return checked;
};
