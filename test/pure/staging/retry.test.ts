import { expect, test } from "vitest";
import type { SampleChunk } from "../../../src/domain/sample.ts";
import type { DeadLetter } from "../../../src/flow/effects.ts";
import { retryPart } from "../../../src/staging/retry.ts";
import { aChunk, aSent, aSeries, RECEIVED, STEPS, uuid } from "../../support/staging/chunks.ts";
import { Tables } from "../../support/staging/tables.ts";

/** The letters of a chunk's refused parts. */
const lettersOf = (chunk: Partial<SampleChunk>): DeadLetter[] =>
  new Tables().apply([aChunk({ batch_time_zone: "Asia/Tokyo", ...chunk })]).dead_letters;
const corrected = (letter: DeadLetter | undefined, from: string, to: string): DeadLetter => {
  const text = new TextDecoder().decode(letter?.payload);
  expect(text).toContain(from);
  return { ...(letter as DeadLetter), payload: new TextEncoder().encode(text.replace(from, to)) };
};

test("a refused sample, total or deletion of a chunk goes again as a chunk of its own, with what came with it", () => {
  const [sample, total, deletion] = lettersOf({
    series: [aSeries([aSent({ value: 5000 })])],
    daily: [{ date: 20_522, type: STEPS, value: 5, unit: "furlong" }],
    deletions: [{ sample_id: "none", type: null }],
  });
  const head = { athlete_id: "a1", received_at: RECEIVED, batch_time_zone: "Asia/Tokyo", provider: "apple" };
  expect(retryPart(corrected(sample, "5000", "50"))).toMatchObject({
    chunk: { ...head, series: [{ samples: [{ value: 50 }] }], daily: [], deletions: [] },
  });
  expect(retryPart(corrected(total, "furlong", "count"))).toMatchObject({
    chunk: { ...head, series: [], daily: [{ unit: "count" }] },
  });
  expect(retryPart(corrected(deletion, "none", uuid(4)))).toMatchObject({
    chunk: { ...head, deletions: [{ sample_id: uuid(4) }] },
  });
});

test("what today's rules refuse too stays refused, with its reason; what lacks its chunk's words cannot be tried", () => {
  const [letter] = lettersOf({ series: [aSeries([aSent({ value: 5000 })])] });
  expect(retryPart(letter as DeadLetter)).toMatchObject({ kind: "refused", reason: "out_of_range" });
  const older = { ...(letter as DeadLetter), content_type: "application/json" };
  expect(retryPart(older)).toMatchObject({ kind: "no", why: expect.stringContaining("replay its record") });
});
