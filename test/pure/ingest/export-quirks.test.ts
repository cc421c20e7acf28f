import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { BatchDecision } from "../../../src/ingest/decide.ts";
import { importFiles } from "../../../src/ingest/import-files.ts";
import { zip } from "../../support/zip.ts";

const folder = mkdtempSync(join(tmpdir(), "export-quirks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const clock = { now: () => Date.parse("2026-11-21T12:00:00Z") };
let files = 0;

/** What becomes of a file: its report, its samples with their series, and everything that would be published as text. */
const read = async (content: string | Uint8Array) => {
  const path = join(folder, `file-${(files += 1)}`);
  writeFileSync(path, content);
  const sent: BatchDecision[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => void sent.push(decision);
  const request = { files: [path], athlete_id: "a1", time_zone: null, dry_run: false };
  const report = await importFiles(request, { publish, clock });
  const series = sent.flatMap(({ chunks }) => chunks.flatMap(({ chunk }) => chunk.series));
  const samples = series.flatMap(({ samples: own, ...head }) => own.map((sample) => ({ ...head, ...sample })));
  return { report, samples, sent, published: JSON.stringify(sent) };
};

const root = (inner: string): string => `<HealthData locale="en_US">\n${inner}\n</HealthData>`;
const at = (second = 0): string => `2024-01-01 08:00:${String(second).padStart(2, "0")} +0100`;

type Attributes = Record<string, string>;
const element = (name: string, attributes: Attributes, inner = ""): string => {
  const text = Object.entries(attributes).map(([key, value]) => `${key}="${value}"`);
  return `<${[name, ...text].join(" ")}>${inner}</${name}>`;
};
const record = (type: string, more: Attributes = {}, inner = ""): string =>
  element(
    "Record",
    { type: `HKQuantityTypeIdentifier${type}`, sourceName: "W", startDate: at(), endDate: at(), ...more },
    inner,
  );
const heart = (more: Attributes = {}, inner = ""): string =>
  record("HeartRate", { unit: "count/min", value: "60", ...more }, inner);

test("an hourly aggregate of 2014: compact dates, the name in `source`, and how many samples it condenses", async () => {
  const times = { startDate: "20140104084300-0800", endDate: "20140104094300-0800" };
  const type = "HKQuantityTypeIdentifierStepCount";
  const text = element("Record", { type, source: "iPhone", unit: "count", value: "512", recordCount: "37", ...times });
  const { samples, report } = await read(root(text));
  expect(report).toMatchObject({ accepted: 1, refused: {} });
  expect(samples).toMatchObject([
    {
      source_name: "iPhone",
      value: 512,
      start_at: Date.parse("2014-01-04T16:43:00Z"),
      end_at: Date.parse("2014-01-04T17:43:00Z"),
      time_zone: null,
      metadata: '{"recordCount":"37"}',
    },
  ]);
});

test("a malformed version 12 DTD with vertical tabs in a source's name is read", async () => {
  const dtd = "<!DOCTYPE HealthData [\n<!ATTLIST Record\n type CDATA #REQUIRED\n<!ELEMENT Me EMPTY>\n>\n>\n]>";
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${dtd}\n${root(heart({ sourceName: "My\u000BWatch&#11;" }))}`;
  const { samples } = await read(text);
  expect(samples).toMatchObject([{ source_name: "MyWatch", value: 60 }]);
});

test("attributes in any order make the same samples under the same ids", async () => {
  const given = {
    type: "HKQuantityTypeIdentifierHeartRate",
    sourceName: "W",
    sourceVersion: "10.1",
    unit: "count/min",
    creationDate: at(9),
    startDate: at(),
    endDate: at(1),
    value: "61",
  };
  const { samples: expected } = await read(root(element("Record", given)));
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(Object.entries(given), { minLength: Object.keys(given).length }),
      async (order) => {
        expect((await read(root(element("Record", Object.fromEntries(order))))).samples).toEqual(expected);
      },
    ),
    { numRuns: 20 },
  );
});

const pressure = (value: Attributes): string =>
  ["Systolic", "Diastolic"]
    .filter((half) => value[half] !== undefined)
    .map((half) => record(`BloodPressure${half}`, { unit: "mmHg", value: value[half] ?? "" }))
    .join("\n");
const correlation = (type: string, inner: string): string =>
  element(
    "Correlation",
    { type: `HKCorrelationTypeIdentifier${type}`, sourceName: "W", startDate: at(), endDate: at() },
    inner,
  );

test("the halves of a blood pressure are taken once, in one group, though the correlation repeats them", async () => {
  const halves = pressure({ Systolic: "120", Diastolic: "80" });
  const { samples, report } = await read(root(halves + correlation("BloodPressure", halves)));
  expect(report).toMatchObject({ accepted: 2, ignored: { Correlation: 1 } });
  const groups = samples.map(({ group_id }) => group_id);
  expect(groups[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(groups[1]).toBe(groups[0]);
});

const food = (name: string, unit: string, second: number): string =>
  record(`Dietary${name}`, { unit, value: "20", startDate: at(second), endDate: at(second) });

test("the parts of a meal are one group, and those of another meal another", async () => {
  const meal = food("Protein", "g", 0) + food("EnergyConsumed", "kcal", 0);
  const { samples } = await read(root(meal + food("Protein", "g", 5) + correlation("Food", meal)));
  expect(samples).toHaveLength(3);
  const [protein, energy, later] = ["g0", "kcal0", "g5"].map(
    (key) =>
      samples.find(({ unit, start_at }) => key === `${unit}${(start_at - Date.parse("2024-01-01T07:00:00Z")) / 1000}`)
        ?.group_id,
  );
  expect(protein).toBe(energy);
  expect(later).not.toBe(protein);
});

test("a systolic pressure that is not above its diastolic refuses both, however far apart the file lists them", async () => {
  const between = Array.from({ length: 4500 }, (_, n) =>
    heart({
      startDate: `2024-02-01 ${10 + Math.floor(n / 3600)}:${10 + (Math.floor(n / 60) % 50)}:${10 + (n % 50)} +0100`,
      endDate: "2024-02-01 20:00:00 +0100",
    }),
  ).join("\n");
  const text = root(pressure({ Systolic: "70" }) + between + pressure({ Diastolic: "120" }));
  const { report, sent } = await read(text);
  expect(report).toMatchObject({ received: 4502, accepted: 4500, refused: { out_of_range: { count: 2 } } });
  expect(report.refused["out_of_range"]?.examples.map(({ line, detail }) => [line, detail])).toEqual([
    [2, "value: the systolic pressure must be above the diastolic one of the same group and start"],
    [4501, "value: the systolic pressure must be above the diastolic one of the same group and start"],
  ]);
  expect(sent.flatMap(({ dead_letters }) => dead_letters)).toHaveLength(2);
});

test("of a measurement with a list of beats its own value is taken, and the beats are used for nothing", async () => {
  const beats = element(
    "HeartRateVariabilityMetadataList",
    {},
    '<InstantaneousBeatsPerMinute bpm="61" time="4:17:18.57 PM"/><InstantaneousBeatsPerMinute bpm="60" time="00:20:37,80"/>',
  );
  const { samples, published } = await read(
    root(record("HeartRateVariabilitySDNN", { unit: "ms", value: "45.5" }, beats)),
  );
  expect(samples).toMatchObject([{ value: 45.5, metadata: null }]);
  expect(published).not.toMatch(/InstantaneousBeats|4:17:18/);
});

const device = (address: string): string =>
  `&lt;&lt;HKDevice: ${address}&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:10.2&gt;`;

test("a device is its model and hardware; the address that differs on every row makes no difference", async () => {
  const first = await read(root(heart({ device: device("0x3012772a0") })));
  const second = await read(root(heart({ device: device("0x282a45810") })));
  expect(first.samples).toMatchObject([{ device: "Watch", product_type: "Watch6,7" }]);
  expect(second.sent).toEqual(first.sent);
  expect(first.published).not.toContain("0x3012772a0");
});

const ME = {
  HKCharacteristicTypeIdentifierDateOfBirth: "1983-05-17",
  HKCharacteristicTypeIdentifierBiologicalSex: "HKBiologicalSexFemale",
  HKCharacteristicTypeIdentifierBloodType: "HKBloodTypeABNegative",
};

test.each([
  ["as an empty element", element("Me", ME)],
  ["with children", element("Me", {}, element("Characteristic", ME))],
  ["in text", "<Me>1983-05-17 HKBloodTypeABNegative</Me>"],
  ["inside a record", heart({}, element("Me", ME))],
  ["as a record", element("Record", { type: "HKCharacteristicTypeIdentifierDateOfBirth", value: "1983-05-17" })],
])("who the person is, %s, is never published nor told", async (_, me) => {
  const { published, report } = await read(root(`${me}${heart({ startDate: at(1), endDate: at(1) })}`));
  expect(report.accepted).toBeGreaterThanOrEqual(1);
  expect(published).not.toMatch(/1983|ABNegative|Female/);
  expect(JSON.stringify(report)).not.toMatch(/1983|ABNegative|Female/);
});

test("a modern workout's statistics, events and route: totals are kept with it, positions are not", async () => {
  const stats = (type: string, more: Attributes): string =>
    element("WorkoutStatistics", { type: `HKQuantityTypeIdentifier${type}`, startDate: at(), endDate: at(), ...more });
  const inner = [
    element("MetadataEntry", { key: "HKIndoorWorkout", value: "0" }),
    element("WorkoutEvent", { type: "HKWorkoutEventTypePause", date: at(), duration: "1", durationUnit: "min" }),
    stats("ActiveEnergyBurned", { sum: "250.5", unit: "Cal" }),
    stats("HeartRate", { average: "140", minimum: "90", maximum: "170", unit: "count/min" }),
    element("WorkoutRoute", {}, '<FileReference path="/workout-routes/route_2024-01-01.gpx"/>'),
  ].join("");
  const workout = element(
    "Workout",
    {
      workoutActivityType: "HKWorkoutActivityTypeRunning",
      duration: "30",
      durationUnit: "min",
      sourceName: "W",
      startDate: at(),
      endDate: at(59),
    },
    inner,
  );
  const { samples, published } = await read(root(workout));
  expect(samples).toMatchObject([{ type: "HKWorkoutTypeIdentifier", value: 0 }]);
  expect(JSON.parse(samples[0]?.metadata ?? "")).toEqual({
    workoutActivityType: "HKWorkoutActivityTypeRunning",
    duration: "30",
    durationUnit: "min",
    HKIndoorWorkout: "0",
    "WorkoutStatistics.ActiveEnergyBurned.sum": "250.5",
    "WorkoutStatistics.ActiveEnergyBurned.unit": "Cal",
    "WorkoutStatistics.HeartRate.average": "140",
    "WorkoutStatistics.HeartRate.minimum": "90",
    "WorkoutStatistics.HeartRate.maximum": "170",
    "WorkoutStatistics.HeartRate.unit": "count/min",
  });
  expect(published).not.toContain("gpx");
});

test("a row that a wrong clock put into 2030 is refused as future, and its neighbour taken", async () => {
  const future = heart({ startDate: "2030-01-01 00:00:00 +0000", endDate: "2030-01-01 00:00:01 +0000" });
  const { report } = await read(root(`${future}\n${heart()}`));
  expect(report).toMatchObject({ accepted: 1, refused: { future: { count: 1, examples: [{ line: 2 }] } } });
});

test("what is no sample is counted by name and skipped", async () => {
  const others = [
    element("ExportDate", { value: at() }),
    element("Me", ME),
    element("ActivitySummary", { dateComponents: "2024-01-01", activeEnergyBurned: "500" }),
    element("ClinicalRecord", { type: "AllergyIntolerance" }),
    element("Audiogram", { type: "x" }, "<SensitivityPoint/>"),
    element("VisionPrescription", { type: "x" }),
  ].join("");
  const { report } = await read(root(others + heart()));
  expect(report).toMatchObject({
    accepted: 1,
    refused: {},
    faults: [],
    ignored: { ExportDate: 1, Me: 1, ActivitySummary: 1, ClinicalRecord: 1, Audiogram: 1, VisionPrescription: 1 },
  });
});

test.each([false, true])("an export of any name inside a zip is found (zip64: %s)", async (zip64) => {
  for (const name of ["apple_health_export/导出.xml", "apple_health_export/Export.xml", "exportación.XML"]) {
    const entries = [
      { name: "apple_health_export/export_cda.xml", text: "<ClinicalDocument/>".padEnd(10_000) },
      { name, text: root(heart()) },
    ];
    expect((await read(zip(entries, zip64))).report).toMatchObject({ accepted: 1, faults: [] });
  }
});

const ENTITIES = Array.from({ length: 20 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join("");

test.each([
  ["entities that expand without end", `<!DOCTYPE HealthData [<!ENTITY e0 "x">${ENTITIES}]>${root("&e20;")}`, /entity/],
  [
    "a file named by an entity",
    `<!DOCTYPE HealthData [<!ENTITY e0 SYSTEM "file:///etc/passwd">]>${root("&e0;")}`,
    /entity/,
  ],
  [
    "a zip that inflates to nothing but zeros",
    zip([{ name: "export.xml", text: "\0".repeat(40 << 20) }]),
    /no XML file/,
  ],
  [
    "a zip that inflates to an endless text",
    zip([{ name: "export.xml", text: `<HealthData>${" ".repeat(40 << 20)}` }]),
    /megabyte without a tag/,
  ],
  ["a zip inside a zip", zip([{ name: "export.zip", text: "PK" }]), /no XML file/],
])("%s are refused with the reason, and nothing is published", async (_, content, reason) => {
  const { report, sent } = await read(content);
  expect(sent).toEqual([]);
  expect(report.faults).toMatchObject([{ detail: expect.stringMatching(reason) as unknown }]);
});
