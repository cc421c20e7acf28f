import { isKnownType } from "../domain/catalogue.ts";
import { interpretDaily } from "../domain/interpret.ts";
import { epochDay, isLocalDate } from "../domain/local-day.ts";
import type { SentDaily } from "../domain/sample.ts";
import type { chunkBuilder } from "./chunks.ts";
import { type Checked, uuidAsSent } from "./check-samples.ts";
import type { BatchContext, EntryList, Refusal } from "./decide.ts";
import { isEntry, readType, readUuid, refused, type Refused } from "./read-sample.ts";

type Chunks = ReturnType<typeof chunkBuilder>;

const fast = (context: BatchContext) => (context.kind === "import" ? ("backfill" as const) : ("samples" as const));

const refusalOf = (dead: Refused, list: EntryList, index: number, entry: unknown): Refusal => ({
  ...dead,
  list,
  index,
  uuid: uuidAsSent(entry),
});

/** Deletions carry only a uuid; the type narrows the search for their sample, and is dropped where it is no type. */
export const checkDeletions = (entries: readonly unknown[], context: BatchContext, chunks: Chunks): Checked => {
  const checked: Checked = { accepted: 0, refusals: [], ignored: [] };
  for (const [index, entry] of entries.entries()) {
    const uuid = isEntry(entry) ? readUuid(entry) : refused("bad_value", "", "must be an object with a uuid");
    if (uuid.kind === "dead") {
      checked.refusals.push(refusalOf(uuid, "deleted", index, entry));
      continue;
    }
    const hint = (entry as { type?: unknown }).type;
    const type = typeof hint === "string" && isKnownType(hint) ? hint : null;
    chunks.addDeletion(fast(context), { sample_id: uuid.uuid, type });
    checked.accepted += 1;
  }
  return checked;
};

type ReadDaily = { kind: "ok"; daily: SentDaily } | { kind: "ignored"; type: string } | Refused;

const readDaily = (entry: unknown): ReadDaily => {
  if (!isEntry(entry)) return refused("bad_value", "", "must be an object");
  const type = readType(entry);
  if (type.kind !== "ok") return type;
  const { date, value, unit } = entry;
  if (typeof date !== "string" || !isLocalDate(date)) {
    return refused("bad_time", "date", "must be a local date like 2026-11-20");
  }
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return refused("bad_value", "value", "must be a finite number");
  }
  if (typeof unit !== "string") return refused("bad_unit", "unit", "must be text");
  return { kind: "ok", daily: { date: epochDay(date), type: type.type, value, unit } };
};

/** HealthKit's own merged totals of a day. */
export const checkDaily = (entries: readonly unknown[], context: BatchContext, chunks: Chunks): Checked => {
  const checked: Checked = { accepted: 0, refusals: [], ignored: [] };
  for (const [index, entry] of entries.entries()) {
    const read = readDaily(entry);
    const meaning = read.kind === "ok" ? interpretDaily(read.daily, context.received_at) : read;
    if (meaning.kind === "dead") {
      const dead = refused(meaning.reason, meaning.field, meaning.detail);
      checked.refusals.push(refusalOf(dead, "daily", index, entry));
    } else if (meaning.kind === "ignored") checked.ignored.push(meaning.type);
    else if (read.kind === "ok") {
      chunks.addDaily(fast(context), read.daily);
      checked.accepted += 1;
    }
  }
  return checked;
};
