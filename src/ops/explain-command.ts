import { Command, InvalidArgumentError } from "commander";
import type { ValueSource } from "../domain/explain/effective.ts";
import type { Explanation } from "../domain/explain/explanation.ts";
import type { NightExplanation } from "../domain/explain/night.ts";
import { isLocalDate } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import { athleteArgument } from "./athlete-argument.ts";
import { nightLines } from "./explain-sleep-text.ts";
import { explanationLines } from "./explain-text.ts";

const SOURCES: readonly ValueSource[] = ["apple_health", "derived", "manual"];

type Asked = { athlete_id: string; date: LocalDate; metric: string; source: ValueSource | null };
type Deps = {
  print: (line: string) => void;
  open: () => Promise<{
    explain(asked: Asked): Promise<Explanation>;
    explainSleep(asked: Pick<Asked, "athlete_id" | "date">): Promise<NightExplanation[]>;
    close(): Promise<void>;
  }>;
};

/** Stands where a metric does, for the sessions of a date. */
const SLEEP = "sleep";

const dateArgument = (text: string): LocalDate => {
  if (isLocalDate(text)) return text;
  throw new InvalidArgumentError("write a local date like 2026-11-21");
};

const sourceArgument = (text: string): ValueSource => {
  const found = SOURCES.find((source) => source === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`choose from ${SOURCES.join(", ")}`);
};

/** `health-sync explain ATHLETE DATE METRIC [SOURCE]`: how a number came about, or (`sleep`) the sessions of a date. Needs Postgres alone. */
export const explainCommand = (deps: Deps): Command =>
  new Command("explain")
    .description("how a daily value came about: rule, inputs, sources used and set aside, whose value counts, edits")
    .argument("<athlete>", "whose value", athleteArgument)
    .argument("<date>", "local date, like 2026-11-21", dateArgument)
    .argument("<metric>", "athlete metric, like resting_hr; sleep: the sessions that end on the date")
    .argument("[source]", "apple_health, derived or manual; absent: the value that counts", sourceArgument)
    .option("--json", "print the explanation as JSON")
    .action(async (...args: [string, LocalDate, string, ValueSource | undefined, { json?: true }]) => {
      const [athlete_id, date, metric, source, { json }] = args;
      const opened = await deps.open();
      try {
        if (metric === SLEEP) {
          const sessions = await opened.explainSleep({ athlete_id, date });
          const told = json ? [JSON.stringify({ athlete_id, date, sessions })] : sessions.flatMap(nightLines);
          for (const line of told) deps.print(line);
          return;
        }
        const explanation = await opened.explain({ athlete_id, date, metric, source: source ?? null });
        for (const line of json ? [JSON.stringify(explanation)] : explanationLines(explanation)) deps.print(line);
      } finally {
        await opened.close();
      }
    });
