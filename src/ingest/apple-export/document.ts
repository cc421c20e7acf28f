import { SaxesParser, type SaxesTagPlain } from "saxes";
import { BrokenExport, NotAnExport } from "./broken-export.ts";
import { textCleaner } from "./clean-text.ts";

export type ExportRecord = {
  kind: "record";
  element: "Record" | "Workout";
  line: number;
  attributes: Readonly<Record<string, string>>;
  metadata: (readonly [key: string, value: string])[];
};
export type ExportItem = ExportRecord | { kind: "skipped"; name: string };

/** Text between two tags, comments or ends of tags; a record with all its attributes stays far below. */
const MAX_GAP = 1 << 20;
const MAX_ELEMENT_DEPTH = 64;
/** Beyond this a record's metadata are no longer kept: it will be refused as too large. */
const MAX_METADATA_CHARS = 300 * 1024;

const STATISTICS = ["sum", "average", "minimum", "maximum", "unit"] as const;

/**
 * What an element inside a record or workout says of it. Modern exports write a workout's totals as `WorkoutStatistics`;
 * beats (`InstantaneousBeatsPerMinute`, whole numbers at local times) are no basis for anything and left out.
 */
const metadataOf = ({ name, attributes }: SaxesTagPlain): (readonly [key: string, value: string])[] => {
  if (name === "MetadataEntry") return [[attributes["key"] ?? "", attributes["value"] ?? ""]];
  if (name !== "WorkoutStatistics") return [];
  const type = (attributes["type"] ?? "").replace("HKQuantityTypeIdentifier", "");
  return STATISTICS.flatMap((field) => {
    const value = attributes[field];
    return value === undefined ? [] : [[`WorkoutStatistics.${type}.${field}`, value] as const];
  });
};

/** Turns parser events into items; only direct children of HealthData count, those of a Correlation are doubled there. */
const collector = (items: ExportItem[]) => {
  const open: string[] = [];
  let record: ExportRecord | null = null;
  let metadataChars = 0;

  const openTop = (tag: SaxesTagPlain, line: number): void => {
    if (tag.name !== "Record" && tag.name !== "Workout") {
      items.push({ kind: "skipped", name: tag.name });
      return;
    }
    record = { kind: "record", element: tag.name, line, attributes: tag.attributes, metadata: [] };
    metadataChars = 0;
  };

  const keep = ({ metadata }: ExportRecord, [key, value]: readonly [string, string]): void => {
    metadataChars += key.length + value.length;
    if (metadata.length === 0 || metadataChars <= MAX_METADATA_CHARS) metadata.push([key, value]);
  };

  let rooted = false;
  return {
    isRooted: () => rooted,
    open(tag: SaxesTagPlain, line: number): void {
      rooted ||= tag.name === "HealthData";
      if (open.length === 0 && tag.name !== "HealthData") {
        const cda = tag.name === "ClinicalDocument" ? " (this is export_cda.xml, a copy for clinics)" : "";
        throw new NotAnExport(`the root element is ${tag.name.slice(0, 64)}, expected HealthData${cda}`);
      }
      if (open.length >= MAX_ELEMENT_DEPTH) throw new BrokenExport(`line ${line}: elements nest too deep`);
      if (open.length === 1) openTop(tag, line);
      else if (open.length === 2 && record !== null) for (const entry of metadataOf(tag)) keep(record, entry);
      open.push(tag.name);
    },
    close(): void {
      open.pop();
      if (open.length !== 1 || record === null) return;
      items.push(record);
      record = null;
    },
  };
};

const exportParser = (items: ExportItem[]) => {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const collect = collector(items);
  let line = 1;
  let seen = false;
  parser.on("opentagstart", () => {
    line = parser.line;
    seen = true;
  });
  parser.on("opentag", (tag) => collect.open(tag, line));
  parser.on("closetag", () => {
    seen = true;
    collect.close();
  });
  parser.on("comment", () => (seen = true));
  let gap = 0;
  const at = (error: unknown): Error => {
    if (error instanceof BrokenExport || error instanceof NotAnExport) return error;
    const place = `line ${parser.line}: ${(error as Error).message}`;
    return collect.isRooted()
      ? new BrokenExport(place)
      : new NotAnExport(`expected the XML of an Apple export; ${place}`);
  };
  return {
    /** Answers instead of throwing, so that what was read before the fault can be handed on first. */
    write(text: string): Error | null {
      seen = false;
      try {
        parser.write(text);
      } catch (error) {
        return at(error);
      }
      gap = seen ? 0 : gap + text.length;
      return gap > MAX_GAP ? new BrokenExport(`line ${parser.line}: more than a megabyte without a tag`) : null;
    },
    end(): Error | null {
      try {
        parser.close();
        return null;
      } catch (error) {
        return at(error);
      }
    },
  };
};

/**
 * The top-level elements of an export.xml, a list a piece of input, in bounded memory. Throws NotAnExport or
 * BrokenExport, after everything that came before the fault.
 */
export async function* readDocument(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ExportItem[]> {
  const items: ExportItem[] = [];
  const parser = exportParser(items);
  const clean = textCleaner();
  const decoder = new TextDecoder("utf-8");
  for await (const piece of bytes) {
    const fault = parser.write(clean(decoder.decode(piece, { stream: true }), false));
    if (items.length > 0) yield items.splice(0);
    if (fault) throw fault;
  }
  const fault = parser.write(clean(decoder.decode(), true)) ?? parser.end();
  if (items.length > 0) yield items.splice(0);
  if (fault) throw fault;
}
