import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command, Option } from "commander";
import { athleteArgument } from "./athlete-argument.ts";
import { exportPieces, type ExportDeps, type Piece } from "./export.ts";
import { EXPORT_FORMATS, type ExportFormat } from "./export-text.ts";
import { zipOf } from "./export-zip.ts";

type Options = { format: ExportFormat; out: string; json?: true };
type Deps = {
  print: (line: string) => void;
  /** What is going on, on a terminal only. */
  progress: (line: string) => void;
  open: () => Promise<ExportDeps & { close(): Promise<void> }>;
};

/** Writes the files into a folder, which must be empty or new: two exports in one would look like one. */
const toFolder = async (pieces: AsyncIterable<Piece>, folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty: name a new folder`);
  let file: FileHandle | null = null;
  let name = "";
  try {
    for await (const { path, bytes } of pieces) {
      if (path !== name) {
        await file?.close();
        await mkdir(join(folder, dirname(path)), { recursive: true });
        // A person's data: for its owner's eyes only.
        file = await open(join(folder, path), "wx", 0o600);
        name = path;
      }
      await file?.writeFile(bytes);
    }
  } finally {
    await file?.close();
  }
};

const toArchive = (pieces: AsyncIterable<Piece>, file: string): Promise<void> =>
  pipeline(Readable.from(zipOf(pieces)), createWriteStream(file, { flags: "wx", mode: 0o600 }));

/** Passes pieces on, counts them, and tells of every new file. */
const watched = (pieces: AsyncIterable<Piece>, progress: (line: string) => void) => {
  const total = { files: 0, rows: 0, bytes: 0 };
  const through = async function* (): AsyncGenerator<Piece> {
    let name = "";
    for await (const piece of pieces) {
      if (piece.path !== name) {
        name = piece.path;
        total.files += 1;
        progress(`${total.rows} rows so far, now ${name}`);
      }
      total.rows += piece.rows;
      total.bytes += piece.bytes.length;
      yield piece;
    }
  };
  return { total, pieces: through() };
};

/** `health-sync export ATHLETE`: everything of a person, as files. */
export const exportCommand = (deps: Deps): Command =>
  new Command("export")
    .description("take out everything of an athlete: samples, sleep, metrics, edits, settings, and a manifest")
    .argument("<athlete>", "whose data", athleteArgument)
    .addOption(new Option("--format <format>", "of the files").choices(EXPORT_FORMATS).default("parquet"))
    .requiredOption("--out <path>", "a new folder, or a file ending in .zip")
    .option("--json", "print the summary as JSON")
    .action(async (athlete: string, options: Options) => {
      const opened = await deps.open();
      try {
        const { total, pieces } = watched(exportPieces(opened, athlete, options.format), deps.progress);
        await (options.out.endsWith(".zip") ? toArchive : toFolder)(pieces, options.out);
        deps.print(
          options.json
            ? JSON.stringify({ athlete_id: athlete, format: options.format, out: options.out, ...total })
            : `${total.files} files with ${total.rows} rows (${total.bytes} bytes) in ${options.out}`,
        );
      } finally {
        await opened.close();
      }
    });
