import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "health-sync-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("the packed tarball installs without a build and its command answers", () => {
  run("npm", ["pack", "--silent", "--pack-destination", folder], root);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz")) ?? "";
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run(
    "npm",
    ["install", "--omit=dev", "--omit=optional", "--prefer-offline", "--no-audit", "--no-fund", join(folder, tarball)],
    folder,
  );
  const command = join(folder, "node_modules", ".bin", "health-sync");
  const help = run(process.execPath, [command, "--help"], folder);
  for (const name of ["serve", "import", "migrate", "topics", "token", "wait", "stack", "demo"])
    expect(help).toContain(name);
  expect(run(process.execPath, [command, "serve", "--help"], folder)).toContain("WINDOW_GRACE");
  const dryRun = run(process.execPath, [command, "migrate", "--dry-run", "--json"], folder);
  expect(JSON.parse(dryRun)).toMatchObject({ dry_run: true, ahead: [] });
  const installed = readdirSync(join(folder, "node_modules", "health-sync", "dist"));
  expect(installed).toEqual(expect.arrayContaining(["avro", "migrations", "src", "topics"]));
});
