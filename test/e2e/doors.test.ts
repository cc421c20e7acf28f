import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "../support/service/asking.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("doors");
let service: Service;
beforeAll(async () => {
  service = await openService(here, {}, "edge,api,worker");
});
afterAll(() => service.close());

const UPLOAD = readFileSync(new URL("../samples/apple-export/watch-2024.xml", import.meta.url));

const { post, samples } = asking(() => service);

/** Ids and values of the heart rates of one day. */
const heartRates = async (athlete: string, date: string): Promise<Map<unknown, unknown>> =>
  new Map((await samples(athlete, "heart_rate", date)).map((one) => [one["sample_id"], one["value"]]));

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const source = { name: "Athlete’s Apple Watch", bundle_id: "com.apple.health.1", product_type: "Watch6,7" };
const heartRate = (n: number, start: string, value: number) => {
  const type = "HKQuantityTypeIdentifierHeartRate";
  return { uuid: uuid(n), type, start, end: start, value, unit: "count/min", source };
};
/** What watch-2024.xml holds, as HealthKit has it: with milliseconds and ids. */
const native = {
  time_zone: "Europe/Amsterdam",
  samples: [heartRate(1, "2023-12-31T23:01:36.250Z", 74), heartRate(2, "2023-12-31T23:01:37.900Z", 75)],
};
/** The first of them as the Health Auto Export app sends it. */
const exported = {
  data: {
    metrics: [
      {
        name: "heart_rate",
        units: "bpm",
        data: [{ date: "2024-01-01 12:01:36\u202fAM +0100", Min: 74, Avg: 74, Max: 74, source: source.name }],
      },
    ],
  },
};

const SENDINGS = {
  native: (athlete: string) => post(`${athlete}/batches`, native),
  upload: (athlete: string) => post(`${athlete}/apple-export?time_zone=Europe/Amsterdam`, UPLOAD),
  records: (athlete: string) => post(`${athlete}/health-auto-export?aggregation=none`, exported),
};
type Sending = keyof typeof SENDINGS;

test.each<[string, ...Sending[]]>([
  ["native, then the export", "native", "upload"],
  ["the export, then native", "upload", "native"],
  ["native, then Health Auto Export", "native", "records"],
  ["Health Auto Export, then native", "records", "native"],
  ["all, native in the middle", "records", "native", "upload"],
  ["all, native last", "upload", "records", "native"],
])("the same samples through several doors count once, under HealthKit's ids: %s", async (name, ...order) => {
  const athlete = `twins-${name.replaceAll(/\W+/g, "-")}`.slice(0, 60);
  for (const sending of order) {
    expect(await SENDINGS[sending](athlete)).toMatchObject({ status: 202 });
    await service.wait();
  }
  expect(await heartRates(athlete, "2024-01-01")).toEqual(
    new Map([
      [uuid(1), 74],
      [uuid(2), 75],
    ]),
  );
});

const at = (seconds: number): string => new Date(Date.parse("2026-03-02T08:00:00Z") + seconds * 1000).toISOString();

test("a client that says what it has left loses the rest of a closed day, and nothing beside it", async () => {
  const batch = {
    time_zone: "UTC",
    samples: [1, 2, 3, 4].map((n) => heartRate(n + 10, at(n * 60), 60 + n)),
  };
  expect(await post("gone/batches", batch)).toMatchObject({ status: 202 });
  await service.wait();
  const claim = { type: "HKQuantityTypeIdentifierHeartRate", from: at(0), to: at(200), uuids: [uuid(11)] };
  const answer = await post("gone/reconcile", claim);
  expect(answer).toMatchObject({ status: 202, body: { deletions: 2, rejected: [] } });
  await service.wait();
  expect([...(await heartRates("gone", "2026-03-02")).keys()]).toEqual([uuid(11), uuid(14)]);
  expect(await post("gone/reconcile", claim)).toMatchObject({ status: 202, body: { deletions: 0 } });
});

const steps = (qty: number) => ({
  data: {
    metrics: [
      { name: "step_count", units: "count", data: [{ date: "2026-03-03 00:00:00 +0100", qty, source: "W|P" }] },
    ],
  },
});

test("a window that the Health Auto Export app sends again replaces what it said before", async () => {
  for (const qty of [4000, 9000, 7000]) {
    expect(await post("windows/health-auto-export?aggregation=day", steps(qty))).toMatchObject({ status: 202 });
    await service.wait();
  }
  const values = (await samples("windows", "steps", "2026-03-02", "2026-03-04")).map((one) => one["value"]);
  expect(values).toEqual([7000]);
});
