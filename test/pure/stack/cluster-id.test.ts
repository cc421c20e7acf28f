import fc from "fast-check";
import { expect, test } from "vitest";
import { clusterId } from "../../../stack/kafka.ts";

test("a cluster id never begins with a dash, which the storage tool would take for an option", () => {
  expect(clusterId(Buffer.alloc(16, 0xfb))).toMatch(/^A/);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      expect(clusterId(Buffer.from(bytes))).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    }),
  );
});
