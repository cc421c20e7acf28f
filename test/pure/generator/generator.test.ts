import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { sendings } from "../../../bench/generator/batches.ts";
import { athlete } from "../../../bench/generator/athlete.ts";
import { ahead, dayOf, midnight } from "../../../bench/generator/calendar.ts";
import { SLEEP } from "../../../bench/generator/night.ts";
import { generatedDay, generatedNight, HEART_RATE, STEP_COUNT } from "../../../bench/generator/day.ts";
import { writeExport } from "../../../bench/generator/export-xml.ts";

const plan = { seed: 4, athletes: 2, days: 12, firstDate: "2026-10-20" };

test("the same seed gives the same batches, another seed others", () => {
  expect(sendings(plan)).toEqual(sendings(plan));
  expect(sendings({ ...plan, seed: 5 })[0]).not.toEqual(sendings(plan)[0]);
});

test("days have the volumes of the spec, two overlapping step sources, and twenty-five hours where the clock goes back", () => {
  const who = athlete(1, 0, "2026-10-20");
  const samples = generatedDay(who, dayOf("2026-10-21"));
  const count = (type: string, product: string): number =>
    samples.filter((s) => s.type === type && s.source.product_type.startsWith(product)).length;
  expect(count(HEART_RATE, "Watch")).toBeGreaterThan(200);
  expect(count(STEP_COUNT, "Watch")).toBeGreaterThan(50);
  expect(count(STEP_COUNT, "iPhone")).toBeGreaterThan(15);
  const watch = samples.filter((s) => s.type === STEP_COUNT && s.source === who.watch);
  const phone = samples.filter((s) => s.type === STEP_COUNT && s.source === who.phone);
  expect(phone.some((p) => watch.some((w) => w.start < p.end && p.start < w.end))).toBe(true);
  const day = dayOf("2026-10-25");
  expect(midnight(day + 1, "Europe/Amsterdam") - midnight(day, "Europe/Amsterdam")).toBe(25 * 3_600_000);
  expect(ahead(midnight(day, "Europe/Amsterdam"), "Europe/Amsterdam")).toBe(2 * 3_600_000);
});

test("nights have their shape: stages on a grid that do not overlap in one source, in bed around them, vitals inside", () => {
  const who = athlete(1, 0, "2026-10-20");
  const nights = Array.from({ length: 60 }, (_, i) => generatedNight(who, dayOf("2026-10-01") + i));
  for (const samples of nights) {
    const stages = samples
      .filter((s) => s.type === SLEEP && s.source === who.watch)
      .toSorted((a, b) => a.start - b.start);
    for (const [i, stage] of stages.entries()) {
      expect(stage.start % 30_000).toBe(0);
      expect(stage.end).toBeGreaterThan(stage.start);
      expect(stage.start).toBeGreaterThanOrEqual(stages[i - 1]?.end ?? 0);
    }
  }
  const all = nights.flat();
  const kinds = new Set(all.filter((s) => s.type === SLEEP).map((s) => `${s.source.name} ${s.value}`));
  for (const value of [2, 3, 4, 5]) expect(kinds).toContain(`${who.watch.name} ${value}`);
  expect(kinds).toContain(`${who.phone.name} 0`);
  expect(kinds).toContain("Sleep App 1");
  expect(new Set(all.map((s) => s.type)).size).toBeGreaterThan(10);
  expect(generatedNight(who, dayOf("2026-10-01"))).toEqual(nights[0]);
});

test("among the batches are repetitions, deletions before their insert and after it, upgrades, travel and bad samples", () => {
  const sent = sendings(plan);
  const ids = sent.map((s) => s.body.batch_id);
  expect(new Set(ids).size).toBeLessThan(ids.length);
  const deletedAt = new Map(sent.flatMap((s, i) => s.body.deleted.map((d) => [d.uuid, i] as const)));
  const order = new Set(
    sent.flatMap((s, i) => s.body.samples.map((sample) => Math.sign((deletedAt.get(sample.uuid) ?? i) - i))),
  );
  expect([...order].toSorted((a, b) => a - b)).toEqual([-1, 0, 1]);
  const samples = sent.flatMap((s) => s.body.samples);
  expect(samples.some((s) => s.metadata["HKTimeZone"] !== undefined)).toBe(true);
  expect(samples.some((s) => s.metadata["HKMetadataKeySyncVersion"] === 2)).toBe(true);
  expect(samples.some((s) => s.uuid === "not-a-uuid")).toBe(true);
});

test("an export is well-formed XML whose records are those that were announced", () => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-generator-")), "export.xml");
  const announced: number[] = [];
  const done = writeExport(file, { seed: 4, firstDate: "2026-03-27", days: 4 }, (s) => announced.push(s.start));
  const found: number[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    const { startDate } = attributes as Record<string, string>;
    if (name !== "Record") return;
    found.push(Date.parse((startDate ?? "").replace(/ ([+-]\d\d)(\d\d)$/, "$1:$2").replace(" ", "T")));
  });
  parser.write(readFileSync(file, "utf8")).close();
  expect(found).toEqual(announced);
  expect(done.days).toBe(4);
});

test("a Watch measures a second once, also where the athlete flies east and the next day begins before the last one's midnight", () => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-generator-")), "export.xml");
  const seconds: number[] = [];
  const { records } = writeExport(file, { seed: 2, firstDate: "2025-10-20", days: 28, sprinkle: true }, (s) => {
    if (s.type === HEART_RATE) seconds.push(s.start);
  });
  expect(records).toBeGreaterThan(seconds.length);
  expect(new Set(seconds).size).toBe(seconds.length);
});
