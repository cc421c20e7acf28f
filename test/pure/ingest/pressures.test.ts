import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { decideBatch } from "../../../src/ingest/decide.ts";
import { RECEIVED_AT } from "./arbitrary.ts";

const half = (n: number, which: "Systolic" | "Diastolic", value: number, more: Record<string, unknown> = {}) => ({
  uuid: `11111111-1111-4111-8111-${String(n).padStart(12, "0")}`,
  type: `HKQuantityTypeIdentifierBloodPressure${which}`,
  start: "2026-11-21T06:00:00Z",
  end: "2026-11-21T06:00:00Z",
  value,
  unit: "mmHg",
  group_id: "g1",
  ...more,
});

const decide = (samples: readonly unknown[]) =>
  decideBatch(
    { samples },
    { athlete_id: "a1", received_at: RECEIVED_AT, door: "native", kind: "http", body_hash: "00" },
    digest,
  );

test("a native pressure whose systolic is not above its diastolic is refused, both halves with path and reason", () => {
  const { answer, dead_letters } = decide([
    half(1, "Systolic", 80),
    half(2, "Systolic", 120, { group_id: "g2" }),
    half(3, "Diastolic", 120),
    half(4, "Diastolic", 80, { group_id: "g2" }),
  ]);
  expect(answer).toMatchObject({ received: 4, accepted: 2 });
  const detail = "the systolic pressure must be above the diastolic one of the same group and start";
  expect(answer.rejected.map(({ path, reason, detail: told }) => [path, reason, told])).toEqual([
    ["samples[0].value", "out_of_range", detail],
    ["samples[2].value", "out_of_range", detail],
  ]);
  expect(dead_letters).toHaveLength(2);
});

test("units are made one before halves are compared: 16 kPa are 120 mmHg", () => {
  const { answer } = decide([half(1, "Systolic", 16, { unit: "kPa" }), half(2, "Diastolic", 80)]);
  expect(answer).toMatchObject({ accepted: 2, rejected: [] });
});

test("a half that is refused for itself does not sink the other", () => {
  const { answer } = decide([half(1, "Systolic", 120), half(2, "Diastolic", 900)]);
  expect(answer).toMatchObject({ accepted: 1, rejected: [{ index: 1, reason: "out_of_range" }] });
});
