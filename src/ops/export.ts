import { createHash } from "node:crypto";
import { addDays, DAY, epochDay } from "../domain/local-day.ts";
import type { Instant, LocalDate, Sample } from "../domain/sample.ts";
import { ObjectMissing, type Clock, type Database, type ObjectStore, type ParquetFormat } from "../flow/ports.ts";
import {
  EXPORT_TABLES,
  datesWithSamples,
  readSettingsRow,
  streamPointers,
  tablePages,
  type StreamPointer,
} from "./export-sql.ts";
import { extensionOf, sampleRow, textOf, type ExportFormat, type Row } from "./export-text.ts";

export type ExportDeps = {
  db: Database;
  objects: Pick<ObjectStore, "get">;
  parquet: Pick<ParquetFormat, "encodeDay" | "decodeSleep">;
  clock: Clock;
  /** Live samples that overlap [from, to), over staging and Parquet alike, deleted and double ones left out. */
  readLive(athleteId: string, range: { from: Instant; to: Instant }): Promise<readonly Sample[]>;
};

/** A piece of a file: pieces of one path follow each other, and a file is over when the next path begins. */
export type Piece = { path: string; bytes: Uint8Array; rows: number };

export type ManifestFile = { path: string; rows: number; bytes: number; sha256: string };

/** UTC days in which a sample of one of these local dates can begin, wherever in the world it was recorded. */
const utcDays = (dates: readonly LocalDate[]): LocalDate[] =>
  [...new Set(dates.flatMap((date) => [addDays(date, -1), date, addDays(date, 1)]))].toSorted();

/** A day at a time, so that memory holds no more: by the UTC day of a sample's start. */
async function* samplePieces(deps: ExportDeps, athleteId: string, format: ExportFormat): AsyncGenerator<Piece> {
  let first = true;
  for (const day of utcDays(await datesWithSamples(deps.db, athleteId))) {
    const from = epochDay(day) * DAY;
    const live = await deps.readLive(athleteId, { from, to: from + DAY });
    const samples = live.filter((sample) => sample.start_at >= from);
    if (samples.length === 0) continue;
    const rows = samples.length;
    if (format === "parquet") {
      yield { path: `samples/${day}.parquet`, bytes: deps.parquet.encodeDay(samples), rows };
    } else {
      const bytes = textOf(format, samples.map(sampleRow), first);
      yield { path: `samples.${extensionOf(format)}`, bytes, rows };
    }
    first = false;
  }
}

/** The session's stream as it now stands, or null where it has none any longer. */
const readStream = async (deps: ExportDeps, athleteId: string, pointer: StreamPointer): Promise<Uint8Array | null> => {
  try {
    return await deps.objects.get(pointer.object_key);
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
    // Rewritten since the pointers were read: the newer one holds what is true now.
    const newer = (await streamPointers(deps.db, athleteId)).find((each) => each.session_id === pointer.session_id);
    return newer === undefined ? null : deps.objects.get(newer.object_key);
  }
};

async function* streamPieces(deps: ExportDeps, athleteId: string, format: ExportFormat): AsyncGenerator<Piece> {
  let first = true;
  for (const pointer of await streamPointers(deps.db, athleteId)) {
    const bytes = await readStream(deps, athleteId, pointer);
    if (bytes === null) continue;
    const rows = deps.parquet.decodeSleep(bytes);
    if (format === "parquet") {
      yield { path: `sleep_streams/${pointer.session_id}.parquet`, bytes, rows: rows.length };
      continue;
    }
    const plain = rows.map(({ channel, start_at, end_at, value, source }): Row => ({
      session_id: pointer.session_id,
      channel,
      start_at: new Date(start_at).toISOString(),
      end_at: new Date(end_at).toISOString(),
      value,
      source,
    }));
    yield { path: `sleep_streams.${extensionOf(format)}`, bytes: textOf(format, plain, first), rows: plain.length };
    first = false;
  }
}

async function* tablePieces(deps: ExportDeps, athleteId: string, format: ExportFormat): AsyncGenerator<Piece> {
  for (const table of EXPORT_TABLES) {
    let first = true;
    for await (const rows of tablePages(deps.db, table, athleteId)) {
      yield { path: `${table.file}.${extensionOf(format)}`, bytes: textOf(format, rows, first), rows: rows.length };
      first = false;
    }
  }
}

const jsonPiece = (path: string, value: unknown): Piece => ({
  path,
  bytes: new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`),
  rows: 1,
});

/** Counts and hashes what passes; files come one after the other. */
const createLedger = () => {
  const files: ManifestFile[] = [];
  let hash = createHash("sha256");
  const finish = (): void => {
    const last = files.at(-1);
    if (last) last.sha256 = hash.digest("hex");
    hash = createHash("sha256");
  };
  return {
    add: ({ path, bytes, rows }: Piece): void => {
      if (files.at(-1)?.path !== path) {
        finish();
        files.push({ path, rows: 0, bytes: 0, sha256: "" });
      }
      const file = files.at(-1) as ManifestFile;
      file.rows += rows;
      file.bytes += bytes.length;
      hash.update(bytes);
    },
    files: (): ManifestFile[] => {
      finish();
      return files;
    },
  };
};

/**
 * Everything of an athlete as files, in pieces of bounded size: samples (live ones only), sleep streams, tables,
 * settings, and last a manifest with rows, bytes and SHA-256 of each file: an export without it is not whole.
 */
export async function* exportPieces(deps: ExportDeps, athleteId: string, format: ExportFormat): AsyncGenerator<Piece> {
  const ledger = createLedger();
  const exported_at = new Date(deps.clock.now()).toISOString();
  for (const pieces of [samplePieces, streamPieces, tablePieces]) {
    for await (const piece of pieces(deps, athleteId, format)) {
      ledger.add(piece);
      yield piece;
    }
  }
  const settings = await readSettingsRow(deps.db, athleteId);
  const last = jsonPiece("settings.json", settings ?? { athlete_id: athleteId, zones: [], source_order: {} });
  ledger.add(last);
  yield last;
  yield jsonPiece("manifest.json", { athlete_id: athleteId, format, exported_at, files: ledger.files() });
}
