import { Command, InvalidArgumentError } from "commander";

export const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
};

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

export type Common = { stack?: string; json?: true };

/** Options that every benchmark but the import's has. */
export const benchmark = (name: string, about: string): Command =>
  new Command(name)
    .description(about)
    .option("--stack <name>", "use this stack, brought up where it is not, and leave it up; absent: one of its own")
    .option("--json", "print JSON");

export const printed = <Figures>(json: true | undefined, figures: Figures, text: (figures: Figures) => string): void =>
  void process.stdout.write(`${json ? JSON.stringify(figures, null, 2) : text(figures)}\n`);

export type RoundsOptions = Common & { rounds: number; seed: number };

export const rounds = (command: Command): Command =>
  command
    .option("--rounds <n>", "of all contenders in turn; the first round besides is not counted", number, 5)
    .option("--seed <n>", "of the generator", number, 1);
