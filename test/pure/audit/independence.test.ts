import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FOLDER = new URL("../../support/audit/", import.meta.url);
/** What the auditor may stand on: Node, drivers of its own, and itself. Nothing of src/, so that no mistake is shared. */
const ALLOWED = /^(?:node:[a-z/_]+|\.\/[a-z-]+\.ts|pg|kafkajs|avsc|lz4-napi|@aws-sdk\/client-s3|@duckdb\/node-api)$/;

const specifiers = (source: string): string[] =>
  [...source.matchAll(/(?:from|import)\s*\(?\s*["'`]([^"'`]+)["'`]/g)].map((m) => m[1] ?? "");

test("the auditor imports nothing of the product", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const found = specifiers(readFileSync(new URL(file, FOLDER), "utf8"));
    expect(found.filter((name) => !ALLOWED.test(name))).toEqual([]);
  }
});

test("an import of a stage or of the domain would be found", () => {
  const planted = `import { stepsMerge } from "../../../src/domain/steps-merge.ts";\nawait import("../../src/app.ts");`;
  expect(specifiers(planted).filter((name) => !ALLOWED.test(name))).toHaveLength(2);
});
