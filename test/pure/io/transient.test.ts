import { expect, test } from "vitest";
import { isTransient as isTransientKafka } from "../../../src/io/kafka-errors.ts";
import { isTransient as isTransientObject, ShortBody } from "../../../src/io/objects-errors.ts";
import { isTransient } from "../../../src/io/postgres-errors.ts";

const withCode = (code: string): Error => Object.assign(new Error("x"), { code });
const withStatus = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error("x"), { name, $metadata: { httpStatusCode } });

test.each(["40001", "40P01", "55P03", "53300", "53100", "57P01", "57P03", "08006", "57014", "25P03", "ECONNREFUSED"])(
  "Postgres' %s asks to try again",
  (code) => {
    expect(isTransient(withCode(code))).toBe(true);
  },
);

test.each(["23505", "23514", "42P01", "22P02", "3D000", "28P01", "ERR_INVALID_ARG_TYPE"])(
  "Postgres' %s is not cured by trying again",
  (code) => {
    expect(isTransient(withCode(code))).toBe(false);
  },
);

test("a lost connection is found behind a wrapper and among the addresses that were tried", () => {
  expect(isTransient(new Error("staging failed", { cause: withCode("ECONNRESET") }))).toBe(true);
  expect(isTransient(new AggregateError([withCode("ECONNREFUSED")], "all addresses failed"))).toBe(true);
  expect(isTransient(new Error("Connection terminated unexpectedly"))).toBe(true);
});

test("what is not an error is not transient", () => {
  for (const value of [undefined, null, "57P01", 42, {}]) expect(isTransient(value)).toBe(false);
});

test.each([
  ["InternalError", 500, true],
  ["SlowDown", 503, true],
  ["TooManyRequestsException", 429, true],
  ["TimeoutError", 0, true],
  ["AccessDenied", 403, false],
  ["NoSuchBucket", 404, false],
  ["PreconditionFailed", 412, false],
])("the object store's %s %i: transient is %s", (name, status, expected) => {
  expect(isTransientObject(withStatus(name, status))).toBe(expected);
});

test("a body cut short is transient", () => {
  expect(isTransientObject(new ShortBody("half"))).toBe(true);
});

test("a connection to a broker that fell silent at its beginning is transient, another plain error is not", () => {
  expect(isTransientKafka(new Error("lost", { cause: new Error("Broker not connected") }))).toBe(true);
  expect(isTransientKafka(new Error("Broker said no"))).toBe(false);
});
