import { expect, test } from "vitest";
import { convertOpenWearables, type OpenWearablesBody } from "../../../src/ingest/open-wearables/door.ts";
import { samplesOf, throughDoor } from "../../support/ingest/doors.ts";

const send = (body: OpenWearablesBody) => throughDoor("open_wearables", convertOpenWearables(body));

const record = {
  id: "4F6F2C5E-3C52-4B0E-9F0A-0D5D6F1F7A11",
  type: "HKQuantityTypeIdentifierHeartRate",
  startDate: "2026-11-20T23:30:00.250Z",
  endDate: "2026-11-20T23:30:00.250Z",
  zoneOffset: "+01:00",
  value: 57,
  unit: "count/min",
  source: { name: "Watch", bundleIdentifier: "com.apple.health.1", productType: "Watch7,5", deviceModel: "Watch" },
  metadata: [{ key: "HKMetadataKeyHeartRateMotionContext", value: 1 }],
};

test("a record is the native sample that it is: id, zone, source and metadata", () => {
  expect(samplesOf(send({ data: { records: [record] } }))).toMatchObject([
    {
      sample_id: record.id.toLowerCase(),
      metric: "heart_rate",
      value: 57,
      source: "Watch",
      device: "Watch",
      tz: "+01:00",
      local_date: "2026-11-21",
      attributes: {
        bundle_id: "com.apple.health.1",
        product_type: "Watch7,5",
        device_class: "watch",
        motion_context: 1,
        tz_source: "sample",
        door: "open_wearables",
      },
    },
  ]);
});

test("metadata may be a map, HealthKit's percentages are fractions, and typed in is typed in", () => {
  const spo2 = {
    ...record,
    type: "HKQuantityTypeIdentifierOxygenSaturation",
    value: 0.97,
    unit: "%",
    metadata: { Note: "x" },
    source: { ...record.source, recordingMethod: "manual" },
  };
  expect(samplesOf(send({ data: { records: [spo2] } }))).toMatchObject([
    { value: 0.97, attributes: { user_entered: true, device_class: "manual", metadata: { Note: "x" } } },
  ]);
});

test("a record without HealthKit's id is a synthetic record, the same whenever it is sent", () => {
  const body = { data: { records: [{ ...record, id: "row-7" }] } };
  const [sample] = samplesOf(send(body));
  expect(sample).toMatchObject({ attributes: { synthetic: true } });
  expect(samplesOf(send(body))[0]?.sample_id).toBe(sample?.sample_id);
});

const segment = (stage: string, hour: number) => ({
  id: `00000000-0000-4000-8000-00000000000${hour}`,
  parentId: "night",
  stage,
  startDate: `2026-11-20T0${hour}:00:00Z`,
  endDate: `2026-11-20T0${hour}:30:00Z`,
  zoneOffset: "+01:00",
  source: record.source,
});

test("stages of the SDK are HealthKit's values, also under HealthKit's own names; unknown says nothing", () => {
  const stages = ["in_bed", "inBed", "awake", "sleeping", "light", "deep", "rem", "asleepCore", "unknown"];
  const decision = send({ data: { sleep: stages.map(segment) } });
  expect(samplesOf(decision).map(({ value }) => value)).toEqual([0, 0, 2, 1, 3, 4, 5, 3]);
  expect(samplesOf(decision)[0]?.attributes.group_id).toBe("night");
  expect(decision.answer.ignored).toEqual({ "sleep.unknown": 1 });
});

test("a workout is its interval; its series are counted as ignored", () => {
  const workout = { ...record, type: "running", title: "Morning", values: [], route: [{}, {}], laps: [{}] };
  const decision = send({ data: { workouts: [workout] } });
  expect(samplesOf(decision)).toMatchObject([
    { metric: "workout", value: 0, attributes: { metadata: { workoutActivityType: "running", title: "Morning" } } },
  ]);
  expect(decision.answer.ignored).toEqual({ "workouts.route": 2, "workouts.laps": 1 });
});

test("deletions and the anchor go with it", () => {
  const deleted = [{ id: record.id, type: record.type }, { uuid: record.id }, { id: "x" }, {}];
  const decision = send({ data: {}, deleted, anchor: "a7" });
  expect(decision.answer).toMatchObject({ deletions: 2, received: 0 });
  expect(decision.answer.rejected.map(({ reason, path }) => [reason, path])).toEqual([
    ["bad_uuid", "deleted[2].id"],
    ["missing_uuid", "deleted[3].id"],
  ]);
  expect(decision.receipt.anchor).toBe("a7");
});

test("what is refused is named in the SDK's own words, and kept as a body of this door", () => {
  const { answer, dead_letters } = send({
    data: { records: [record, { ...record, value: 900 }], sleep: [segment("dreaming", 1)] },
  });
  expect(answer.rejected.map(({ reason, path }) => [reason, path])).toEqual([
    ["out_of_range", "data.records[1].value"],
    ["bad_value", "data.sleep[0].stage"],
  ]);
  expect(dead_letters[0]?.content_type).toBe("application/json; door=open_wearables");
  const kept = JSON.parse(Buffer.from(dead_letters[1]?.payload ?? []).toString()) as OpenWearablesBody;
  expect(send(kept).answer.rejected).toMatchObject([{ reason: "bad_value", path: "data.sleep[0].stage" }]);
});
