import { Command } from "commander";

export type DemoOptions = { keep?: true; docker?: boolean };

/** `health-sync demo [FILE…] [--keep]`. */
export const demoCommand = (run: (files: string[], options: DemoOptions) => Promise<void>): Command =>
  new Command("demo")
    .description("bring a stack up, import a real and a generated export, show what came out, clean up")
    .argument("[files...]", "Apple exports of your own instead")
    .option("--keep", "leave everything running and say where")
    .option("--docker", "use Docker or fail")
    .option("--no-docker", "do not use Docker")
    .action(run);
