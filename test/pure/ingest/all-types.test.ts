import { expect, test } from "vitest";
import { METRICS } from "../../../src/domain/catalogue.ts";
import { digest } from "../../../src/flow/digest.ts";
import { exportParts } from "../../../src/ingest/apple-export/parts.ts";
import { type BatchContext, decideBatch } from "../../../src/ingest/decide.ts";
import { RECEIVED_AT } from "./arbitrary.ts";

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

const context: BatchContext = {
  athlete_id: "a1",
  kind: "http",
  door: "native",
  received_at: RECEIVED_AT,
  body_hash: "00",
};

const decide = (samples: readonly unknown[]) => decideBatch({ samples }, context, digest);

const sample = (n: number, type: string, more: Record<string, unknown> = {}) => ({
  uuid: uuid(n),
  type,
  start: "2026-11-21T06:00:00Z",
  end: "2026-11-21T06:30:00Z",
  ...more,
});

test("a batch with a sample of every type is taken whole", () => {
  const all = METRICS.map(({ type, value, unit, hard, categories, metadataValue }, n) => {
    if (value === "rmssd")
      return sample(n, type, { metadata: { beats: Array.from({ length: 30 }, (_, at) => [at, false]) } });
    const plain = value === "sent" && categories === null && metadataValue === null;
    if (!plain) return sample(n, type, metadataValue === null ? {} : { value: 0 });
    const [min, max] = hard;
    return sample(n, type, { value: max === Infinity ? 10 : (min + max) / 2, unit });
  });
  const { answer } = decide(all);
  expect(answer.rejected).toEqual([]);
  expect(answer).toMatchObject({ received: METRICS.length, accepted: METRICS.length, ignored: {} });
});

test("sleep goes to its own topic, everything else of the day to the samples", () => {
  const { chunks } = decide([
    sample(1, "HKCategoryTypeIdentifierSleepAnalysis", { value: 3 }),
    sample(2, "HKCategoryTypeIdentifierSleepAnalysis", { value: "HKCategoryValueSleepAnalysisAsleepREM" }),
    sample(3, "HKWorkoutTypeIdentifier"),
  ]);
  const series = chunks.flatMap(({ topic, chunk }) =>
    chunk.series.map((one) => [topic, one.samples.map((s) => s.value)]),
  );
  expect(series).toEqual([
    ["sleep", [3, 5]],
    ["samples", [0]],
  ]);
});

test("a category is 0 without a value, and refused by a name or number that it does not have", () => {
  const { answer } = decide([
    sample(1, "HKCategoryTypeIdentifierHighHeartRateEvent", { unit: "" }),
    sample(2, "HKCategoryTypeIdentifierSleepAnalysis", { value: "Dreaming" }),
    sample(3, "HKCategoryTypeIdentifierSleepAnalysis", { value: 6 }),
    sample(4, "HKQuantityTypeIdentifierBodyMass", { unit: "kg" }),
    sample(5, "HKStateOfMind", { metadata: { HKStateOfMindKind: 2 } }),
    sample(6, "HKQuantityTypeIdentifierBodyMass", { unit: "kg", value: 70, group_id: 3 }),
  ]);
  expect(answer.accepted).toBe(1);
  expect(answer.rejected.map(({ reason, path }) => [reason, path])).toEqual([
    ["bad_value", "samples[1].value"],
    ["bad_value", "samples[2].value"],
    ["bad_value", "samples[3].value"],
    ["bad_value", "samples[4].value"],
    ["bad_value", "samples[5].group_id"],
  ]);
});

test("a group is kept with its samples", () => {
  const { chunks } = decide([
    sample(1, "HKQuantityTypeIdentifierBloodPressureSystolic", { value: 120, unit: "mmHg", group_id: "g" }),
  ]);
  expect(chunks[0]?.chunk.series[0]?.samples[0]?.group_id).toBe("g");
});

type Native = { uuid: string; type: string; value: unknown; group_id?: string; metadata: Record<string, unknown> };

const exported = async (...elements: string[]): Promise<Native[]> => {
  const bytes = new TextEncoder().encode(`<HealthData>${elements.join("\n")}</HealthData>`);
  const found: Native[] = [];
  const pieces = (async function* () {
    yield await Promise.resolve(bytes);
  })();
  for await (const some of exportParts(pieces, { athlete_id: "a1", time_zone: null }, digest))
    for (const one of some) if (one.kind === "part") found.push(...((one.part.body.samples ?? []) as Native[]));
  return found;
};

const WHEN = 'sourceName="Health" startDate="2024-06-15 07:00:00 +0000" endDate="2024-06-15 07:00:01 +0000"';
const record = (type: string, rest: string): string => `<Record type="${type}" ${WHEN} ${rest}/>`;
const SYSTOLIC = "HKQuantityTypeIdentifierBloodPressureSystolic";
const DIASTOLIC = "HKQuantityTypeIdentifierBloodPressureDiastolic";

test("the two parts of a pressure share a group in an export, which has no ids for correlations", async () => {
  const [a, b] = await exported(
    record(SYSTOLIC, 'unit="mmHg" value="118"'),
    record(DIASTOLIC, 'unit="mmHg" value="76"'),
    `<Correlation type="HKCorrelationTypeIdentifierBloodPressure" ${WHEN}>${record(SYSTOLIC, 'unit="mmHg" value="118"')}</Correlation>`,
  );
  expect(a?.group_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(b?.group_id).toBe(a?.group_id);
});

test("a workout of an export is an interval that keeps what it says of itself", async () => {
  const [workout, ...others] = await exported(
    `<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="5" durationUnit="min" ${WHEN}><MetadataEntry key="HKTimeZone" value="Europe/Amsterdam"/></Workout>`,
  );
  expect(others).toEqual([]);
  expect(workout).toMatchObject({
    type: "HKWorkoutTypeIdentifier",
    value: null,
    metadata: { workoutActivityType: "HKWorkoutActivityTypeRunning", duration: "5", HKTimeZone: "Europe/Amsterdam" },
  });
});

const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";

test("a segment has one id, whether an export writes Asleep, AsleepUnspecified or 1; another stage has another", async () => {
  const ids: (string | undefined)[] = [];
  for (const value of ["HKCategoryValueSleepAnalysisAsleep", "HKCategoryValueSleepAnalysisAsleepUnspecified", "1"])
    ids.push((await exported(record(SLEEP, `value="${value}"`)))[0]?.uuid);
  expect(new Set(ids).size).toBe(1);
  const [core] = await exported(record(SLEEP, 'value="HKCategoryValueSleepAnalysisAsleepCore"'));
  expect(ids).not.toContain(core?.uuid);
});

test("two foods of one moment are two, and a food has one id in any display unit", async () => {
  const water = "HKQuantityTypeIdentifierDietaryWater";
  const [a, b] = await exported(record(water, 'unit="mL" value="250"'), record(water, 'unit="mL" value="500"'));
  expect(a?.uuid).not.toBe(b?.uuid);
  const [litres] = await exported(record(water, 'unit="L" value="0.5"'));
  expect([a?.uuid, b?.uuid]).toContain(litres?.uuid);
  const barrels = await exported(record(water, 'unit="barrel" value="1"'));
  expect(decide(barrels).answer.rejected).toMatchObject([{ reason: "bad_unit" }]);
});
