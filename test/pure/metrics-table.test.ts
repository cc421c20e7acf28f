import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricsTable } from "../support/metrics-table.ts";

test("docs/metrics.md is what the catalogue says: node test/support/record-metrics-table.ts writes it anew", () => {
  expect(readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8")).toBe(metricsTable());
});
