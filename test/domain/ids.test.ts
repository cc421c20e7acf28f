import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NAMESPACE, aggregateId, isAthleteId, isUuid, recordId, uuid5 } from "../../src/domain/ids.ts";
import { at, digest } from "./make.ts";

const DNS = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
const URL_NAMESPACE = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

test("uuid5 gives the vector of RFC 9562", () => {
  expect(uuid5(DNS, "www.example.com", digest)).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
});

test("the namespace is uuid5 of the URL namespace and the project's name", () => {
  expect(NAMESPACE).toBe(uuid5(URL_NAMESPACE, "health-sync", digest));
});

test("a name is hashed as UTF-8", () => {
  expect(uuid5(DNS, "Zoë", digest)).not.toBe(uuid5(DNS, "Zoe", digest));
});

test("a name of any length and letters gives the id that RFC 9562 says", () => {
  const name = fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.string({ minLength: 300, maxLength: 3000 }));
  fc.assert(
    fc.property(name, fc.constantFrom(NAMESPACE, DNS), (text, namespace) => {
      const bytes = createHash("sha1")
        .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
        .update(Buffer.from(text))
        .digest();
      bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x50;
      bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
      const expected = bytes.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
      expect(uuid5(namespace, text, digest)).toBe(expected);
    }),
  );
});

test("a uuid may be written in either case, and is nothing but 32 hex digits in groups", () => {
  expect(isUuid("2ED6657D-E927-568B-95E1-2665A8AEA6A2")).toBe(true);
  expect(isUuid(" 2ed6657d-e927-568b-95e1-2665a8aea6a2")).toBe(false);
  expect(isUuid("2ed6657de927568b95e12665a8aea6a2")).toBe(false);
  expect(isUuid("2ed6657d-e927-568b-95e1-2665a8aea6a2\n")).toBe(false);
});

test("an athlete id is 1 to 64 letters, digits, _ and -, and begins with a letter or digit", () => {
  expect(["a", "1", "A_b-9", "x".repeat(64)].every(isAthleteId)).toBe(true);
  expect(["", "_a", "-a", "a b", "a/b", "é", "a\n", "x".repeat(65)].some(isAthleteId)).toBe(false);
});

const parts = {
  athlete_id: "a1",
  metric: "steps",
  start_at: at("2026-03-10T12:00:00.900Z"),
  end_at: at("2026-03-10T12:05:00Z"),
  source: "Anna's iPhone",
};

test("the id of a record is uuid5 of athlete, metric, seconds, source, value and number", () => {
  expect(recordId({ ...parts, value: null, n: 0 }, digest)).toBe(
    uuid5(NAMESPACE, "a1|steps|2026-03-10T12:00:00Z|2026-03-10T12:05:00Z|Anna's iPhone||0", digest),
  );
});

test("milliseconds do not change the id of a record, because an export drops them", () => {
  const later = { ...parts, start_at: parts.start_at + 50 };
  expect(recordId({ ...later, value: null, n: 0 }, digest)).toBe(recordId({ ...parts, value: null, n: 0 }, digest));
});

const named = (value: string) =>
  uuid5(NAMESPACE, `a1|steps|2026-03-10T12:00:00Z|2026-03-10T12:05:00Z|Anna's iPhone|${value}|2`, digest);

test("a value in an id has 3 significant digits and is the shortest decimal without an exponent", () => {
  expect(recordId({ ...parts, value: 1234.5, n: 2 }, digest)).toBe(named("1230"));
  expect(recordId({ ...parts, value: 0.1, n: 2 }, digest)).toBe(named("0.1"));
  expect(recordId({ ...parts, value: 1.23456e-8, n: 2 }, digest)).toBe(named("0.0000000123"));
  expect(recordId({ ...parts, value: -0, n: 2 }, digest)).toBe(named("0"));
});

test("the id of an aggregate has no value and no number, so that a re-sent window replaces", () => {
  expect(aggregateId(parts, digest)).toBe(
    uuid5(NAMESPACE, "a1|steps|2026-03-10T12:00:00Z|2026-03-10T12:05:00Z|Anna's iPhone", digest),
  );
});

test("an instant that no Date can hold still gives an id", () => {
  expect(isUuid(aggregateId({ ...parts, start_at: 9e18 }, digest))).toBe(true);
});

test("an instant stands in an id as its second in UTC, whatever its year", () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -9e12, max: 3e14 })), (start_at) => {
      const text = `${new Date(start_at).toISOString().slice(0, -5)}Z`;
      const expected = uuid5(NAMESPACE, `a1|steps|${text}|2026-03-10T12:05:00Z|Anna's iPhone`, digest);
      expect(aggregateId({ ...parts, start_at }, digest)).toBe(expected);
    }),
  );
});
