import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** Exact text of a file below the checkout, and what shall stand there instead. */
export type Patch = { file: string; find: string; replace: string };

/** The service of a test has few topic partitions, and their number stays for life. */
export const FEW_PARTITIONS: readonly Patch[] = readdirSync(join(ROOT, "topics")).map((file) => ({
  file: `topics/${file}`,
  find: `"partitions": ${(JSON.parse(readFileSync(join(ROOT, "topics", file), "utf8")) as { partitions: number }).partitions}`,
  replace: '"partitions": 3',
}));

/** Another build of the product: run by its own `main`. */
export type Build = { main: string; drop(): void };

/** All that `serve` loads. */
const PARTS = ["src", "stack", "bench", "avro", "topics", "migrations", "docs", "package.json"];

/** Throws when a text to change is not there exactly once. */
export const applyPatches = (folder: string, patches: readonly Patch[]): void => {
  for (const { file, find, replace } of patches) {
    const text = readFileSync(join(folder, file), "utf8");
    const found = text.split(find).length - 1;
    if (found !== 1)
      throw new Error(`${file} has ${found} times, not once, the text that a broken build changes: ${find}`);
    writeFileSync(
      join(folder, file),
      text.replace(find, () => replace),
    );
  }
};

/**
 * A copy of this checkout in a folder of its own with these changes and added files, so that the product needs no hooks
 * for them. Throws when a text to change is not there exactly once: then the patch has to follow the source.
 */
export const patchedBuild = (patches: readonly Patch[], added: Readonly<Record<string, string>> = {}): Build => {
  const folder = mkdtempSync(join(tmpdir(), "health-sync-build-"));
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  applyPatches(folder, patches);
  for (const [file, text] of Object.entries(added)) writeFileSync(join(folder, file), text);
  return { main: join(folder, "src", "main.ts"), drop: () => rmSync(folder, { recursive: true, force: true }) };
};
