import { afterAll, beforeEach, expect, test } from "vitest";
import { openEdits } from "../support/edits.ts";
import { isolated } from "../support/stack.ts";
import { clear, openBench } from "../support/windows/bench.ts";

const here = await isolated("edits-bad-input");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));
const edits = await openEdits(bench);
const { done, send } = edits;

const DAY = "2026-11-20";
const metric = (name: string, date = DAY): string => `anna/metrics/${date}/${name}`;

type Case = [method: string, path: string, body: unknown, status: number, field: string, says: RegExp];

const DATES: Case[] = [
  ...["2026-11-22", "2026-12-01", "2099-01-01", "9999-12-31"].map((date): Case => [
    "PUT",
    metric("weight", date),
    { value: 70 },
    422,
    "date",
    /future.*2026-11-21/,
  ]),
  ...["1899-12-31", "1000-01-01", "0001-01-01"].map((date): Case => [
    "PUT",
    metric("weight", date),
    { value: 70 },
    422,
    "date",
    /1900-01-01 or later/,
  ]),
  ...["2026-13-01", "2026-02-29", "2026-11-31", "20261120", "yesterday", "2026-11-20T12:00:00Z", "26-11-20"].map(
    (date): Case => ["PUT", metric("weight", date), { value: 70 }, 422, "date", /local date like 2026-11-21/],
  ),
  ["PATCH", `${metric("weight", "2026-12-01")}/manual`, { locked: true }, 422, "date", /future/],
  ["DELETE", `${metric("weight", "2026-12-01")}/manual`, undefined, 422, "date", /future/],
  ["PUT", "anna/wellness/2026-12-01", { mood: 3 }, 422, "date", /future/],
  ["PUT", "anna/wellness/1899-01-01", { mood: 3 }, 422, "date", /1900/],
];

const METRICS: Case[] = [
  ["PUT", metric("heart_rate"), { value: 60 }, 422, "metric", /no athlete metric.*Known are .*resting_hr/],
  ["PUT", metric("resting_heart_rate"), { value: 50 }, 422, "metric", /did you mean resting_hr/],
  ["PUT", metric("body_mass"), { value: 70 }, 422, "metric", /did you mean weight/],
  ["PUT", metric("wieght"), { value: 70 }, 422, "metric", /did you mean weight/],
  ["PUT", metric("Steps"), { value: 70 }, 422, "metric", /did you mean steps/],
  ["PUT", metric("constructor"), { value: 70 }, 422, "metric", /no athlete metric/],
  ["PUT", metric("x".repeat(200)), { value: 70 }, 422, "metric", /no athlete metric/],
  ["PATCH", `${metric("wieght")}/manual`, { locked: true }, 422, "metric", /did you mean weight/],
  ["DELETE", `${metric("wieght")}/manual`, undefined, 422, "metric", /did you mean weight/],
];

const UNITS: Case[] = [
  ["PUT", metric("weight"), { value: 70, unit: "count" }, 422, "unit", /one of .*kg.*lb/],
  ["PUT", metric("weight"), { value: 70, unit: "KG" }, 422, "unit", /it is "KG"/],
  ["PUT", metric("weight"), { value: 70, unit: "" }, 422, "unit", /one of .*kg/],
  ["PUT", metric("steps"), { value: 70, unit: "m" }, 422, "unit", /one of count/],
  ["PUT", metric("hrv"), { value: 70, unit: "bpm" }, 422, "unit", /one of ms/],
  ["PUT", metric("spo2"), { value: 0.97, unit: "ratio" }, 422, "unit", /fraction, %/],
  ["PUT", metric("vitamin_a"), { value: 900, unit: "IU" }, 422, "unit", /mcg/],
  ["PUT", metric("sleep_duration"), { value: 8, unit: "h" }, 422, "unit", /hr/],
  ["PUT", metric("mood"), { value: 3, unit: "%" }, 422, "unit", /one of score/],
  ["PATCH", `${metric("weight")}/manual`, { value: 70, unit: "stone", locked: true }, 422, "unit", /st/],
  ["PATCH", `${metric("weight")}/manual`, { unit: "kg", locked: true }, 422, "unit", /needs a value/],
];

const VALUES: Case[] = [
  ["PUT", metric("weight"), { value: 0 }, 422, "value", /2 to 500 kg/],
  ["PUT", metric("weight"), { value: -70 }, 422, "value", /2 to 500 kg/],
  ["PUT", metric("weight"), { value: 500.1 }, 422, "value", /2 to 500 kg/],
  ["PUT", metric("weight"), { value: 5000, unit: "lb" }, 422, "value", /2 to 500 kg/],
  ["PUT", metric("weight"), '{"value": 1e999}', 400, "value", /number/],
  ["PUT", metric("hrv"), { value: 0 }, 422, "value", /over 0 and at most 500 ms/],
  ["PUT", metric("resting_hr"), { value: 19 }, 422, "value", /20 to 150 count\/min/],
  ["PUT", metric("spo2"), { value: 97 }, 422, "value", /0.5 to 1 fraction \(or say the unit: %\)/],
  ["PUT", metric("spo2"), { value: 0.97, unit: "%" }, 422, "value", /0.5 to 1/],
  ["PUT", metric("body_fat"), { value: 18 }, 422, "value", /say the unit: %/],
  ["PUT", metric("steps"), { value: -1 }, 422, "value", /whole number, 0 to/],
  ["PUT", metric("steps"), { value: 100.5 }, 422, "value", /whole number/],
  ["PUT", metric("steps"), { value: 400_001 }, 422, "value", /0 to 400000/],
  ["PUT", metric("sleep_score"), { value: 101 }, 422, "value", /0 to 100/],
  ["PUT", metric("readiness"), { value: 70.5 }, 422, "value", /whole number, 0 to 100/],
  ["PUT", metric("sleep_efficiency"), { value: 1.1 }, 422, "value", /0 to 1/],
  ["PUT", metric("sleep_duration"), { value: -1 }, 422, "value", /0 to 180000 s/],
  ["PUT", metric("skin_temp"), { value: 98.6 }, 422, "value", /say the unit: degF/],
  ["PUT", metric("blood_glucose"), { value: 5 }, 422, "value", /mmol\/L/],
  ["PUT", metric("height"), { value: 180 }, 422, "value", /say the unit: cm/],
  ["PUT", metric("mood"), { value: 3.5 }, 422, "value", /whole number, 1 to 5/],
  ["PUT", metric("mood"), { value: 6 }, 422, "value", /1 to 5/],
  ["PATCH", `${metric("weight")}/manual`, { value: 1, locked: true }, 422, "value", /2 to 500/],
  ["PUT", metric("weight"), { value: "70" }, 400, "value", /number/],
  ["PUT", metric("weight"), { value: null }, 400, "value", /number/],
  ["PUT", metric("weight"), {}, 400, "value", /required/],
  ["PUT", metric("weight"), { value: 70, locked: "yes" }, 400, "locked", /boolean/],
  ["PUT", metric("weight"), { value: 70, note: "after breakfast" }, 400, "note", /not a known member/],
];

const WELLNESS: Case[] = [
  ...["soreness", "fatigue", "mood", "motivation"].map((scale): Case => [
    "PUT",
    `anna/wellness/${DAY}`,
    { [scale]: 3.5 },
    422,
    scale,
    /whole number, 1 to 5/,
  ]),
  ...[0, 6, -1, 4.999, 100].map((value): Case => [
    "PUT",
    `anna/wellness/${DAY}`,
    { mood: value },
    422,
    "mood",
    /1 to 5/,
  ]),
  ["PUT", `anna/wellness/${DAY}`, { energy: 3 }, 422, "energy", /soreness, fatigue, mood, motivation/],
  ["PUT", `anna/wellness/${DAY}`, {}, 422, "", /at least one of soreness/],
  ["PUT", `anna/wellness/${DAY}`, { mood: "4" }, 400, "mood", /number/],
  ["PUT", `anna/wellness/${DAY}`, { mood: null }, 400, "mood", /number/],
];

const ROWS: Case[] = [
  ["PATCH", `${metric("weight")}/garmin`, { locked: true }, 422, "source", /apple_health, derived, manual/],
  ["DELETE", `${metric("weight")}/derived`, undefined, 422, "source", /must be manual/],
  ["PATCH", `${metric("weight")}/manual`, { value: 70 }, 400, "locked", /required/],
  ["PATCH", `${metric("weight")}/manual`, {}, 400, "locked", /required/],
];

const ALL = [...DATES, ...METRICS, ...UNITS, ...VALUES, ...WELLNESS, ...ROWS];

test.each(ALL)("%s %s %j is refused with %i at %j", async (...[method, path, body, status, field, says]) => {
  const answer = await send(method, path, body);
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  expect(answer.body).toMatchObject({
    status,
    errors: expect.arrayContaining([{ path: field, detail: expect.stringMatching(says) as unknown }]) as unknown,
  });
  const rows = await bench.db.query("select from athlete_metrics union all select from outbox");
  expect(rows).toEqual([]);
});

test("the table of bad input is long enough to mean something", () => {
  expect(ALL.length).toBeGreaterThanOrEqual(60);
});

test("a new value with locked false is refused on a synced row: the next sync would undo it", async () => {
  await bench.db.query(
    `insert into athlete_metrics (athlete_id, date, metric, source, value, unit, is_final, revision, updated_at)
     values ('anna', $1, 'steps', 'derived', 900, 'count', true, 1, now())`,
    [DAY],
  );
  const answer = await send("PATCH", `${metric("steps")}/derived`, { value: 1000, locked: false });
  expect(answer.body).toMatchObject({ status: 422, errors: [{ path: "locked" }] });
});

test("a row that is not there cannot be changed, and the answer says what can be done", async () => {
  const answer = await send("PATCH", `${metric("weight")}/apple_health`, { locked: true });
  expect(answer.body).toMatchObject({ status: 404, detail: expect.stringContaining("PUT a manual value") as unknown });
});

test("someone else's athlete is refused, and so is a token without the scope to write", async () => {
  const other = await send("PUT", `bob/metrics/${DAY}/weight`, { value: 70 });
  expect(other.body).toMatchObject({ status: 403, detail: "the token may not act for this athlete" });
  expect((await send("PUT", `bob/wellness/${DAY}`, { mood: 3 })).status).toBe(403);
  const reader = await edits.ask(`/v1/athletes/anna/wellness/${DAY}`, { method: "PUT" });
  expect(reader.body).toMatchObject({ status: 403, detail: expect.stringContaining("scope write") as unknown });
});

test("an athlete's own today is no future, wherever they are", async () => {
  await bench.db.query(`insert into athletes (athlete_id, zones) values ('anna', $1)`, [
    JSON.stringify([{ from: "2020-01-01T00:00:00Z", zone: "Pacific/Honolulu" }]),
  ]);
  const early = await send("PUT", metric("weight", "2026-11-21"), { value: 70 });
  expect(early.body).toMatchObject({ status: 422, errors: [{ path: "date" }] });
  expect(await done("PUT", `metrics/${DAY}/weight`, { value: 70 })).toMatchObject({ value: 70 });
});

test("an edit that was on its way while the athlete was erased is refused", async () => {
  await bench.db.query(`insert into athletes (athlete_id, erased_before) values ('anna', now() + interval '1 minute')`);
  expect((await send("PUT", metric("weight"), { value: 70 })).status).toBe(410);
});
