import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { specifiersOf } from "../../support/architecture.ts";

const FOLDER = new URL("../../support/audit/", import.meta.url);
/** What the auditor may stand on: Node, drivers of its own, and itself. Nothing of src/, so that no mistake is shared. */
const ALLOWED = /^(?:node:[a-z/_]+|\.\/[a-z-]+\.ts|pg|kafkajs|avsc|@aws-sdk\/client-s3|@duckdb\/node-api)$/;

test("the auditor imports nothing of the product", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const found = specifiersOf(readFileSync(new URL(file, FOLDER), "utf8"));
    expect(found.filter((name) => !ALLOWED.test(name))).toEqual([]);
  }
});

test("an import of a stage or of the domain would be found", () => {
  const planted = `import { stepsMerge } from "../../../src/domain/steps-merge.ts";\nawait import("../../src/app.ts");`;
  expect(specifiersOf(planted).filter((name) => !ALLOWED.test(name))).toHaveLength(2);
});
