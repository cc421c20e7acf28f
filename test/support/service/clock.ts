import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Env } from "./processes.ts";

/** A clock that can be set wrong, for the processes that are started with `env`. */
export type WrongClock = { env: Env; set(byMs: number): void };

const PRELOADED = new URL("shifted-clock.ts", import.meta.url).href;

export const wrongClock = (): WrongClock => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-clock-")), "shift");
  const set = (byMs: number): void => {
    writeFileSync(`${file}.new`, String(byMs));
    renameSync(`${file}.new`, file);
  };
  set(0);
  return { env: { NODE_OPTIONS: `--import=${PRELOADED}`, CLOCK_SHIFT_FILE: file }, set };
};
