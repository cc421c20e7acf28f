import { Compile } from "typebox/compile";
import type { Digest } from "../domain/sample.ts";
import { Problem } from "../flow/route.ts";
import { BrokenExport } from "./apple-export/broken-export.ts";
import { type BatchBody, batchSchema } from "./batch-body.ts";
import { checkEnvelope } from "./envelope.ts";
import { importParts, isHealthAutoExport } from "./health-auto-export/import.ts";
import type { Found } from "./import-part.ts";
import { listSlices } from "./json-slices.ts";

/** A line of NDJSON, or a whole document; as large as the edge takes a body. */
const MAX_TEXT = 64 << 20;

const envelope = Compile(batchSchema);

/** What is wrong with the envelope, or null. */
const envelopeFault = (body: unknown): string | null => {
  if (!envelope.Check(body)) {
    const first = envelope.Errors(body)[0];
    const path = first?.instancePath.slice(1).replaceAll("/", ".") || "the batch";
    return `no native batch: ${path} ${first?.message}`;
  }
  try {
    checkEnvelope(body as BatchBody);
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
};

type Place = { line: number; athlete_id: string; time_zone: string | null };

/** What one JSON document holds, told by its members. */
const documentParts = (text: string, place: Place, digest: Digest): Found[] => {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [{ kind: "fault", line: place.line, detail: "not valid JSON, or cut short" }];
  }
  if (!isHealthAutoExport(body)) return [batchPart(body, { ...place, text }, digest)];
  const parts = importParts(body, { ...place, text }, digest);
  if (typeof parts === "string") return [{ kind: "fault", line: place.line, detail: parts }];
  return parts.map((part) => ({ kind: "part", part }));
};

/** One batch of the native kind. */
const batchPart = (body: unknown, place: Place & { text: string }, digest: Digest): Found => {
  const { text } = place;
  const detail = envelopeFault(body);
  if (detail !== null) return { kind: "fault", line: place.line, detail };
  const batch = body as BatchBody;
  let lists: ReturnType<typeof listSlices> | undefined;
  return {
    kind: "part",
    part: {
      body: { ...batch, time_zone: batch.time_zone ?? place.time_zone },
      door: "native",
      synthetic: false,
      body_hash: digest.sha256(text),
      ignored: {},
      twins: 0,
      lineOf: () => place.line,
      sent: (list, index) => {
        const slice = (lists ??= listSlices(text)).get(list)?.[index];
        return slice && text.slice(...slice);
      },
    },
  };
};

/** Lines with the number of the line on which each begins; blank ones are left out. Throws on an endless line. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<{ text: string; line: number }> {
  const decoder = new TextDecoder("utf-8");
  let rest = "";
  let line = 1;
  for await (const piece of bytes) {
    const pieces = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    for (const text of pieces) {
      if (text.trim() !== "") yield { text, line };
      line += 1;
    }
    if (rest.length > MAX_TEXT) throw new BrokenExport(`line ${line}: longer than ${MAX_TEXT} characters`);
  }
  if (rest.trim() !== "") yield { text: rest, line };
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const recordsOf = (found: readonly Found[]): number =>
  found.reduce((sum, one) => sum + (one.kind === "part" ? (one.part.body.samples?.length ?? 0) : 0), 0);

/**
 * Native batches or files of the Health Auto Export app: NDJSON with one a line, or one JSON document over any number
 * of lines.
 */
export async function* jsonParts(
  bytes: AsyncIterable<Uint8Array>,
  import_: { athlete_id: string; time_zone: string | null },
  digest: Digest,
): AsyncGenerator<Found[]> {
  let document: string | null = null;
  let first = true;
  for await (const { text, line } of lines(bytes)) {
    // A first line that is no JSON by itself begins a document written over many lines.
    if (first && !isJson(text)) document = "";
    first = false;
    if (document === null) {
      const found = documentParts(text, { ...import_, line }, digest);
      yield [...found, { kind: "read", records: recordsOf(found) }];
    } else {
      document += `${text}\n`;
      if (document.length > MAX_TEXT) throw new BrokenExport(`a batch longer than ${MAX_TEXT} characters`);
    }
  }
  if (document !== null) yield documentParts(document, { ...import_, line: 1 }, digest);
}
