import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import type { DeadLetter } from "../../../src/flow/effects.ts";
import { type BatchContext, decideBatch } from "../../../src/ingest/decide.ts";
import { decideAgain } from "../../../src/ingest/door-routes.ts";
import { retryEntry } from "../../../src/ingest/retry.ts";
import { HR, STEPS, at, uuid } from "../../support/staging/chunks.ts";

const RECEIVED = at("2026-03-10T13:00:00Z");
const context: BatchContext = { athlete_id: "a1", received_at: RECEIVED, door: "native", kind: "http", body_hash: "h" };
const heart = (over: object) => ({
  uuid: uuid(1),
  type: HR,
  start: "2026-03-10T12:00:00Z",
  end: "2026-03-10T12:00:00Z",
  value: 60,
  unit: "count/min",
  ...over,
});
/** The only letter of a batch with one entry. */
const letterOf = (body: object, over: Partial<BatchContext> = {}): DeadLetter => {
  const { dead_letters } = decideBatch(body, { ...context, ...over }, digest);
  expect(dead_letters).toHaveLength(1);
  return dead_letters[0] as DeadLetter;
};
const corrected = (letter: DeadLetter, from: string, to: string): DeadLetter => {
  const text = new TextDecoder().decode(letter.payload);
  expect(text).toContain(from);
  return { ...letter, payload: new TextEncoder().encode(text.replace(from, to)) };
};
const decided = (letter: DeadLetter) => {
  const retried = retryEntry(letter);
  if (retried.kind === "no") throw new Error(retried.why);
  return retried.decision;
};

test("a sample goes again as a batch of its own, with the zone, time and door that it came with", () => {
  const letter = letterOf({ time_zone: "Asia/Tokyo", samples: [heart({ value: 9000 })] });
  expect(decided(letter).answer.rejected).toMatchObject([{ reason: "out_of_range" }]);
  const again = decided(corrected(letter, "9000", "90"));
  expect(again.dead_letters).toEqual([]);
  expect(again.chunks).toMatchObject([
    {
      topic: "samples",
      chunk: {
        received_at: RECEIVED,
        batch_time_zone: "Asia/Tokyo",
        series: [{ door: "native", samples: [{ value: 90 }] }],
      },
    },
  ]);
  expect(again.receipt.batch_id).toBe(decided(letter).receipt.batch_id);
  expect(again.receipt.batch_id).not.toBe(letter.origin.batch_id);
});

test("deletions and daily totals go again as what they were", () => {
  const deletion = corrected(letterOf({ deleted: [{ uuid: "none" }] }), "none", uuid(3));
  expect(decided(deletion).chunks).toMatchObject([{ chunk: { deletions: [{ sample_id: uuid(3) }] } }]);
  const total = letterOf({ daily: [{ date: "2026-03-09", type: STEPS, value: 7, unit: "furlong" }] });
  expect(decided(corrected(total, "furlong", "count")).chunks).toMatchObject([{ chunk: { daily: [{ value: 7 }] } }]);
});

test("an entry of an import keeps its door, its lane and that its id was made here", () => {
  const over = { door: "apple_export", kind: "import", synthetic: true } as const;
  const letter = letterOf({ samples: [heart({ value: 9000 })] }, over);
  expect(decided(corrected(letter, "9000", "90")).chunks).toMatchObject([
    { topic: "backfill", chunk: { series: [{ door: "apple_export", samples: [{ synthetic: true }] }] } },
  ]);
});

/** An Open mHealth data point. */
const point = (value: number) => ({
  header: { id: uuid(5), schema_id: { namespace: "omh", name: "heart-rate", version: "2.0" } },
  body: {
    heart_rate: { value, unit: "beats/min" },
    effective_time_frame: { date_time: "2026-03-10T12:00:00Z" },
  },
});

test("an entry of another client goes through that client's converter again, and gets the same id", () => {
  const from = { athlete_id: "a1", received_at: RECEIVED, door: "open_mhealth", kind: "http", body_hash: "h" } as const;
  const { dead_letters } = decideAgain([point(9000)], { ...from, time_zone: "Asia/Tokyo" });
  const [letter] = dead_letters;
  expect(letter?.content_type).toBe("application/json; door=open_mhealth; time_zone=Asia%2FTokyo");
  const again = decided(corrected(letter as DeadLetter, "9000", "90"));
  const first = decideAgain([point(90)], { ...from, time_zone: "Asia/Tokyo" });
  expect(again.chunks[0]?.chunk.series).toEqual(first.chunks[0]?.chunk.series);
  expect(again.chunks[0]?.chunk).toMatchObject({ batch_time_zone: "Asia/Tokyo", received_at: RECEIVED });
});

test("what cannot be tried says why", () => {
  const letter = letterOf({ samples: [heart({ value: 9000 })] });
  const why = (over: Partial<DeadLetter>): string => {
    const retried = retryEntry({ ...letter, ...over });
    return retried.kind === "no" ? retried.why : "";
  };
  expect(why({ payload: letter.payload.slice(0, 10) })).toContain("send it again");
  expect(why({ athlete_id: null })).toContain("not an entry of a batch");
  expect(why({ path: "elsewhere" })).toContain("path");
  expect(why({ content_type: "application/json; door=unheard_of" })).toContain("no door unheard_of");
});
