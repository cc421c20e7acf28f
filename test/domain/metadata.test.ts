import { expect, test } from "vitest";
import { readMetadata } from "../../src/domain/metadata.ts";

const read = (value: unknown) => readMetadata(JSON.stringify(value));
const nothing = { time_zone: null, user_entered: false, motion_context: null, sync_id: null, sync_version: null };

test("no metadata says nothing", () => {
  for (const text of [null, "", "{}"]) expect(readMetadata(text)).toEqual({ ...nothing, rest: undefined });
});

test("keys are read in both spellings, and leave the rest", () => {
  const fields = { user_entered: true, motion_context: 1, sync_id: "s-1", sync_version: 3, rest: undefined };
  expect(read({ HKWasUserEntered: 1, HKHeartRateMotionContext: 1, HKSyncIdentifier: "s-1", HKSyncVersion: 3 })).toEqual(
    { ...nothing, ...fields },
  );
  expect(
    read({
      HKMetadataKeyWasUserEntered: "1",
      HKMetadataKeyHeartRateMotionContext: "1",
      HKMetadataKeySyncIdentifier: "s-1",
      HKMetadataKeySyncVersion: "3",
    }),
  ).toEqual({ ...nothing, ...fields });
});

test("the time zone is read and stays, because it is evidence", () => {
  const rest = { HKTimeZone: "Europe/Amsterdam" };
  expect(read(rest)).toEqual({ ...nothing, time_zone: "Europe/Amsterdam", rest });
});

test("what cannot be read stays as it was sent", () => {
  const rest = {
    HKHeartRateMotionContext: 7,
    HKSyncVersion: "new",
    HKSyncIdentifier: null,
    HKWasUserEntered: false,
    HKTimeZone: ["x"],
    note: { a: [1, null, true] },
  };
  expect(read(rest)).toEqual({ ...nothing, rest });
  expect(read({ HKHeartRateMotionContext: -1 })).toMatchObject({ motion_context: null });
});

test("a person's entry is told by 1, true or yes", () => {
  for (const value of [1, "1", true, "true", "YES"])
    expect(read({ HKWasUserEntered: value })).toMatchObject({ user_entered: true });
  for (const value of [0, "0", "no", null, {}, 2])
    expect(read({ HKWasUserEntered: value })).toMatchObject({ user_entered: false });
});

test("a sync identifier may be a number, a version a whole number with a decimal point", () => {
  expect(read({ HKSyncIdentifier: 12, HKSyncVersion: "2.0" })).toMatchObject({ sync_id: "12", sync_version: 2 });
});

test("text that no store takes is mended at every depth, and keys are only keys", () => {
  const text = `{"a\\u0000":["x\\ud800",{"b":"\\u0000"}],"__proto__":{"polluted":true}}`;
  const result = readMetadata(text);
  expect(JSON.stringify("rest" in result && result.rest)).toBe(
    `{"a":["x\ufffd",{"b":""}],"__proto__":{"polluted":true}}`,
  );
  expect("polluted" in {}).toBe(false);
});

test("what is no JSON object is refused", () => {
  for (const text of ["{", "[]", "1", '"x"', "null", "undefined"])
    expect(readMetadata(text)).toMatchObject({ reason: "bad_value" });
});

test("what is too large or too deep is refused without being followed", () => {
  expect(read({ a: "x".repeat(256 * 1024) })).toMatchObject({ reason: "too_large" });
  expect(readMetadata(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`)).toMatchObject({ reason: "too_deep" });
  expect(readMetadata(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).toMatchObject({ reason: "too_deep" });
});

test("what was read before is answered alike, however much came in between, and nobody can change it", () => {
  const texts = Array.from({ length: 1100 }, (_, n) => JSON.stringify({ HKSyncVersion: n, other: { deep: [n] } }));
  const first = texts.map((text) => readMetadata(text));
  expect(texts.map((text) => readMetadata(text))).toEqual(first);
  expect(first[1099]).toMatchObject({ sync_version: 1099, rest: { other: { deep: [1099] } } });
  const { rest } = first[1099] as unknown as { rest: { other: { deep: number[] } } };
  expect(() => rest.other.deep.push(1)).toThrow(TypeError);
});
