import { expect, test } from "vitest";
import { bodiesFrom, type Sum, sampleSum, sumOf } from "../../../bench/edge-bodies.ts";
import { digest } from "../../../src/flow/digest.ts";
import { decideBatch } from "../../../src/ingest/decide.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const context = { athlete_id: "a", received_at: NOW, door: "native", kind: "http", body_hash: "" } as const;

const sums: Sum[] = [
  sampleSum("4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11", NOW, 57),
  sampleSum("4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a12", NOW, 57),
  sampleSum("4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a13", NOW, 58),
];

test("a sum over samples knows no order, and shows one that is lost, doubled or changed", () => {
  const whole = sumOf(sums);
  expect(sumOf(sums.toReversed())).toEqual(whole);
  expect(sumOf(sums.slice(1))).not.toEqual(whole);
  expect(sumOf([...sums, ...sums.slice(0, 1)])).not.toEqual(whole);
  const changed = sampleSum("4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11", NOW, 57.5);
  expect(sumOf([changed, ...sums.slice(1)])).toMatchObject({ count: whole.count });
  expect(sumOf([changed, ...sums.slice(1)]).checksum).not.toBe(whole.checksum);
});

test("every sample of a body is one that the edge takes, under an id of its own, and the sum says so", () => {
  const bodies = bodiesFrom(1, NOW)(100, 20);
  const ids = new Set<string>();
  for (const { text, samples } of bodies) {
    const { chunks, answer } = decideBatch(JSON.parse(text.toString()) as object, context, digest);
    expect(answer).toMatchObject({ accepted: 100, rejected: [] });
    const decided = chunks.flatMap(({ chunk }) => chunk.series.flatMap((series) => series.samples));
    expect(sumOf(decided.map((one) => sampleSum(one.sample_id, one.start_at, one.value)))).toEqual(samples);
    for (const { sample_id } of decided) ids.add(sample_id);
  }
  expect(ids.size).toBe(2000);
});
