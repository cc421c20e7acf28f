import { Command } from "commander";
import { Refusal, wayOut } from "../flow/positions.ts";
import * as option from "./replay-options.ts";
import { type Asked, type ReplayPlan, namesBeginning } from "./replay-plan.ts";
import type { ReplayPreview } from "./replay-preview.ts";
import { previewLines } from "./replay-preview.ts";
import type { ReplayEnd, ReplayStatus } from "./replay-run.ts";
import { type ReplayProgress, ReplayRefused } from "./replay-store.ts";
import { endLines, listLines, planLines, progressLine } from "./replay-text.ts";

export type ReplayPorts = {
  plan: (asked: Asked) => Promise<ReplayPlan>;
  note: (asked: Asked, what: { plan: ReplayPlan; rate: number | null }) => Promise<string>;
  run: (id: string, onProgress: (status: ReplayStatus) => void) => Promise<ReplayEnd>;
  preview: (asked: Asked, plan: ReplayPlan, onProgress: (line: string) => void) => Promise<ReplayPreview>;
  list: () => Promise<ReplayProgress[]>;
  set: (id: string, state: "paused" | "cancelled") => Promise<void>;
  now: () => number;
  close: () => Promise<void>;
};

export type ReplayCommandDeps = {
  open: () => Promise<ReplayPorts>;
  print: (line: string) => void;
  stderr: { write(text: string): unknown; isTTY?: boolean };
  /** Told 1 where not everything that was asked for was done. */
  exit: (code: number) => void;
};

/** One line that is written over, on a terminal only. */
const ticker = (stderr: ReplayCommandDeps["stderr"]) => {
  let shown = false;
  return {
    show: (line: string): void => {
      if (!stderr.isTTY) return;
      shown = true;
      stderr.write(`\r\u001B[K${line}`);
    },
    end: (): void => {
      if (shown) stderr.write("\r\u001B[K");
    },
  };
};

/** A position that is gone from the log is no reason to move it: what was removed cannot be replayed. */
const stoppedText = (id: string, cause: unknown): string => {
  const text = cause instanceof Error ? cause.message.replace(`; ${wayOut}`, "") : String(cause);
  return cause instanceof Refusal
    ? `replay ${id} stopped: ${text}. Cancel it, and replay what is left with another one`
    : `replay ${id} stopped: ${text}. \`health-sync replay resume ${id}\` goes on from where it was`;
};

const finish = async (deps: ReplayCommandDeps, ports: ReplayPorts, id: string): Promise<ReplayEnd> => {
  const line = ticker(deps.stderr);
  try {
    return await ports.run(id, (status) => line.show(progressLine(status)));
  } catch (cause) {
    if (cause instanceof ReplayRefused) throw cause;
    throw new Error(stoppedText(id, cause), { cause });
  } finally {
    line.end();
  }
};

const start = async (deps: ReplayCommandDeps, ports: ReplayPorts, options: option.ReplayOptions): Promise<void> => {
  const asked = option.askedOf(options);
  const plan = await ports.plan(asked);
  const say = (lines: readonly string[]): void => {
    if (!options.json) for (const line of lines) deps.print(line);
  };
  say(planLines(plan));
  if (namesBeginning(asked) && plan.missing.length > 0) deps.exit(1);
  if (options.dryRun) {
    const line = ticker(deps.stderr);
    const preview = await ports.preview(asked, plan, line.show).finally(line.end);
    say(previewLines(preview));
    if (options.json) deps.print(JSON.stringify({ dry_run: true, ...plan, ...preview }));
    return;
  }
  if (plan.ranges.length === 0) {
    say(["nothing to replay"]);
    if (options.json) deps.print(JSON.stringify({ outcome: "done", ...plan, done: 0, total: 0, tally: {} }));
    return;
  }
  const id = await ports.note(asked, { plan, rate: options.rate ?? null });
  say([`replay ${id} (pause, resume and cancel it by this id)`]);
  const end = await finish(deps, ports, id);
  say(endLines(end));
  if (options.json) deps.print(JSON.stringify({ outcome: end.outcome, ...plan, ...end.status }));
  if (end.outcome !== "done") deps.exit(1);
};

const HELP = `
A replay applies records of the input topics again, beside live traffic, under positions of its own. Nothing changes where
rules and settings are the same; locked values and erased athletes stay as they are. Where it ends is fixed at the start.
Records are chunks of up to 500 samples. Ctrl-C pauses it. Examples:
  health-sync replay --athlete anna --metric heart_rate --dry-run
  health-sync replay --since 2026-11-20T06:00:00Z --until 2026-11-21 --rate 50
  health-sync replay --from-offset samples/3=120 --to-offset samples/3=200`;

/** `health-sync replay [pause|resume|cancel|list]`. Exit code 0 when everything asked for was replayed. */
export const replayCommand = (deps: ReplayCommandDeps): Command => {
  const opened = async (work: (ports: ReplayPorts) => Promise<void>): Promise<void> => {
    const ports = await deps.open();
    try {
      await work(ports);
    } finally {
      await ports.close();
    }
  };
  const setting = (name: string, state: "paused" | "cancelled", about: string): Command =>
    new Command(name)
      .description(about)
      .argument("<id>")
      .option("--json", "print JSON")
      .action((id: string, { json }: { json?: true }) =>
        opened(async (ports) => {
          await ports.set(id, state);
          deps.print(json ? JSON.stringify({ id, state }) : `replay ${id} is ${state}`);
        }),
      );
  const resume = new Command("resume")
    .description("go on with a paused replay, or one whose process has died")
    .argument("<id>")
    .option("--json", "print JSON")
    .action((id: string, { json }: { json?: true }) =>
      opened(async (ports) => {
        const end = await finish(deps, ports, id);
        for (const line of json ? [JSON.stringify({ outcome: end.outcome, ...end.status })] : endLines(end)) {
          deps.print(line);
        }
        if (end.outcome !== "done") deps.exit(1);
      }),
    );
  const list = new Command("list")
    .description("replays, newest first, and how far they are")
    .option("--json", "print JSON")
    .action(({ json }: { json?: true }) =>
      opened(async (ports) => {
        const replays = await ports.list();
        for (const line of json ? [JSON.stringify({ replays })] : listLines(replays, ports.now())) deps.print(line);
      }),
    );
  // Options after a subcommand are that one's.
  return selectable(new Command("replay").enablePositionalOptions())
    .description("run staging over records of the input topics again")
    .option("--rate <records>", "at most so many records a second", option.rateOption)
    .option("--dry-run", "only say what would change")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action((options: option.ReplayOptions) => opened((ports) => start(deps, ports, options)))
    .addCommand(setting("pause", "paused", "let it rest; its position is kept"))
    .addCommand(resume)
    .addCommand(setting("cancel", "cancelled", "end it for good"))
    .addCommand(list);
};

const selectable = (command: Command): Command =>
  command
    .option("--topic <topics>", "samples, sleep, backfill (all)", option.topicsOption)
    .option("--since <time>", "records that the broker took at this time or later", option.instantOption)
    .option("--until <time>", "and before this one", option.instantOption)
    .option("--from-offset <places>", "like samples/3=120: of these topic partitions only", option.offsetsOption)
    .option("--to-offset <places>", "up to and without this offset", option.offsetsOption)
    .option("--athlete <ids>", "of these athletes only", option.athletesOption)
    .option("--metric <keys>", "of these metrics only", option.metricsOption);
