import { afterAll, beforeEach, expect, test } from "vitest";
import { type EditRow, openEdits } from "../support/edits.ts";
import { isolated } from "../support/stack.ts";
import { clear, counters, openBench, quiesce } from "../support/windows/bench.ts";
import { at, steps } from "../support/windows/samples.ts";

const here = await isolated("edits");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));
const { done, send, history, version, events } = await openEdits(bench);

const DAY = "2026-11-20";
const STEPS = `metrics/${DAY}/steps`;

/** Steps of the day, computed and final. */
const closeDay = async (value = 900): Promise<void> => {
  await bench.stage([steps("2026-11-20T09:00:00Z", value)]);
  bench.now = at("2026-11-21T03:00:01Z");
  await quiesce(bench);
};

const more = async (value: number): Promise<void> => {
  await bench.stage([steps(`2026-11-20T1${String(value).slice(0, 1)}:00:00Z`, value)]);
  await quiesce(bench);
};

const stored = async (source: string): Promise<EditRow | undefined> => {
  const [row] = await bench.db.query<EditRow>(
    `select value, unit, locked, synced_value, revision from athlete_metrics where source = $1 and metric = 'steps'`,
    [source],
  );
  return row;
};

const effective = async (): Promise<unknown> => {
  const rows = await bench.db.query(`select source, value from athlete_metrics_effective where metric = 'steps'`);
  return rows[0];
};

test("a manual value is a row, an event and a line of history in one, and outranks what was computed", async () => {
  await closeDay();
  const row = await done("PUT", STEPS, { value: 1200 });
  expect(row).toMatchObject({
    athlete_id: "anna",
    date: DAY,
    metric: "steps",
    source: "manual",
    value: 1200,
    unit: "count",
    locked: false,
    synced_value: null,
    is_final: true,
    method: null,
    updated_at: new Date(bench.now).toISOString(),
  });
  expect(await stored("manual")).toMatchObject({ value: 1200, revision: row.revision });
  expect(await effective()).toEqual({ source: "manual", value: 1200 });
  expect((await stored("derived"))?.value).toBe(900);
  expect((await events("steps")).at(-1)).toMatchObject({
    key: `anna|${DAY}|steps|manual`,
    value: { athlete_id: "anna", value: 1200, revision: row.revision, updated_at: bench.now, pane: null },
  });
  expect(await history()).toEqual([
    {
      action: "set",
      actor: "coach",
      date: DAY,
      metric: "steps",
      source: "manual",
      before: null,
      after: expect.objectContaining({ value: 1200 }) as unknown,
      revision: row.revision,
    },
  ]);
});

test("a convertible unit is converted to the metric's own", async () => {
  expect(await done("PUT", `metrics/${DAY}/sleep_duration`, { value: 7.5, unit: "hr" })).toMatchObject({
    value: 27_000,
    unit: "s",
  });
  expect(await done("PUT", `metrics/${DAY}/body_fat`, { value: 18, unit: "%" })).toMatchObject({
    value: 0.18,
    unit: "fraction",
  });
});

test("the same edit again changes neither revision nor version, and tells nobody", async () => {
  const first = await done("PUT", STEPS, { value: 1200 });
  const before = [await counters(bench), await version()];
  expect(await done("PUT", STEPS, { value: 1200 })).toEqual(first);
  expect(await done("PATCH", `${STEPS}/manual`, { value: 1200, locked: false })).toEqual(first);
  expect([await counters(bench), await version()]).toEqual(before);
  expect(await history()).toHaveLength(1);
});

test("an edited value stays through syncs, which go on beside it, and unlocking brings the last of them back", async () => {
  await closeDay();
  const edited = await done("PATCH", `${STEPS}/derived`, { value: 5000, locked: true });
  expect(edited).toMatchObject({ value: 5000, locked: true, synced_value: 900, method: "steps_merge/1" });
  await more(100);
  expect(await stored("derived")).toMatchObject({ value: 5000, locked: true, synced_value: 1000 });
  const unlocked = await done("PATCH", `${STEPS}/derived`, { locked: false });
  expect(unlocked).toMatchObject({ value: 1000, locked: false, synced_value: null });
  expect(unlocked.revision).toBeGreaterThan(edited.revision);
  await more(200);
  expect(await stored("derived")).toMatchObject({ value: 1200, locked: false });
  expect((await history()).map(({ action }) => action)).toEqual(["edit", "unlock"]);
});

test("a locked row whose samples are deleted stays; unlocking it then removes it, as a tombstone with its number", async () => {
  const walk = steps("2026-11-20T09:00:00Z", 900);
  await bench.stage([walk]);
  bench.now = at("2026-11-21T03:00:01Z");
  await quiesce(bench);
  await done("PATCH", `${STEPS}/derived`, { locked: true });
  await bench.delete([walk.sample_id]);
  await quiesce(bench);
  expect(await stored("derived")).toMatchObject({ value: 900, locked: true, synced_value: null });
  const gone = await done("PATCH", `${STEPS}/derived`, { locked: false });
  expect(gone).toEqual({
    athlete_id: "anna",
    date: DAY,
    metric: "steps",
    source: "derived",
    removed: true,
    revision: expect.any(Number) as unknown,
  });
  expect(await stored("derived")).toBeUndefined();
  const last = (await events("steps")).at(-1);
  expect(last).toMatchObject({ value: null, headers: { revision: String(gone.revision) } });
});

test("a manual value can be taken back, twice without harm", async () => {
  await closeDay();
  await done("PUT", STEPS, { value: 1200 });
  expect(await done("DELETE", `${STEPS}/manual`)).toMatchObject({ removed: true });
  expect(await effective()).toEqual({ source: "derived", value: 900 });
  const before = await counters(bench);
  expect(await done("DELETE", `${STEPS}/manual`)).toMatchObject({ removed: false, revision: null });
  expect(await counters(bench)).toEqual(before);
});

test("the scales of wellness are entered together or not at all", async () => {
  const entered = await done("PUT", `wellness/${DAY}`, { mood: 4, soreness: 2 });
  expect(entered["metrics"]).toMatchObject([
    { metric: "mood", source: "manual", value: 4, unit: "score" },
    { metric: "soreness", source: "manual", value: 2, unit: "score" },
  ]);
  const refused = await send("PUT", `anna/wellness/${DAY}`, { mood: 5, fatigue: 3.5, energy: 3 });
  expect(refused.status).toBe(422);
  expect(refused.body["errors"]).toEqual([
    { path: "fatigue", detail: "must be a whole number, 1 to 5 score" },
    { path: "energy", detail: "is no scale of wellness; there are soreness, fatigue, mood, motivation" },
  ]);
  const again = await done("PUT", `wellness/${DAY}`, { mood: 4, soreness: 3, motivation: 5 });
  const [mood] = again["metrics"] as EditRow[];
  expect(mood).toEqual((entered["metrics"] as EditRow[])[0]);
  expect((await history()).map(({ after }) => after?.value)).toEqual([4, 2, 3, 5]);
});

test("edits and panes side by side lose nothing: each edit stands, and so does what was synced last", async () => {
  await closeDay();
  const work: Promise<unknown>[] = [];
  for (let n = 1; n <= 24; n += 1) {
    work.push(done("PATCH", `${STEPS}/derived`, { value: 10_000 + n, locked: true }));
    work.push(done("PUT", `metrics/${DAY}/weight`, { value: 70 + n / 10 }));
    const start = new Date(at("2026-11-20T10:00:00Z") + n * 600_000).toISOString();
    work.push(bench.stage([steps(start, n)]).then(() => bench.settle()));
  }
  await Promise.all(work);
  await quiesce(bench);
  const rows = await bench.db.query<EditRow>(`select * from athlete_metrics where metric in ('steps', 'weight')`);
  const noted = await history();
  expect(noted.filter(({ action }) => action === "edit")).toHaveLength(24);
  expect(noted.filter(({ action }) => action === "set")).toHaveLength(24);
  for (const row of rows) {
    const last = noted.findLast(({ after }) => after?.["metric"] === row["metric"]);
    expect(row.value, String(row["metric"])).toBe(last?.after?.value);
  }
  expect(await stored("derived")).toMatchObject({ locked: true, synced_value: 900 + (24 * 25) / 2 });
  const revisions = (await events("steps")).map(({ value }) => value?.revision ?? 0);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
});

test("replaying everything changes no locked value", async () => {
  await closeDay();
  await done("PATCH", `${STEPS}/derived`, { value: 5000, locked: true });
  const before = await stored("derived");
  await bench.db.query(`update windows set dirty = dirty + 1, reason = 'recompute'`);
  await quiesce(bench);
  expect(await stored("derived")).toEqual(before);
});
