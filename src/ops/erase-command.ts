import { Command } from "commander";
import { type EraseDeps, eraseAthlete, planErase } from "./erase.ts";
import { reportLines } from "./erase-report.ts";
import { athleteArgument } from "./athlete-argument.ts";

type Options = { dryRun?: true; yes?: true; json?: true };
type Deps = { print: (line: string) => void; open: () => Promise<EraseDeps & { close(): Promise<void> }> };

/** `health-sync erase ATHLETE`: everything of a person, everywhere, with a report. */
export const eraseCommand = (deps: Deps): Command =>
  new Command("erase")
    .description(
      "remove everything of an athlete, everywhere, for ever; says what, and what topics still hold until when",
    )
    .argument("<athlete>", "whose data", athleteArgument)
    .option("--dry-run", "only say what would be removed")
    .option("--yes", "do it")
    .option("--json", "print the report as JSON")
    .action(async (athlete: string, options: Options) => {
      const opened = await deps.open();
      try {
        const apply = options.dryRun === undefined && options.yes !== undefined;
        const report = apply ? await eraseAthlete(opened, athlete) : await planErase(opened, athlete);
        for (const line of options.json ? [JSON.stringify(report)] : reportLines(report)) deps.print(line);
        if (apply || options.dryRun) return;
        throw new Error("nothing was removed: add --yes to remove it for ever, or --dry-run to only look");
      } finally {
        await opened.close();
      }
    });
