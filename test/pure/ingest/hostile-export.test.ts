import { expect, test } from "vitest";
import { digest } from "../../../src/flow/digest.ts";
import { exportParts } from "../../../src/ingest/apple-export/parts.ts";
import { decideBatch } from "../../../src/ingest/decide.ts";
import { RECEIVED_AT } from "../../support/ingest/doors.ts";
import * as hostile from "../../support/ingest/hostile.ts";

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll("\n", "&#10;");

const GOOD = {
  type: "HKQuantityTypeIdentifierHeartRate",
  sourceName: "W",
  unit: "count/min",
  startDate: "2026-11-20 08:00:00 +0100",
  endDate: "2026-11-20 08:00:00 +0100",
  value: "57",
};

/** A record with other attributes; undefined leaves one out. */
const record = (more: Partial<Record<keyof typeof GOOD, string | undefined>>): string => {
  const attributes = Object.entries({ ...GOOD, ...more }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${escaped(value)}"`],
  );
  return `<Record ${attributes.join(" ")}/>`;
};

/** An attribute is text or absent; what XML cannot hold is never in one. */
const texts = (bad: hostile.Bad): hostile.Bad =>
  bad.filter(
    ([, value]) => typeof value === "string" && value.isWellFormed() && !value.includes("\0") && value.length < 200_000,
  );

const numbers: hostile.Bad = [
  ["words", "fast", /^bad_value$/],
  ["a comma", "57,5", /^bad_value$/],
  ["hexadecimal", "0x39", /^bad_value$/],
  ["NaN", "NaN", /^bad_value$/],
  ["Infinity", "Infinity", /^bad_value$/],
  ["more than a double holds", "1e999", /^bad_value$/],
  ["a space", " ", /^bad_value$/],
  ["two numbers", "57 58", /^bad_value$/],
  ["other digits", "５７", /^bad_value$/],
  ["nothing", "", /^bad_value$/],
  ["zero", "0", /^out_of_range$/],
  ["less than nothing", "-57", /^out_of_range$/],
  ["more than any heart", "301", /^out_of_range$/],
  ["many digits", "9".repeat(300), /^out_of_range$/],
];

const at = (hour: string): string => `2026-11-20 ${hour}:00 +0100`;

const CASES: hostile.Case[] = [
  ...hostile.casesOf("a start", texts(hostile.TIMES), "samples[0].start", (time) =>
    record({ startDate: time as string, endDate: time as string }),
  ),
  ...hostile.casesOf("a value", numbers, "samples[0].value", (value) => record({ value: value as string })),
  ...hostile.casesOf("a unit", texts(hostile.UNITS), "samples[0].unit", (unit) => record({ unit: unit as string })),
  ...hostile.casesOf("a type", texts(hostile.TYPES), "samples[0].type", (type) => record({ type: type as string })),
  ["no value", record({ value: undefined }), "samples[0].value", /^bad_value$/],
  ["no unit", record({ unit: undefined }), "samples[0].unit", /^bad_unit$/],
  ["no start", record({ startDate: undefined }), "samples[0].start", /^bad_time$/],
  ["no end", record({ endDate: undefined }), "samples[0].end", /^bad_time$/],
  ["no type", record({ type: undefined }), "samples[0].type", /^unknown_type$/],
  ["no attribute at all", "<Record/>", "samples[0].type", /^unknown_type$/],
  ["an end before its start", record({ endDate: at("07:00") }), "samples[0].end", /^end_before_start$/],
  ["a record of a week", record({ startDate: "2026-11-10 08:00:00 +0100" }), "samples[0].end", /^too_long$/],
  [
    "a clock of the year 2030",
    record({ startDate: "2030-01-01 00:00:00 +0000", endDate: "2030-01-01 00:00:00 +0000" }),
    "samples[0].start",
    /^future$/,
  ],
  [
    "a time of 2014 that is none",
    record({ startDate: "20141304084300-0800", endDate: "20141304084300-0800" }),
    "samples[0].start",
    /^bad_time$/,
  ],
  ["a source of 300 kB", record({ sourceName: "x".repeat(300_000) }), "samples[0]", /^too_large$/],
  [
    "metadata of 300 kB",
    `${record({}).slice(0, -2)}><MetadataEntry key="k" value="${"x".repeat(290_000)}"/></Record>`,
    "samples[0]",
    /^too_large$/,
  ],
  ["a workout without dates", '<Workout workoutActivityType="x"/>', "samples[0].start", /^bad_time$/],
  [
    "a workout backwards",
    `<Workout startDate="${at("09:00")}" endDate="${at("08:00")}"/>`,
    "samples[0].end",
    /^end_before_start$/,
  ],
];

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

test("the table of bad records has at least 60, each under a name of its own", () => {
  expect(CASES.length).toBeGreaterThanOrEqual(60);
  expect(new Set(CASES.map(([name]) => name)).size).toBe(CASES.length);
});

test.each(CASES)(
  "apple-export: %s is refused with its reason, and its neighbour is taken",
  async (_, xml, path, reason) => {
    const text = `<HealthData>\n${String(xml)}\n${record({ sourceName: "Neighbour" })}\n</HealthData>`;
    const fates = [];
    let accepted = 0;
    for await (const found of exportParts(bytesOf(text), { athlete_id: "a1", time_zone: null }, digest)) {
      for (const one of found) {
        expect(one.kind).not.toBe("fault");
        if (one.kind !== "part") continue;
        const context = { ...one.part, athlete_id: "a1", received_at: RECEIVED_AT, kind: "import" as const };
        fates.push(
          hostile.fateOf(() => {
            const decision = decideBatch(one.part.body, context, digest);
            accepted += decision.answer.accepted;
            return decision;
          }),
        );
      }
    }
    expect(accepted).toBe(1);
    expect(fates).toMatchObject([{ status: 202, reasons: [expect.stringMatching(reason)] }]);
    // Records are numbered in order of value: a bad one may stand behind its neighbour.
    expect(fates[0]?.paths[0]?.replace("samples[1]", "samples[0]")).toBe(path);
  },
);
