import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Hex } from "../flow/digest.ts";
import type { Clock, LogInfo, Written } from "../flow/ports.ts";
import type { BatchDecision } from "./decide.ts";

/** Later than this an interrupted import starts from the beginning: its athlete may have been erased since. */
const VALID_MS = 24 * 3_600_000;

/**
 * What an import has sent so far, in a file of its own machine: if the process dies, the same command goes on from there.
 * A note only saves work, since a batch sent twice is the same batch, so notes are believed only where nothing
 * speaks against them: same cluster, same topics, same athlete, younger than a day, and a log that is as long as when
 * they were taken. They hold batch ids, no health value, and do not depend on Postgres.
 */
export type ImportNotes = {
  /** True where Kafka acknowledged this very batch during an import that did not come to its end. */
  has(decision: BatchDecision): boolean;
  /** After Kafka acknowledged it. */
  add(decision: BatchDecision, written: readonly Written[]): Promise<void>;
  /** The import came to its end: there is nothing left to go on with. */
  clear(): void;
};

export type NotesPlace = { folder: string; athlete_id: string; brokers: readonly string[]; batchesTopic: string };
type NotesDeps = { log: LogInfo; clock: Clock };
type Line = { batch: string; written: Written[] };

/** A batch that names its own id may come with another body under the same one. */
const keyOf = ({ receipt }: BatchDecision): string => `${receipt.batch_id}|${receipt.body_hash}`;

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The last line, cut off when the process died.
    return null;
  }
};

const readLines = (path: string, now: number): { cluster: string; lines: Line[] } | null => {
  try {
    if (now - statSync(path).mtimeMs > VALID_MS) return null;
    const [head, ...lines] = readFileSync(path, "utf8").split("\n").map(parse);
    const { cluster } = head as { cluster: string };
    return { cluster, lines: lines.filter((line): line is Line => line !== null) };
  } catch {
    return null;
  }
};

/** Topics that were emptied or created anew hold nothing of what the notes say. */
const standsInLog = async (lines: readonly Line[], log: LogInfo): Promise<boolean> => {
  const written = lines.flatMap((line) => line.written);
  for (const topic of new Set(written.map((one) => one.topic))) {
    const bounds = await log.bounds(topic);
    const ofTopic = written.filter((one) => one.topic === topic);
    if (ofTopic.some((one) => (bounds.get(one.topic_partition)?.high ?? 0) <= one.last_offset)) return false;
  }
  return true;
};

const believed = async (path: string, { log, clock }: NotesDeps): Promise<Set<string>> => {
  const found = readLines(path, clock.now());
  if (found === null) return new Set();
  try {
    if (found.cluster !== (await log.clusterId()) || !(await standsInLog(found.lines, log))) return new Set();
  } catch {
    // Kafka does not answer yet: what was sent is sent again.
    return new Set();
  }
  return new Set(found.lines.map(({ batch }) => batch));
};

/** `again` forgets what an interrupted import has sent. */
export const openNotes = async (place: NotesPlace, deps: NotesDeps, again = false): Promise<ImportNotes> => {
  const name = sha256Hex(Buffer.from(JSON.stringify([place.brokers, place.batchesTopic, place.athlete_id])));
  const path = join(place.folder, `${name.slice(0, 32)}.ndjson`);
  const clear = (): void => rmSync(path, { force: true });
  const known = again ? new Set<string>() : await believed(path, deps);
  const begin = async (): Promise<void> => {
    const cluster = await deps.log.clusterId();
    clear();
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    appendFileSync(path, `${JSON.stringify({ cluster })}\n`, { mode: 0o600 });
  };
  let begun: Promise<void> | null = known.size > 0 ? Promise.resolve() : null;
  return {
    has: (decision) => known.has(keyOf(decision)),
    async add(decision, written) {
      try {
        await (begun ??= begin());
        const line: Line = { batch: keyOf(decision), written: [...written] };
        appendFileSync(path, `\n${JSON.stringify(line)}`);
      } catch {
        // A folder that cannot be written costs the next import work, never this one its end.
      }
    },
    clear,
  };
};
