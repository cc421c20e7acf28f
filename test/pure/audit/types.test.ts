import * as fc from "fast-check";
import { expect, test } from "vitest";
import { METRICS } from "../../../src/domain/catalogue.ts";
import { interpret } from "../../../src/domain/interpret.ts";
import { allTypes, typeOf, valueOf } from "../../support/audit/types.ts";
import { sent } from "../../domain/make.ts";

/** Two tables of one page of the specification, written by two hands. */
const cases = METRICS.flatMap(({ type, aliases, units, hard: [low, high] }) => {
  const names = [type, ...aliases.filter((alias) => typeOf(alias) !== undefined)];
  // In the middle of what is taken, in canonical units.
  const [from, to] = [Math.max(low, 0), Math.min(high, 100)];
  const named = [...units].filter(([unit]) => unit !== "");
  return names.flatMap((name) => named.map(([unit, convert]) => ({ name, unit, convert, middle: (from + to) / 2 })));
});

/** What of a unit is about `wanted` canonical ones: conversions are lines through two points. */
const valueFor = (convert: (value: number) => number, wanted: number): number => {
  const [zero, slope] = [convert(0), convert(1) - convert(0)];
  return (wanted - zero) / slope;
};

test("every type has one key and one unit in both tables", () => {
  for (const { type, key, unit } of METRICS)
    expect([type, typeOf(type)?.metric, typeOf(type)?.unit]).toEqual([type, key, unit]);
  const known = new Set(METRICS.flatMap(({ type, aliases }) => [type, ...aliases]));
  expect([...allTypes().keys()].filter((type) => !known.has(type))).toEqual([]);
});

test("every unit that is taken has one meaning in both tables", () => {
  expect(cases.length).toBeGreaterThan(300);
  const wrong = cases.filter(({ name, unit, convert, middle }) => {
    const value = valueFor(convert, middle);
    const result = interpret(sent({ type: name, unit, value }));
    const stored = result.kind === "ok" ? result.value.value : Number.NaN;
    const type = typeOf(name);
    const own = type && valueOf(type, { value, unit, start_at: 0, end_at: 0, metadata: {} });
    return !(Math.abs(stored - (own ?? Number.NaN)) <= 1e-6 * Math.abs(stored));
  });
  expect(wrong.map(({ name, unit }) => `${name} in ${unit}`)).toEqual([]);
});

test("a series of beats has one RMSSD by both readings, or by neither", () => {
  const beats = fc
    .array(fc.record({ rr: fc.integer({ min: 280, max: 1100 }), gap: fc.boolean(), calm: fc.boolean() }), {
      minLength: 60,
      maxLength: 90,
    })
    .map((all) => {
      let at = 0;
      let last = 800;
      return all.map(({ rr, gap, calm }): [number, boolean] => {
        last = calm ? Math.min(1900, Math.max(280, last + (rr % 80) - 40)) : rr;
        at += last;
        return [at / 1000, gap && rr % 7 === 0];
      });
    });
  const type = "HKDataTypeIdentifierHeartbeatSeries";
  fc.assert(
    fc.property(beats, (list) => {
      const metadata = { beats: list };
      const result = interpret(sent({ type, unit: null, value: 0, metadata: JSON.stringify(metadata) }));
      const own = typeOf(type);
      const value = own && valueOf(own, { value: 0, unit: null, start_at: 0, end_at: 0, metadata });
      const found = result.kind === "ok" ? result.value.value : undefined;
      expect(Math.abs((found ?? -1) - (value ?? -1))).toBeLessThan(1e-6);
    }),
    { numRuns: 500 },
  );
});
