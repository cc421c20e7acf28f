import { expect, test } from "vitest";
import type { MonthDay } from "../../../bench/month.ts";
import { growthOf, monthText } from "../../../bench/month-text.ts";

const month = (staged: (day: number) => number, index_mb = (): number => 0.5): MonthDay[] =>
  Array.from({ length: 30 }, (_, n) => ({
    date: `2026-10-${String(n + 1).padStart(2, "0")}`,
    athletes: 4,
    sent: 2_400,
    staged: staged(n),
    most: 800,
    table_mb: 1,
    index_mb: index_mb(),
    dead: 0,
    stored: n * 2_400,
    seconds: 9,
  }));

test("a staging that holds about a day whatever the day is flat, and one that keeps rows is not", () => {
  expect(growthOf(month((n) => 2_400 + 100 * (n % 3))).flat).toBe(true);
  expect(growthOf(month((n) => 2_400 + 100 * n)).flat).toBe(false);
  expect(monthText(month((n) => 2_400 + 100 * n))).toContain("NOT FLAT");
});

test("a month whose days become larger is flat while staging holds about a day and no more room than its largest", () => {
  const days = month(() => 2_400).map((day, n) => ({ ...day, sent: 800 + 100 * n, staged: 800 + 100 * n }));
  const grown = days.map((day, n) => ({ ...day, table_mb: 1 + n / 8, index_mb: 0.5 + n / 16 }));
  expect(growthOf(grown)).toMatchObject({ rows: 1, flat: true });
  expect(growthOf(grown.map((day, n) => ({ ...day, table_mb: 1 + n * n }))).flat).toBe(false);
});

test("indexes that swell under the same rows are not flat", () => {
  let mb = 0.5;
  const { rows, indexes, flat } = growthOf(
    month(
      () => 2_400,
      () => (mb *= 1.1),
    ),
  );
  expect([rows, flat]).toEqual([1, false]);
  expect(indexes).toBeGreaterThan(2);
});

test("a line a day: rows an athlete, and bytes of table and indexes for each sample of the day", () => {
  const [head = "", first = ""] = monthText(month(() => 2_400)).split("\n");
  expect(head).toMatch(/staged +rows an athlete +most/);
  expect(first).toMatch(/^2026-10-01 +2,400 +2,400 +600 +800 +1 +0\.5 +625 /);
});
