import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";

/** Directory of this package, found upward so that it holds both unbuilt (`stack/`) and compiled (`dist/stack/`). */
export const packageRoot: string = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  for (let dir = from; dirname(dir) !== dir; dir = dirname(dir)) {
    const manifest = join(dir, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "health-sync") return dir;
  }
  throw new Error(`no package.json of health-sync above ${from}`);
}

/** `.cache/` of the checkout; of the user when installed, because what lies under node_modules is not ours to keep. */
function cacheRoot(): string {
  if (!packageRoot.includes(`${sep}node_modules${sep}`)) return join(packageRoot, ".cache");
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "health-sync");
}

/** Where fetched artifacts are kept; `HEALTH_SYNC_CACHE` lets several checkouts share them. */
export function artifactsDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["HEALTH_SYNC_CACHE"] || cacheRoot(), "artifacts");
}

/** Holds one directory a stack, with its state file; `HEALTH_SYNC_CACHE` does not move it. */
export function stacksDir(): string {
  return join(cacheRoot(), "stack");
}

/** @throws when the name could leave the directory or clash with another system's naming rules. */
export function stackDir(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) {
    throw new Error(`stack name ${JSON.stringify(name)}: use up to 31 lower-case letters, digits and dashes`);
  }
  return join(stacksDir(), name);
}
