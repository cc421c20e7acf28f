import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import { openFile } from "../../../src/ingest/apple-export/open-export.ts";

test("a file that nobody reads after all may go away at once: an upload refused for its content ends no process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "health-sync-open-"));
  for (let n = 0; n < 20; n += 1) {
    const path = join(folder, `${n}.json`);
    writeFileSync(path, `{"samples": []}`);
    const content = await openFile(path);
    expect(content.kind).toBe("json");
    // The stream opens its file later: by then it is gone, and an error that nobody listens to would end the process.
    rmSync(path);
    content.close();
    expect((content.stream as Readable).destroyed).toBe(true);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  rmSync(folder, { recursive: true });
});
