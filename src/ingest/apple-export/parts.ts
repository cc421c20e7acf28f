import { isKnownType, metricOfType } from "../../domain/catalogue.ts";
import { aggregateId } from "../../domain/ids.ts";
import type { Digest } from "../../domain/sample.ts";
import type { Found } from "../import-part.ts";
import { recordKey } from "../record-key.ts";
import { BrokenExport } from "./broken-export.ts";
import { type ExportRecord, readDocument } from "./document.ts";
import { numbering, type Numbered } from "./numbering.ts";
import { heldPairs } from "./pairs.ts";
import { type NativeSample, nativeSample, typeOf } from "./record.ts";

/** `pair` is the blood pressure that a sample is one half of. */
type Placed = { line: number; sample: NativeSample; pair: string | null };
type Emit = (found: Found) => void;

/** Samples a batch of an import. */
const PART = 2000;
const DOOR = "apple_export" as const;

/** Gathers numbered samples into parts of a fixed size, whatever the pieces in which the file was read. */
const gatherer = (time_zone: string | null, digest: Digest, emit: Emit) => {
  let samples: NativeSample[] = [];
  let lines: number[] = [];
  let ignored: Record<string, number> = {};
  let twins = 0;
  const close = (): void => {
    const body = { time_zone, samples };
    const placed = lines;
    const body_hash = digest.sha256(JSON.stringify({ ...body, ignored }));
    const lineOf = (index: number): number => placed[index] ?? 0;
    emit({ kind: "part", part: { body, door: DOOR, synthetic: true, body_hash, ignored, twins, lineOf } });
    samples = [];
    lines = [];
    ignored = {};
    twins = 0;
  };
  const add = ({ line, sample }: Placed): void => {
    samples.push(sample);
    lines.push(line);
    if (samples.length === PART) close();
  };
  const addNumbered = ({ item, uuid, n }: Numbered<Placed>): void => {
    if (n > 0) twins += 1;
    item.sample.uuid = uuid;
    add(item);
  };
  return {
    ignore(type: string): void {
      ignored[type] = (ignored[type] ?? 0) + 1;
    },
    add,
    addNumbered,
    /** What belongs together stands in one part. */
    addTogether(group: readonly Numbered<Placed>[]): void {
      if (samples.length > 0 && samples.length + group.length > PART) close();
      for (const numbered of group) addNumbered(numbered);
    },
    end(): void {
      if (samples.length > 0 || Object.keys(ignored).length > 0) close();
    },
  };
};

/** Where a broken file broke, if the message says so. */
const lineIn = (message: string): number | null => {
  const line = /^line (\d+): /.exec(message)?.[1];
  return line === undefined ? null : Number(line);
};

/** Records with numbers into parts; the halves of a blood pressure, which an export lists type by type, into the same one. */
const settler = (parts: ReturnType<typeof gatherer>) => {
  const held = heldPairs<Numbered<Placed>>();
  const together = (pairs: Numbered<Placed>[][]): void => {
    for (const pair of pairs) parts.addTogether(pair);
  };
  return {
    settle: (numbered: Numbered<Placed>): void => {
      const { pair } = numbered.item;
      if (pair === null) parts.addNumbered(numbered);
      else together(held.add(pair, numbered));
    },
    end: (): void => together(held.flush()),
  };
};

/** What a type's records of one moment and source are parts of: a blood pressure, a meal. */
const correlationOf = (type: string): string | null =>
  metricOfType(type)?.correlation ?? (type.startsWith("HKQuantityTypeIdentifierDietary") ? "food" : null);

/** Puts records into parts, which are emitted as they fill. */
const partsMaker = (import_: { athlete_id: string; time_zone: string | null }, digest: Digest, emit: Emit) => {
  const parts = gatherer(import_.time_zone, digest, emit);
  const pairs = settler(parts);
  const ids = numbering<Placed>(digest, pairs.settle);
  return {
    take(record: ExportRecord): void {
      const type = typeOf(record);
      if (!metricOfType(type) && isKnownType(type)) {
        parts.ignore(type);
        return;
      }
      const item: Placed = { line: record.line, sample: nativeSample(record, type), pair: null };
      const keyed = recordKey(item.sample, { athlete_id: import_.athlete_id, door: DOOR });
      if (keyed === null) {
        parts.add(item);
        return;
      }
      const correlation = correlationOf(type);
      if (correlation !== null) item.sample.group_id = aggregateId({ ...keyed.key, metric: correlation }, digest);
      if (correlation === "blood_pressure") item.pair = item.sample.group_id ?? null;
      ids.add({ item, key: keyed.key, value: keyed.value });
    },
    end(): void {
      ids.flush();
      pairs.end();
      parts.end();
    },
  };
};

/** Reads an export.xml into parts. After a fault everything before it is still handed on. Throws NotAnExport. */
export async function* exportParts(
  bytes: AsyncIterable<Uint8Array>,
  import_: { athlete_id: string; time_zone: string | null },
  digest: Digest,
): AsyncGenerator<Found[]> {
  let found: Found[] = [];
  const made = partsMaker(import_, digest, (one) => found.push(one));
  let fault: Found[] = [];
  try {
    for await (const items of readDocument(bytes)) {
      for (const item of items) {
        if (item.kind === "record") made.take(item);
        else found.push(item);
      }
      yield [...found, { kind: "read", records: items.length }];
      found = [];
    }
  } catch (error) {
    if (!(error instanceof BrokenExport)) throw error;
    fault = [{ kind: "fault", line: lineIn(error.message), detail: error.message }];
  }
  made.end();
  yield [...found, ...fault];
}
