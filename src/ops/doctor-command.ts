import { Command } from "commander";
import { type Examination, type Examined, examineAll } from "./doctor.ts";

const SIGNS = { fine: "✓", odd: "!", bad: "✗" } as const;

const lineOf = ({ part, state, says, advice }: Examined): string =>
  `${SIGNS[state]} ${part.padEnd(10)} ${says}${advice === undefined ? "" : `\n  ${" ".repeat(10)} → ${advice}`}`;

/** `health-sync doctor`. Exit code 1 when something is bad. */
export const doctorCommand = (deps: {
  print: (line: string) => void;
  open: () => Promise<{ all: Examination[]; close(): Promise<void> }>;
  exit: (code: number) => void;
}): Command =>
  new Command("doctor")
    .description("is everything reachable and sane, and what to do if not; changes nothing but an object of its own")
    .option("--json", "print the findings as JSON")
    .action(async (options: { json?: true }) => {
      const opened = await deps.open();
      try {
        const found = await examineAll(opened.all, (one) => options.json ?? deps.print(lineOf(one)));
        const healthy = found.every(({ state }) => state !== "bad");
        if (options.json) deps.print(JSON.stringify({ healthy, findings: found }));
        deps.exit(healthy ? 0 : 1);
      } finally {
        await opened.close();
      }
    });
