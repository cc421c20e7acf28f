import { expect, test } from "vitest";
import { contentTypeOf, sentWithOf } from "../../src/flow/dead-letters.ts";

test("a content type says what came with a payload, whatever is in it, and nothing of what did not", () => {
  expect(contentTypeOf("application/json", { time_zone: null })).toBe("application/json");
  const sentWith = { time_zone: "Etc/A; b=c", received_at: 7, odd: "\uD800" };
  const type = contentTypeOf("application/json", { ...sentWith, door: null });
  expect(type).toBe("application/json; time_zone=Etc%2FA%3B%20b%3Dc; received_at=7; odd=%EF%BF%BD");
  expect(sentWithOf(type)).toEqual({ time_zone: "Etc/A; b=c", received_at: "7", odd: "\uFFFD" });
  expect(sentWithOf("application/vnd.confluent.avro")).toEqual({});
});
