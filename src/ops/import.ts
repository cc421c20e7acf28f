import { Command, InvalidArgumentError } from "commander";
import { isAthleteId } from "../domain/ids.ts";
import { isZone } from "../domain/local-day.ts";
import type { ImportProgress, ImportReport, ImportRequest } from "../flow/import-report.ts";
import { faultLines, progressLine, summaryLines } from "./import-text.ts";

export type ImportCommandDeps = {
  /** Reads, checks and publishes; opens and closes what it needs. */
  run: (request: ImportRequest, onProgress: (progress: ImportProgress) => void) => Promise<ImportReport>;
  /** Returns once everything of the athlete is durable in staging, panes and metrics. */
  waitFor: (athleteId: string) => Promise<void>;
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown; isTTY?: boolean };
  /** Told 1 where not everything that was asked for was done. */
  exit: (code: number) => void;
};

const athlete = (id: string): string => {
  if (isAthleteId(id)) return id;
  throw new InvalidArgumentError("1 to 64 letters, digits, _ or -, starting with a letter or digit");
};

const zone = (name: string): string => {
  if (isZone(name)) return name;
  throw new InvalidArgumentError("write an IANA zone like Europe/Amsterdam, or an offset like +01:00");
};

type Options = { athlete: string; timeZone?: string; wait?: true; dryRun?: true; again?: true; json?: true };

/** At most four lines a second, on a terminal only. */
const progressWriter = (stderr: ImportCommandDeps["stderr"]) => {
  let last = -Infinity;
  let shown = false;
  return {
    show(progress: ImportProgress): void {
      if (!stderr.isTTY || (performance.now() - last < 250 && !progress.waiting)) return;
      last = performance.now();
      shown = true;
      stderr.write(`\r\u001B[K${progressLine(progress)}`);
    },
    end(): void {
      if (shown) stderr.write("\r\u001B[K");
    },
  };
};

/** True where everything in the files was taken or ignored on purpose. */
const complete = (report: ImportReport): boolean =>
  report.faults.length === 0 && Object.keys(report.refused).length === 0;

const runImport = async (files: string[], options: Options, deps: ImportCommandDeps): Promise<void> => {
  const request: ImportRequest = {
    files,
    athlete_id: options.athlete,
    time_zone: options.timeZone ?? null,
    dry_run: options.dryRun ?? false,
    again: options.again ?? false,
  };
  const progress = progressWriter(deps.stderr);
  let report: ImportReport;
  try {
    report = await deps.run(request, (now) => progress.show(now));
  } finally {
    progress.end();
  }
  if (options.wait && !request.dry_run) await deps.waitFor(request.athlete_id);
  if (report.batches === 0 && report.faults.length > 0 && !options.json) {
    deps.stderr.write(`${faultLines(report).join("\n")}\n`);
    deps.exit(1);
    return;
  }
  const text = options.json ? JSON.stringify(report) : summaryLines(report, request.dry_run).join("\n");
  deps.stdout.write(`${text}\n`);
  if (!complete(report)) deps.exit(1);
};

const HELP = `
FILE is Apple's export.zip or export.xml, the Health Auto Export app's JSON, a native batch as JSON, or any of these as NDJSON,
one a line. What it is is told by its content. The zone is that of samples which carry none; without it they are dated in UTC.
An import that was interrupted goes on where it stopped when the same command is given within a day.
Exit code 1: a file or line could not be read, or samples were refused; everything else was taken.`;

/** `health-sync import FILE… --athlete ID`. */
export const importCommand = (deps: ImportCommandDeps): Command =>
  new Command("import")
    .description("read exports and batches from files through the ingest stage")
    .argument("<files...>")
    .requiredOption("--athlete <id>", "whose data it is", athlete)
    .option("--time-zone <zone>", "the zone of samples that carry none", zone)
    .option("--wait", "return only once staging, panes and metrics are durable")
    .option("--again", "send everything, also what an interrupted import has sent")
    .option("--dry-run", "read and check everything, send nothing")
    .option("--json", "print the report as JSON")
    .addHelpText("after", HELP)
    .action((files: string[], options: Options) => runImport(files, options, deps));
