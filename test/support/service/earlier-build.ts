import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Build, type Patch, applyPatches } from "./build.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

const git = (...args: string[]): string => {
  try {
    return execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (cause) {
    throw new Error("this needs the checkout's history: run `git fetch --unshallow` in a clone that git made", {
      cause,
    });
  }
};

/** The commit before the one that brought the newest file of migrations/. */
const beforeLastMigration = (): string => {
  const newest = readdirSync(join(ROOT, "migrations"))
    .filter((file) => /^\d{4}_/.test(file))
    .toSorted()
    .at(-1);
  const brought = git("log", "--diff-filter=A", "--format=%H", "-1", "--", `migrations/${newest}`);
  return git("rev-parse", "--verify", `${brought}^`);
};

/** The product as it was then, with the dependencies of now. Throws, with what to do, where the history is not there. */
export const earlierBuild = (patches: readonly Patch[]): Build => {
  const folder = mkdtempSync(join(tmpdir(), "health-sync-earlier-"));
  const archive = `${folder}.tar`;
  git("archive", "--output", archive, beforeLastMigration());
  execFileSync("tar", ["-xf", archive, "-C", folder]);
  rmSync(archive);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  applyPatches(folder, patches);
  return { main: join(folder, "src", "main.ts"), drop: () => rmSync(folder, { recursive: true, force: true }) };
};
