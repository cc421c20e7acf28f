import { Command, InvalidArgumentError } from "commander";
import { RULE_NAMES, methodsOf } from "../domain/explain/rules.ts";
import type { Rules } from "../domain/history/rules.ts";
import { isLocalDate } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import { type AthleteDays, type MarkOptions, type Selection, checkInForce } from "./recompute.ts";
import { type RecomputePreview, recomputePreviewLines } from "./recompute-text.ts";
import { athletesOption } from "./replay-options.ts";

export type RecomputePorts = {
  select(selection: Selection): Promise<AthleteDays[]>;
  mark(athleteId: string, selection: Selection, options: MarkOptions): Promise<number>;
  wait(selection: Selection, options: { timeout: number; onProgress: (text: string) => void }): Promise<void>;
  preview(
    of: readonly AthleteDays[],
    selection: Selection,
    onProgress: (text: string) => void,
  ): Promise<RecomputePreview>;
  /** Versions of rules in force. */
  rules: Rules;
  close(): Promise<void>;
};

export type RecomputeDeps = {
  open: () => Promise<RecomputePorts>;
  print: (line: string) => void;
  /** What is going on, on a terminal only. */
  progress: (line: string) => void;
  /** Aborted by the first Ctrl-C: what is marked by then is computed, the rest is not. */
  told: () => AbortSignal;
};

type Options = {
  athlete?: string[];
  allAthletes?: true;
  from?: LocalDate;
  to?: LocalDate;
  rule?: string;
  rate: number;
  wait?: true;
  timeout: number;
  dryRun?: true;
  json?: true;
};

const dateOption = (text: string): LocalDate => {
  if (isLocalDate(text)) return text;
  throw new InvalidArgumentError("write a local date like 2026-11-21");
};

const ruleOption = (text: string): string => {
  if (methodsOf(text).length > 0) return text;
  throw new InvalidArgumentError(`no such rule; choose from ${RULE_NAMES.join(", ")}`);
};

const above0 =
  (what: string) =>
  (text: string): number => {
    const number = Number(text);
    if (Number.isFinite(number) && number > 0) return number;
    throw new InvalidArgumentError(`${what}, over 0`);
  };

const selectionOf = (options: Options): Selection => {
  const { athlete = null, allAthletes, from = null, to = null, rule = null } = options;
  if ((athlete === null) === (allAthletes === undefined))
    throw new RangeError("say whose: either --athlete ID or --all-athletes");
  if (from !== null && to !== null && from > to) throw new RangeError("--from must not be after --to");
  return { athletes: athlete, from, to, rule };
};

const total = (all: readonly AthleteDays[]): number => all.reduce((sum, { days }) => sum + days, 0);

const recompute = async (deps: RecomputeDeps, ports: RecomputePorts, options: Options): Promise<void> => {
  const selection = selectionOf(options);
  if (options.dryRun === undefined) checkInForce(selection, ports.rules);
  const all = await ports.select(selection);
  const figures = { athletes: all.length, days: total(all) };
  const say = (json: Record<string, unknown>, lines: readonly string[]): void => {
    for (const line of options.json ? [JSON.stringify(json)] : lines) deps.print(line);
  };
  if (options.dryRun) {
    const preview = await ports.preview(all, selection, deps.progress);
    say({ dry_run: true, ...figures, ...preview }, recomputePreviewLines(figures, preview));
    return;
  }
  const signal = deps.told();
  let marked = 0;
  for (const { athlete_id } of all) {
    const onProgress = (days: number): void => {
      marked += days;
      deps.progress(`marked ${marked} of ${figures.days} days`);
    };
    await ports.mark(athlete_id, selection, { rate: options.rate, signal, onProgress });
    if (signal.aborted)
      throw new Error(`stopped in ${athlete_id}: ${marked} of ${figures.days} days are marked and will be computed`);
  }
  if (options.wait) await ports.wait(selection, { timeout: options.timeout * 1000, onProgress: deps.progress });
  const state = options.wait ? "computed" : "marked";
  say({ ...figures, marked, state }, [`${marked} days of ${figures.athletes} athletes are ${state}`]);
};

const HELP = `
Days fire again from what is stored: samples are read again as they were sent, by today's rules and settings, then objects,
sleep and metrics follow, and later days that read them. Nothing changes where the result is the same; locked values stay as
they are. Examples:
  health-sync recompute --athlete anna --from 2026-01-01 --dry-run
  health-sync recompute --all-athletes --rule readiness --wait
  health-sync recompute --all-athletes --rule readiness/2 --dry-run     # old and new, before RULES=readiness/2 is set`;

/** `health-sync recompute`: windows fire again from stored data. */
export const recomputeCommand = (deps: RecomputeDeps): Command =>
  new Command("recompute")
    .description("compute days anew from what is stored, after a rule or its reading of samples was corrected")
    .option("--athlete <ids>", "of these athletes", athletesOption)
    .option("--all-athletes", "of everybody")
    .option("--from <date>", "this local date and later", dateOption)
    .option("--to <date>", "up to and with this local date", dateOption)
    .option("--rule <name>", `only days that this rule has to do with: ${RULE_NAMES.join(", ")}`, ruleOption)
    .option("--rate <days>", "mark at most so many days a second", above0("days per second"), 100)
    .option("--wait", "return when they are computed and published")
    .option("--timeout <seconds>", "with --wait: give up after this long", above0("seconds"), 3600)
    .option("--dry-run", "only say what would change: objects, metrics old and new")
    .option("--json", "print the answer as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      const ports = await deps.open();
      try {
        await recompute(deps, ports, options);
      } finally {
        await ports.close();
      }
    });
