import { metricOfType } from "../domain/catalogue.ts";
import { fateOf, interpret, type InterpretInput } from "../domain/interpret.ts";
import { impossiblePressures } from "../domain/pressure-pairs.ts";
import type { AthleteSettings, Sample } from "../domain/sample.ts";
import { storable } from "../domain/source.ts";
import { type ChunkHead, type chunkBuilder, MAX_CHUNK_BYTES, type Sized, topicOf } from "./chunks.ts";
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

type Batch = { head: ChunkHead; context: BatchContext; chunks: ReturnType<typeof chunkBuilder> };
type Judged = { kind: "ok"; sized: Sized; sent: InterpretInput } | { kind: "ignored"; type: string } | Refused;

const judge = (entry: unknown, { head, context, chunks }: Batch): Judged => {
  const converted = context.place !== undefined;
  const read = readSample(entry, { name: context.door, synthetic: context.synthetic ?? false, converted });
  if (read.kind !== "ok") return read;
  const sized = chunks.sized(read.head, read.sample);
  if (!sized) return refused("too_large", "", `is over ${MAX_CHUNK_BYTES} bytes when encoded: send less metadata`);
  const { athlete_id, received_at, batch_time_zone } = head;
  const settings = NO_SETTINGS;
  const sent = { series: read.head, sample: read.sample, athlete_id, received_at, batch_time_zone, settings };
  const fate = fateOf(sent);
  if (fate.kind === "dead") return refused(fate.reason, fate.field, fate.detail);
  return fate.kind === "ignored" ? fate : { kind: "ok", sized, sent };
};

const isPressure = (entry: unknown): boolean =>
  isEntry(entry) && typeof entry["type"] === "string" && metricOfType(entry["type"])?.correlation === "blood_pressure";

const NO_PRESSURE = refused(
  "out_of_range",
  "value",
  "the systolic pressure must be above the diastolic one of the same group and start",
);

/** Whether one half of a blood pressure can be depends on the other, so these are judged together (D23). */
const judgePressures = (entries: readonly unknown[], batch: Batch): Map<unknown, Judged> => {
  const judged = new Map(entries.filter(isPressure).map((entry) => [entry, judge(entry, batch)]));
  const good = new Map<Sample, unknown>();
  for (const [entry, one] of judged) {
    const meaning = one.kind === "ok" ? interpret(one.sent) : one;
    if (meaning.kind === "ok") good.set(meaning.value, entry);
  }
  for (const sample of impossiblePressures([...good.keys()])) judged.set(good.get(sample), NO_PRESSURE);
  return judged;
};

/**
 * Checks each sample as staging will (`fateOf` is the first half of `interpret`), and puts the good ones, as sent, into chunks. What staging
 * makes of them is not sent: a corrected rule can be replayed.
 */
export const checkSamples = (entries: readonly unknown[], batch: Batch): Checked => {
  const { context, chunks } = batch;
  const checked: Checked = { accepted: 0, refusals: [], ignored: [] };
  const pressures = judgePressures(entries, batch);
  for (const [index, entry] of entries.entries()) {
    const judged = (pressures.size > 0 && pressures.get(entry)) || judge(entry, batch);
    if (judged.kind === "ignored") checked.ignored.push(judged.type);
    else if (judged.kind === "dead") {
      checked.refusals.push({ ...judged, list: "samples", index, uuid: uuidAsSent(entry) });
    } else {
      const { sized, sent } = judged;
      chunks.addSample(topicOf({ type: sent.series.type, end_at: sent.sample.end_at }, context), sized);
      checked.accepted += 1;
    }
  }
  return checked;
};
