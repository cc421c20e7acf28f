import { expect, test } from "vitest";
import type { Codec } from "../../../src/flow/ports.ts";
import { encodeRows, type OutboxRow } from "../../../src/publish/rows.ts";

const row = (id: number, value: unknown): OutboxRow => ({ id, topic: "t", key: `k${id}`, value, headers: {} });

/** Encodes as JSON, and refuses what says so. */
const codec: Pick<Codec, "encode"> = {
  encode: async (_topic, value) => {
    if (value === "bad") throw new Error("no such field");
    return Buffer.from(Buffer.isBuffer(value) ? value : JSON.stringify(value));
  },
};

test("rows are encoded in order, a null value as a tombstone, bytes as bytes", async () => {
  const rows = [row(1, { a: 1 }), row(2, null), row(3, { $base64: Buffer.from("raw").toString("base64") })];
  const { records, ids, failed } = await encodeRows(codec as Codec, rows);
  expect(records.map((record) => record.value?.toString() ?? null)).toEqual(['{"a":1}', null, "raw"]);
  expect(ids).toEqual([1, 2, 3]);
  expect(failed).toBeNull();
});

test("nothing overtakes a row that cannot be encoded", async () => {
  const { ids, failed } = await encodeRows(codec as Codec, [row(1, 1), row(2, "bad"), row(3, 3)]);
  expect(ids).toEqual([1]);
  expect(failed?.row.id).toBe(2);
});
