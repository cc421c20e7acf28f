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

/** Samples a batch of an import. */
const PART = 2000;
const DOOR = "apple_export" as const;

/** Gathers numbered samples into parts of a fixed size, whatever the pieces in which the file was read. */
const gatherer = (time_zone: string | null, digest: Digest) => {
  let placed: Omit<Placed, "pair">[] = [];
  let ignored: Record<string, number> = {};
  let twins = 0;
  const close = (): Found => {
    const lines = placed.map(({ line }) => line);
    const body = { time_zone, samples: placed.map(({ sample }) => sample) };
    const body_hash = digest.sha256(JSON.stringify({ ...body, ignored }));
    const part = {
      body,
      door: DOOR,
      synthetic: true,
      body_hash,
      ignored,
      twins,
      lineOf: (index: number) => lines[index] ?? 0,
    };
    placed = [];
    ignored = {};
    twins = 0;
    return { kind: "part", part };
  };
  const add = ({ item, uuid, n }: Numbered<Placed> | { item: Placed; uuid: null; n: 0 }): Found[] => {
    if (n > 0) twins += 1;
    placed.push({ line: item.line, sample: { ...item.sample, uuid } });
    return placed.length === PART ? [close()] : [];
  };
  return {
    ignore(type: string): void {
      ignored[type] = (ignored[type] ?? 0) + 1;
    },
    add,
    /** What belongs together stands in one part. */
    addTogether: (group: readonly Numbered<Placed>[]): Found[] => [
      ...(placed.length > 0 && placed.length + group.length > PART ? [close()] : []),
      ...group.flatMap(add),
    ],
    end: (): Found[] => (placed.length > 0 || Object.keys(ignored).length > 0 ? [close()] : []),
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
  const together = (pairs: Numbered<Placed>[][]): Found[] => pairs.flatMap((pair) => parts.addTogether(pair));
  return {
    settle: (numbered: Numbered<Placed>): Found[] =>
      numbered.item.pair === null ? parts.add(numbered) : together(held.add(numbered.item.pair, numbered)),
    end: (): Found[] => [...together(held.flush()), ...parts.end()],
  };
};

/** What a type's records of one moment and source are parts of: a blood pressure, a meal. */
const correlationOf = (type: string): string | null =>
  metricOfType(type)?.correlation ?? (type.startsWith("HKQuantityTypeIdentifierDietary") ? "food" : null);

/** Reads an export.xml into parts. After a fault everything before it is still handed on. Throws NotAnExport. */
export async function* exportParts(
  bytes: AsyncIterable<Uint8Array>,
  import_: { athlete_id: string; time_zone: string | null },
  digest: Digest,
): AsyncGenerator<Found[]> {
  const parts = gatherer(import_.time_zone, digest);
  const ids = numbering<Placed>(digest);
  const { settle, end } = settler(parts);
  const take = (record: ExportRecord): Found[] => {
    const type = typeOf(record);
    if (!metricOfType(type) && isKnownType(type)) {
      parts.ignore(type);
      return [];
    }
    const item: Placed = { line: record.line, sample: nativeSample(record), pair: null };
    const keyed = recordKey(item.sample, { athlete_id: import_.athlete_id, door: DOOR });
    if (keyed === null) return parts.add({ item, uuid: null, n: 0 });
    const correlation = correlationOf(type);
    if (correlation !== null) item.sample.group_id = aggregateId({ ...keyed.key, metric: correlation }, digest);
    if (correlation === "blood_pressure") item.pair = item.sample.group_id ?? null;
    return ids.add({ item, ...keyed }).flatMap(settle);
  };
  let fault: Found[] = [];
  try {
    for await (const items of readDocument(bytes)) {
      const found = items.flatMap((item): Found[] => (item.kind === "record" ? take(item) : [item]));
      yield [...found, { kind: "read", records: items.length }];
    }
  } catch (error) {
    if (!(error instanceof BrokenExport)) throw error;
    fault = [{ kind: "fault", line: lineIn(error.message), detail: error.message }];
  }
  yield [...ids.flush().flatMap(settle), ...end(), ...fault];
}
