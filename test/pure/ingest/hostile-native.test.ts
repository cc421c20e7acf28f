import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { decideBatch } from "../../../src/ingest/decide.ts";
import { readClaim, type ReconcileBody, reconcileSchema } from "../../../src/ingest/reconcile.ts";
import { bodyValidator } from "../../../src/io/http-validate.ts";
import { RECEIVED_AT } from "../../support/ingest/doors.ts";
import * as hostile from "../../support/ingest/hostile.ts";

const { casesOf, TIMES, NUMBERS, UNITS, ENTRIES, TEXTS, TYPES } = hostile;

const DATE = "2026-11-20T08:00:00Z";
const sample = (more: object) => ({
  uuid: "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11",
  type: "HKQuantityTypeIdentifierHeartRate",
  start: DATE,
  end: DATE,
  value: 57,
  unit: "count/min",
  source: { name: "W" },
  ...more,
});

const IDS: hostile.Bad = [
  ["nothing", null, /^missing_uuid$/],
  ["empty text", "", /^missing_uuid$/],
  ["words", "my sample", /^bad_uuid$/],
  ["a number", 7, /^bad_uuid$/],
  ["a list", [], /^bad_uuid$/],
  ["a digit too many", "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a110", /^bad_uuid$/],
  ["a letter that is no digit", "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a1g", /^bad_uuid$/],
  ["braces", "{4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11}", /^bad_uuid$/],
  ["a null character", "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a1\u0000", /^bad_uuid$/],
];

const NATIVE: hostile.Case[] = [
  ...casesOf("a start", TIMES, "samples[0].start", (start) => sample({ start, end: start })),
  ...casesOf("a value", NUMBERS, "samples[0].value", (value) => sample({ value })),
  ...casesOf("a unit", UNITS, "samples[0].unit", (unit) => sample({ unit })),
  ...casesOf("a sample", ENTRIES, "samples[0]", (entry) => entry),
  ...casesOf("a source's name", TEXTS.slice(0, 4), "samples[0].source.name", (name) => sample({ source: { name } })),
  ...casesOf("a type", TYPES, "samples[0].type", (type) => sample({ type })),
  ...casesOf("a uuid", IDS, "samples[0].uuid", (uuid) => sample({ uuid })),
];

test.each(NATIVE)("native: %s is refused with its reason and path", (_, entry, path, reason) => {
  const samples = JSON.parse(JSON.stringify([entry])) as unknown[];
  const context = { athlete_id: "a1", received_at: RECEIVED_AT, door: "native", kind: "http", body_hash: "0" } as const;
  const fate = hostile.fateOf(() => decideBatch({ samples }, context, digest));
  expect(fate).toMatchObject({ status: 202, paths: [path] });
  expect(fate.reasons[0]).toMatch(reason);
});

const claim = (more: object) => ({
  type: "HKQuantityTypeIdentifierHeartRate",
  from: "2026-11-20T00:00:00Z",
  to: "2026-11-21T00:00:00Z",
  uuids: [],
  ...more,
});
const FAR = /future|time/;
const claimTimes = TIMES.filter(([name]) => !/before 1970|future|end of time/.test(name)).map(
  ([name, value]) => [name, value, FAR] as const,
);

const RECONCILE: hostile.Case[] = [
  ...casesOf("from", claimTimes, "from", (from) => claim({ from })),
  ...casesOf("to", claimTimes, "to", (to) => claim({ to })),
  ...casesOf("as_of", claimTimes.slice(1), "as_of", (as_of) => claim({ as_of })),
  ...casesOf("a type", TYPES, "type", (type) => claim({ type })),
  ...casesOf("an id", IDS, "uuids[0]", (id) => claim({ uuids: [id] })),
  ["from long before", claim({ from: "1901-01-01T00:00:00Z" }), "to", FAR],
  ["to long after", claim({ to: "9999-12-31T23:59:59Z" }), "to", FAR],
  ["no ids at all", claim({ uuids: undefined }), "uuids", FAR],
  ["ids in text", claim({ uuids: "all" }), "uuids", FAR],
  ["too many ids", claim({ uuids: Array.from({ length: 200_001 }, () => "x") }), "uuids", FAR],
];
const validate = bodyValidator(reconcileSchema);

test("native and reconcile have at least 60 bad inputs each, all under names of their own", () => {
  for (const cases of [NATIVE, RECONCILE]) {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  }
});

test.each(RECONCILE)("reconcile: %s is a 400 that names it, and nothing is deleted", (_, body, path) => {
  const sent = JSON.parse(JSON.stringify(body)) as unknown;
  const read = (): void => {
    validate(sent);
    readClaim(sent as ReconcileBody, RECEIVED_AT);
  };
  const named = expect.objectContaining({ path }) as unknown;
  expect(read).toThrow(expect.objectContaining({ status: 400, errors: [named] }));
});
