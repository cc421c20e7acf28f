import * as fc from "fast-check";
import { expect, test } from "vitest";
import { resolveCopies } from "../../src/domain/copies.ts";
import { type InterpretInput, interpret } from "../../src/domain/interpret.ts";
import { rezone } from "../../src/domain/rezone.ts";
import type { AthleteSettings, Sample } from "../../src/domain/sample.ts";
import { aSample, at, digest, sent } from "./make.ts";

const read = (input: InterpretInput): Sample => {
  const result = interpret(input);
  return result.kind === "ok" ? result.value : expect.fail(result.kind);
};

const moment = (start: string, over: Parameters<typeof sent>[0] = {}): InterpretInput =>
  sent({ start_at: at(start), end_at: at(start), received_at: at("2026-04-30T00:00:00Z"), ...over });

const zones = (...history: [from: string, zone: string][]): AthleteSettings => ({
  zones: history.map(([from, zone]) => ({ from: at(from), zone })),
  source_order: {},
});
const NONE = zones();
const TOKYO = zones(["2000-01-01T00:00:00Z", "Asia/Tokyo"]);

test("a zone set after the fact moves a sample to another date; taking it back moves it home", () => {
  const input = moment("2026-03-10T20:00:00Z", { batch_time_zone: "Europe/Amsterdam" });
  const home = read(input);
  expect(home).toMatchObject({ tz: "Europe/Amsterdam", local_date: "2026-03-10" });
  const moved = rezone(home, TOKYO);
  expect(moved).toMatchObject({ tz: "Asia/Tokyo", local_date: "2026-03-11", attributes: { tz_source: "athlete" } });
  expect(rezone(moved, NONE)).toEqual(home);
});

test("without any evidence a sample is in UTC, flagged, until the athlete says where they were", () => {
  const lost = read(sent({ batch_time_zone: null }));
  expect(lost.attributes).toMatchObject({ tz_source: "utc", flags: ["zone_assumed"] });
  const found = rezone(lost, TOKYO);
  expect(found.attributes.flags).toBeUndefined();
  expect(rezone(found, NONE)).toEqual(lost);
});

test("the history counts from its first entry on, each entry until the next", () => {
  const history = zones(["2026-03-10T00:00:00Z", "Asia/Kathmandu"], ["2026-03-11T00:00:00Z", "Australia/Eucla"]);
  const zoneOn = (start: string): string => rezone(read(moment(start, { batch_time_zone: "UTC" })), history).tz;
  expect(["2026-03-09T23:59:59Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"].map(zoneOn)).toEqual([
    "UTC",
    "Asia/Kathmandu",
    "Australia/Eucla",
  ]);
});

test("a zone stated for the sample itself stays, and so does a sample without evidence", () => {
  const stated = read(sent({ time_zone: "America/New_York" }));
  expect(rezone(stated, TOKYO)).toBe(stated);
  const bare = aSample({ attributes: {} });
  expect(rezone(bare, TOKYO)).toBe(bare);
});

test("nothing new is the same object: a day that did not change is not written", () => {
  const sample = rezone(read(sent({ batch_time_zone: "UTC" })), TOKYO);
  expect(rezone(sample, TOKYO)).toBe(sample);
});

const copies = (settings: AthleteSettings): Sample[] =>
  resolveCopies(
    ["2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z"].map((start) => read(moment(start, { settings }))),
    digest,
  );

test("a renamed copy keeps its marks behind what its reading gave, as if it had been read in that zone", () => {
  expect(copies(TOKYO).map((copy) => rezone(copy, NONE))).toEqual(copies(NONE));
});

test("a batch's zone that is none was harmless beside the athlete's own; without that it counts as absent", () => {
  const sample = read(sent({ batch_time_zone: "Mars/Phobos", settings: TOKYO }));
  expect(rezone(sample, NONE)).toMatchObject({ tz: "UTC", attributes: { tz_source: "utc", flags: ["zone_assumed"] } });
});

const ZONES = [
  "UTC",
  "Europe/Amsterdam",
  "Asia/Kathmandu",
  "Pacific/Kiritimati",
  "Pacific/Pago_Pago",
  "+05:30",
  "GMT-3",
];
const FROM = at("2026-03-01T00:00:00Z");
const instant = fc.integer({ min: FROM, max: FROM + 30 * 86_400_000 });
const someZone = fc.constantFrom(...ZONES);
const settings: fc.Arbitrary<AthleteSettings> = fc
  .uniqueArray(fc.record({ from: instant, zone: someZone }), { maxLength: 4, selector: ({ from }) => from })
  .map((history) => ({ zones: history.toSorted((a, b) => a.from - b.from), source_order: {} }));
const optional = fc.option(someZone, { nil: null });
const hkZone = fc.constantFrom(null, `{"HKTimeZone":"Asia/Tokyo"}`, `{"HKTimeZone":"Atlantis"}`);

test("reading under one history and moving to another is reading under the other", () => {
  const evidence = fc.record({
    start_at: instant,
    batch: optional,
    time_zone: fc.option(someZone, { nil: null, freq: 1 }),
    metadata: hkZone,
  });
  fc.assert(
    fc.property(evidence, settings, settings, ({ start_at, batch, time_zone, metadata }, before, after) => {
      const input = sent({
        start_at,
        end_at: start_at,
        batch_time_zone: batch,
        time_zone,
        metadata,
        received_at: FROM + 60 * 86_400_000,
      });
      const [first, second] = [before, after].map((one) => read({ ...input, settings: one })) as [Sample, Sample];
      expect(rezone(first, after)).toEqual(second);
    }),
  );
});
