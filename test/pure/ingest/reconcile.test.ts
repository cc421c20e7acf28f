import * as fc from "fast-check";
import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { decideReconcile, missing, readClaim, type ReconcileBody } from "../../../src/ingest/reconcile.ts";
import { RECEIVED_AT } from "../../support/ingest/doors.ts";

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const body: ReconcileBody = {
  type: "HKQuantityTypeIdentifierHeartRate",
  from: "2026-11-20T00:00:00Z",
  to: "2026-11-21T00:00:00Z",
  uuids: [uuid(1).toUpperCase()],
};
const claim = readClaim(body, RECEIVED_AT);
const stored = (n: number | null, more: object = {}) => ({
  uuid: n === null ? null : uuid(n),
  start_at: claim.from,
  end_at: claim.from + 1000,
  received_at: RECEIVED_AT - 1,
  ...more,
});

test("what is stored in the range and not named is missing; the case of an id does not matter", () => {
  expect(missing(claim, [stored(1), stored(2), stored(3)])).toEqual([uuid(2), uuid(3)]);
});

test.each([
  ["begins before it", { start_at: claim.from - 1 }],
  ["ends after it", { end_at: claim.to + 1 }],
  ["came after HealthKit was asked", { received_at: RECEIVED_AT + 1 }],
  ["came from a client without ids", { uuid: null }],
])("a sample that %s is left alone", (_, more) => {
  expect(missing(claim, [stored(2, more)])).toEqual([]);
});

test("a claim of an earlier moment leaves alone what came since", () => {
  const earlier = readClaim({ ...body, as_of: "2026-11-21T07:00:00Z" }, RECEIVED_AT);
  expect(missing(earlier, [stored(2)])).toEqual([]);
});

test("whatever is named is never deleted, and the same deletions are the same batch", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.array(fc.integer({ min: 0, max: 20 })), (have, named) => {
      const claimed = readClaim({ ...body, uuids: named.map(uuid) }, RECEIVED_AT);
      const gone = missing(
        claimed,
        have.map((n) => stored(n)),
      );
      expect(gone.filter((id) => claimed.uuids.has(id))).toEqual([]);
      const decide = (ids: string[]) =>
        decideReconcile(claimed, ids, { athlete_id: "a1", received_at: RECEIVED_AT }, digest);
      const decision = decide(gone);
      expect(decision.answer.deletions).toBe(new Set(have.filter((n) => !named.includes(n))).size);
      expect(decide(gone.toReversed()).answer.batch_id).toBe(decision.answer.batch_id);
    }),
  );
});

test.each<[string, Partial<Record<keyof ReconcileBody, unknown>>, string]>([
  ["an unknown type", { type: "Nothing" }, "type"],
  ["an ignored type", { type: "HKQuantityTypeIdentifierNikeFuel" }, "type"],
  ["a time without offset", { from: "2026-11-20T00:00:00" }, "from"],
  ["a date", { to: "2026-11-21" }, "to"],
  ["a range that ends before it begins", { to: "2026-11-19T00:00:00Z" }, "to"],
  ["an empty range", { to: body.from }, "to"],
  ["a range of years", { from: "2020-11-19T00:00:00Z" }, "to"],
  ["an id that is none", { uuids: [uuid(1), "x"] }, "uuids[1]"],
  ["a moment that is none", { as_of: "yesterday" }, "as_of"],
])("%s is refused by name, and nothing is deleted", (_, more, path) => {
  const read = (): unknown => readClaim({ ...body, ...more } as ReconcileBody, RECEIVED_AT);
  expect(read).toThrow(expect.objectContaining({ status: 400, errors: [expect.objectContaining({ path })] }));
});

test("so many deletions that something must be wrong are refused as a whole", () => {
  const many = Array.from({ length: 100_001 }, (_, n) => uuid(n));
  const decide = () => decideReconcile(claim, many, { athlete_id: "a1", received_at: RECEIVED_AT }, digest);
  expect(decide).toThrow(/100001 samples would be deleted/);
});
