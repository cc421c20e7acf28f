import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bridgeBatch, bridgeLines, fileText, SAMPLES, stepBatches, weekBatch } from "../support/sample-files.ts";
import { asking } from "../support/service/asking.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("sample-files");
let service: Service;
const { post, ask, samples, metrics } = asking(() => service);
beforeAll(async () => {
  service = await openService(here, {}, "edge,api,worker");
});
afterAll(() => service.close());

const upload = async (athlete: string, file: string, zone: string) => {
  const bytes = readFileSync(join(SAMPLES, "apple-export", file));
  const answer = await post(`${athlete}/apple-export?time_zone=${zone}`, bytes);
  expect(answer).toMatchObject({ status: 202, body: { refused: {}, faults: [] } });
  return answer.body["accepted"];
};
const value = async (athlete: string, date: string, metric: string, source = "derived") =>
  (await metrics(athlete, date)).find((row) => row.metric === metric && row.source === source)?.value;

test("every Apple export is taken whole, with its quirks", async () => {
  const files: [string, string, number][] = [
    ["multi-source.xml", "UTC", 49],
    ["partial-sleep.xml", "UTC", 6],
    ["iphone6s-2014-v3.xml", "Europe/London", 16],
    ["healthkit-to-sqlite.xml", "America/Los_Angeles", 3],
    ["watch-2024.xml", "Europe/Amsterdam", 8],
    ["stateofmind-correlation.xml", "Asia/Tokyo", 7],
    ["minimal-plus0800.xml", "Asia/Shanghai", 4],
    ["locale-ru.xml", "Europe/Moscow", 2],
  ];
  const counts = [];
  for (const [file, zone] of files) counts.push([file, zone, await upload(`x-${file.split(".")[0]}`, file, zone)]);
  expect(counts).toEqual(files);
  await service.wait();
  // Percent in a file made by hand: 96 and 18 are no fractions.
  const spo2 = await samples("x-multi-source", "spo2", "2026-01-01", "2026-04-01");
  expect(spo2.map((one) => one["value"])).toEqual(expect.arrayContaining([0.96]));
  const fat = await samples("x-multi-source", "body_fat", "2026-01-01", "2026-04-01");
  expect(fat.every((one) => Number(one["value"]) > 0.1 && Number(one["value"]) < 0.3)).toBe(true);
  // Riley’s and Riley's are one source.
  const hearts = await samples("x-multi-source", "resting_heart_rate", "2026-01-01", "2026-04-01");
  expect(new Set(hearts.map((one) => one["source"])).size).toBe(1);
  // A category with unit="" is no fault, and a row of 24 hours is one sample.
  expect(await samples("x-minimal-plus0800", "sleep_analysis", "2026-02-27", "2026-03-02")).toHaveLength(1);
  // 329 steps in 5 seconds really happened.
  const steps = await samples("x-iphone6s-2014-v3", "steps", "2014-09-13", "2014-09-21");
  expect(steps.map((one) => one["value"])).toContain(329);
});

test("a Health Auto Export body is steps, two nights' totals and two workouts", async () => {
  const answer = await post("hae/health-auto-export", JSON.parse(fileText("hae/hae_sample.json")));
  expect(answer).toMatchObject({ status: 202, body: { received: 3, accepted: 3, rejected: [], ignored: {} } });
  await service.wait();
  expect(await value("hae", "2024-02-06", "steps")).toBe(8421);
  expect(await value("hae", "2024-02-06", "sleep_duration", "apple_health")).toBe(27_000);
  expect(await value("hae", "2024-02-07", "sleep_duration", "apple_health")).toBe(22_500);
  const workouts = await samples("hae", "workout", "2024-02-05", "2024-02-09");
  expect(workouts.map((one) => one["sample_id"])).toContain("11111111-2222-4333-8444-555555555555");
});

test("the bridge's payload is samples, segments, a workout, a deletion and cursors", async () => {
  const answer = await post("bridge/batches", bridgeBatch());
  expect(answer).toMatchObject({ status: 202, body: { received: 9, accepted: 9, deletions: 1, rejected: [] } });
  await service.wait();
  expect(await value("bridge", "2026-06-01", "steps")).toBe(4321);
  expect(await value("bridge", "2026-06-02", "weight", "apple_health")).toBe(70.4);
  const segments = await samples("bridge", "sleep_analysis", "2026-06-04");
  expect(segments.map((one) => one["value"])).toEqual([0, 3, 4, 5, 2]);
  const receipt = await ask(`bridge/batches/${String(answer.body["batch_id"])}`);
  expect(JSON.parse(String(receipt.body["anchor"]))).toHaveLength(2);
});

test("the bridge's lines are the same, as far as lines say it", async () => {
  const answer = await post("lines/batches", bridgeLines());
  expect(answer).toMatchObject({ status: 202, body: { received: 3, accepted: 3, deletions: 1, rejected: [] } });
  await service.wait();
  expect(await value("lines", "2026-06-01", "steps")).toBe(4321);
});

test.each([
  ["normal-week", 210],
  ["low-stress-week", 2916],
  ["high-stress-week", 2915],
])("%s is taken whole: percent, light sleep and fractions of steps", async (name, count) => {
  const batch = weekBatch(name);
  expect(await post(`${name}/batches`, batch)).toMatchObject({ status: 202, body: { accepted: count, rejected: [] } });
  await service.wait();
  const range = ["2025-10-02", "2025-10-11"] as const;
  expect(await samples(name, "heart_rate", ...range)).toHaveLength(name === "normal-week" ? 168 : 2016);
  const spo2 = await samples(name, "spo2", ...range);
  expect(spo2.every((one) => Number(one["value"]) > 0.9 && Number(one["value"]) <= 1)).toBe(true);
  const stages = (await samples(name, "sleep_analysis", ...range)).map((one) => one["value"]);
  expect(stages.filter((stage) => stage === 3).length).toBe(name === "normal-week" ? 0 : 14);
});

test("68 days of a Watch's steps, in local times without a zone, are each day's sum", async () => {
  const { batches, days } = stepBatches("-08:00");
  for (const batch of batches)
    expect(await post("steps/batches", batch)).toMatchObject({ status: 202, body: { rejected: [] } });
  await service.wait();
  const rows = (await metrics("steps", "2026-01-01", "2026-03-31")).filter(({ metric }) => metric === "steps");
  expect(new Map(rows.map(({ date, value: steps }) => [date, steps]))).toEqual(days);
  expect(days.size).toBe(68);
});

const omh = (file: string, name: string) => ({
  header: { schema_id: { namespace: "omh", name, version: "1.0" } },
  body: JSON.parse(fileText(`omh/${file}`)) as object,
});

test("Open mHealth points are taken but the invalid one, which is a dead letter", async () => {
  const answer = await post("omh/open-mhealth", [
    omh("heart-rate-1.1.valid.json", "heart-rate"),
    omh("step-count-3.0.valid.json", "step-count"),
    omh("body-weight-3.0.valid.json", "body-weight"),
    omh("sleep-episode-1.1.valid.json", "sleep-episode"),
    omh("step-count-3.0.invalid-string.json", "step-count"),
  ]);
  expect(answer).toMatchObject({ status: 202, body: { received: 4, accepted: 3, rejected: [{ reason: "bad_time" }] } });
  await service.wait();
  expect(await value("omh", "2016-02-05", "steps")).toBe(10_600);
  expect(await value("omh", "2016-02-06", "sleep_duration", "apple_health")).toBe(30_600);
  expect(await value("omh", "2020-02-05", "weight", "apple_health")).toBe(50);
});
