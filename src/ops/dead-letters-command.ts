import { Command, InvalidArgumentError } from "commander";
import { isUuid } from "../domain/ids.ts";
import { athleteArgument } from "./athlete-argument.ts";
import type { LetterFilter } from "./dead-letters.ts";
import { countLetters, listLetters, readLetter } from "./dead-letters.ts";
import { type RetryDeps, retryLetters } from "./dead-letters-retry.ts";
import { letterLines, listLines, payloadText, retryLines } from "./dead-letters-text.ts";
import { instantOption } from "./replay-options.ts";

type Opened = RetryDeps & { close(): Promise<void> };
export type DeadLettersCommandDeps = {
  open: () => Promise<Opened>;
  print: (line: string) => void;
  stderr: { write(text: string): unknown; isTTY?: boolean };
  /** Told 1 where not everything that was asked for was done. */
  exit: (code: number) => void;
};

type FilterOptions = { reason?: string; athlete?: string; since?: number; until?: number; all?: true; json?: true };
type ListOptions = FilterOptions & { limit: number; after?: string };
type RetryOptions = Omit<FilterOptions, "all"> & { dryRun?: true };

const idArgument = (text: string): string => {
  if (isUuid(text)) return text.toLowerCase();
  throw new InvalidArgumentError("the id of a dead letter, as `deadletters list` shows it");
};
const idsArgument = (text: string, before: string[] = []): string[] => [...before, idArgument(text)];

const limitOption = (text: string): number => {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("1 to 9999");
};

const filterOf = ({ reason, athlete, since, until, all }: FilterOptions): LetterFilter => ({
  reason: reason ?? null,
  athlete: athlete ?? null,
  since: since ?? null,
  until: until ?? null,
  retried: all ?? false,
});

const filtered = (command: Command): Command =>
  command
    .option("--reason <reason>", "of this reason only, for instance out_of_range")
    .option("--athlete <id>", "of this athlete only", athleteArgument)
    .option("--since <time>", "first seen at this time or later", instantOption)
    .option("--until <time>", "and before this one", instantOption)
    .option("--json", "print JSON");

const list = async (deps: DeadLettersCommandDeps, { db }: Opened, options: ListOptions): Promise<void> => {
  const filter = filterOf(options);
  const found = await listLetters(db, filter, { after: options.after ?? null, limit: options.limit + 1 });
  const letters = found.slice(0, options.limit);
  const counts = await countLetters(db, filter);
  const more = found.length > options.limit;
  const lines = options.json ? [JSON.stringify({ letters, counts, more })] : listLines(letters, { counts, more });
  for (const line of lines) deps.print(line);
};

const retry = async (
  deps: DeadLettersCommandDeps,
  opened: Opened,
  wanted: { ids: readonly string[]; options: RetryOptions },
): Promise<void> => {
  const { ids, options } = wanted;
  const { reason, athlete, since, until } = options;
  const filters = [reason, athlete, since, until].filter((filter) => filter !== undefined);
  if (ids.length === 0 && filters.length === 0) {
    throw new Error("say which: ids, or --reason, --athlete, --since, --until");
  }
  if (ids.length > 0 && filters.length > 0) throw new Error("give ids or filters, not both");
  const dryRun = options.dryRun ?? false;
  const report = await retryLetters(opened, ids.length > 0 ? ids : filterOf(options), {
    dryRun,
    onProgress: ({ tried, accepted }) => {
      if (deps.stderr.isTTY) deps.stderr.write(`\r\u001B[K${tried} tried, ${accepted} went through`);
    },
  });
  if (deps.stderr.isTTY) deps.stderr.write("\r\u001B[K");
  const lines = options.json ? [JSON.stringify({ dry_run: dryRun, ...report })] : retryLines(report, dryRun);
  for (const line of lines) deps.print(line);
  if (report.left.length > 0) deps.exit(1);
};

const RETRY_HELP = `
An entry of a batch or an import goes through the same door, as a batch of its own that counts as received when the first
one was. A record of a topic is read again, and written to its topic once it can be read. What goes through is marked; what
is refused again stays, with one try more. Exit code 0: everything asked for went through.`;

/** `health-sync deadletters list|show|retry`. */
export const deadLettersCommand = (deps: DeadLettersCommandDeps): Command => {
  const opened = async (work: (opened: Opened) => Promise<void>): Promise<void> => {
    const ports = await deps.open();
    try {
      await work(ports);
    } finally {
      await ports.close();
    }
  };
  return new Command("deadletters")
    .description("what was refused, why, and another try")
    .addCommand(
      filtered(new Command("list"))
        .description("oldest first; those that went through on another try are left out")
        .option("--all", "those too")
        .option("--limit <number>", "letters a page", limitOption, 50)
        .option("--after <id>", "the page after this letter", idArgument)
        .action((options: ListOptions) => opened((ports) => list(deps, ports, options))),
    )
    .addCommand(
      new Command("show")
        .description("one letter with its payload: what was sent, so handle it as health data")
        .argument("<id>", "which", idArgument)
        .option("--json", "print JSON")
        .action((id: string, { json }: { json?: true }) =>
          opened(async ({ db }) => {
            const letter = await readLetter(db, id);
            const lines = json ? [JSON.stringify({ ...letter, ...payloadText(letter.payload) })] : letterLines(letter);
            for (const line of lines) deps.print(line);
          }),
        ),
    )
    .addCommand(
      filtered(new Command("retry"))
        .description("send letters through the same door again, by id or by filter")
        .argument("[ids...]", "which", idsArgument)
        .option("--dry-run", "only say what would go through")
        .addHelpText("after", RETRY_HELP)
        .action((ids: string[], options: RetryOptions) => opened((ports) => retry(deps, ports, { ids, options }))),
    );
};
