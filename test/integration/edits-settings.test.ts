import { afterAll, beforeEach, expect, test } from "vitest";
import { interpret } from "../../src/domain/interpret.ts";
import { readAthlete } from "../../src/flow/athletes.ts";
import type { Sample } from "../../src/domain/sample.ts";
import { sent } from "../domain/make.ts";
import { openEdits } from "../support/edits.ts";
import { isolated } from "../support/stack.ts";
import { clear, counters, openBench, quiesce } from "../support/windows/bench.ts";
import { at, id, steps } from "../support/windows/samples.ts";

const here = await isolated("edits-settings");
const bench = openBench(here);
afterAll(() => bench.close());
beforeEach(() => clear(bench));
const edits = await openEdits(bench);
const { done, send } = edits;

const HOME = { from: "2000-01-01T00:00:00.000Z", zone: "Europe/Amsterdam" };
const TOKYO = { from: "2026-11-19T15:00:00.000Z", zone: "Asia/Tokyo" };
const BACK = { from: "2026-11-21T15:00:00.000Z", zone: "Europe/Amsterdam" };

/** A heart rate as staging interprets it under the settings in force, without a zone of its own. */
const beat = async (start: string, batch: string | null = "Europe/Amsterdam"): Promise<Sample> => {
  const { settings } = await readAthlete(bench.db, "anna");
  const when = { start_at: at(start), end_at: at(start), received_at: at("2026-11-30T00:00:00Z") };
  const result = interpret(
    sent({ athlete_id: "anna", sample_id: id(start), batch_time_zone: batch, settings, ...when }),
  );
  return result.kind === "ok" ? result.value : expect.fail(result.kind);
};

const dirty = async (): Promise<string[]> => {
  const rows = await bench.db.query<{ local_date: string }>(
    `select local_date from windows where dirty > fired and reason = 'settings' order by local_date`,
  );
  return rows.map((row) => row.local_date);
};

const staged = () =>
  bench.db.query<{ tz: string; local_date: string; rev: number; dirty: number }>(
    `select s.tz, s.local_date, s.rev, w.dirty from health_samples_staging s
     join windows w using (athlete_id, local_date) order by start_at`,
  );

test("settings are answered as they were put, each half on its own, with what is computed again", async () => {
  expect(await done("PUT", "settings", { zones: [HOME] })).toEqual({
    athlete_id: "anna",
    zones: [HOME],
    source_order: {},
    recomputing: { days: 0, from: null, to: null },
  });
  const order = { "*": ["com.apple.health|Watch7,5"], steps: ["Ring"] };
  expect(await done("PUT", "settings", { source_order: order })).toMatchObject({ zones: [HOME], source_order: order });
  const version = await edits.version();
  expect(await done("PUT", "settings", { zones: [HOME], source_order: order })).toMatchObject({
    recomputing: { days: 0 },
  });
  expect(await edits.version()).toBe(version);
  const history = await bench.db.query(`select actor, before, after, recomputing from settings_edits order by id`);
  expect(history).toHaveLength(2);
  expect(history[1]).toEqual({
    actor: "coach",
    before: { zones: [HOME], source_order: {} },
    after: { zones: [HOME], source_order: order },
    recomputing: { days: 0, from: null, to: null },
  });
});

test("a journey touches exactly the dates of samples that began during it, before and after", async () => {
  await done("PUT", "settings", { zones: [HOME] });
  const beats = ["2026-11-17T12:00:00Z", "2026-11-20T20:00:00Z", "2026-11-25T12:00:00Z"];
  await bench.stage(await Promise.all(beats.map((start) => beat(start))));
  const answer = await done("PUT", "settings", { zones: [HOME, TOKYO, BACK] });
  // A heart rate is read by the night before and after it; 20:00 UTC is the 20th in Amsterdam and the 21st in Tokyo.
  const touched = await dirty();
  expect(touched).toContain("2026-11-20");
  expect(touched).toContain("2026-11-21");
  expect(touched.every((date) => date >= "2026-11-19" && date <= "2026-11-23")).toBe(true);
  expect(answer["recomputing"]).toEqual({ days: touched.length, from: touched[0], to: touched.at(-1) });
});

test("staged rows move to the date that they have now, under its window's number", async () => {
  await bench.stage([await beat("2026-11-20T20:00:00Z"), await beat("2026-11-20T10:00:00Z")]);
  await done("PUT", "settings", { zones: [HOME, TOKYO, BACK] });
  expect((await staged()).map(({ tz, local_date }) => [tz, local_date])).toEqual([
    ["Asia/Tokyo", "2026-11-20"],
    ["Asia/Tokyo", "2026-11-21"],
  ]);
  for (const { rev, dirty } of await staged()) expect(rev).toBe(dirty);
  await done("PUT", "settings", { zones: [] });
  expect((await staged()).map(({ tz, local_date }) => [tz, local_date])).toEqual([
    ["Europe/Amsterdam", "2026-11-20"],
    ["Europe/Amsterdam", "2026-11-20"],
  ]);
});

test("samples that say their own zone do not move, and touch nothing while they are staged", async () => {
  await bench.stage([{ ...(await beat("2026-11-20T20:00:00Z")), attributes: { tz_source: "sample" } }]);
  expect(await done("PUT", "settings", { zones: [HOME, TOKYO, BACK] })).toMatchObject({ recomputing: { days: 0 } });
  expect((await staged()).map(({ tz }) => tz)).toEqual(["Europe/Amsterdam"]);
});

test("closed days are touched by what their objects hold", async () => {
  await bench.stage([await beat("2026-11-18T20:00:00Z")]);
  bench.now = at("2026-11-25T12:00:00Z");
  await quiesce(bench);
  await done("PUT", "settings", { zones: [{ ...TOKYO, from: "2026-11-18T00:00:00Z" }] });
  expect(await dirty()).toEqual(expect.arrayContaining(["2026-11-18", "2026-11-19"]));
});

test("an order of sources touches the dates that have the metric, and a closing day computes them again", async () => {
  const phone = {
    attributes: { device_class: "phone", bundle_id: "p", product_type: "iPhone" },
    source: "Phone",
  } as const;
  await bench.stage([
    steps("2026-11-18T09:00:00Z", 900),
    steps("2026-11-18T09:00:00Z", 700, { name: "phone", ...phone }),
    await beat("2026-11-10T12:00:00Z"),
  ]);
  bench.now = at("2026-11-25T12:00:00Z");
  await quiesce(bench);
  const value = async (): Promise<unknown> => {
    const [row] = await bench.db.query(
      `select value from athlete_metrics where metric = 'steps' and date = '2026-11-18'`,
    );
    return row?.["value"];
  };
  expect(await value()).toBe(900);
  const answer = await done("PUT", "settings", { source_order: { steps: ["p|iPhone"] } });
  expect(answer["recomputing"]).toEqual({ days: 2, from: "2026-11-18", to: "2026-11-19" });
  await quiesce(bench);
  expect(await value()).toBe(700);
  const before = await counters(bench);
  await done("PUT", "settings", { source_order: { steps: ["p|iPhone"], basal_energy: ["x"] } });
  await quiesce(bench);
  expect(await counters(bench)).toEqual(before);
});

test("an open day stays open until it ends where the athlete is by now", async () => {
  await bench.stage([await beat("2026-11-20T10:00:00Z")]);
  await done("PUT", "settings", { zones: [{ ...HOME, zone: "Pacific/Honolulu" }] });
  const [row] = await bench.db.query<{ closes_at: number }>(
    `select closes_at from windows where local_date = '2026-11-20'`,
  );
  expect(row?.closes_at).toBe(at("2026-11-21T10:00:00Z"));
});

const zone = (one: unknown) => ({ zones: [one] });
test.each<[body: unknown, status: number, path: string, says: RegExp]>([
  [{}, 422, "zones", /or source_order/],
  [{ zones: "Europe/Amsterdam" }, 400, "zones", /array/],
  [zone({ zone: "Europe/Amsterdam" }), 400, "zones[0].from", /required/],
  [zone({ from: "2026-11-19", zone: "Europe/Amsterdam" }), 422, "zones[0].from", /instant/],
  [zone({ from: "2026-11-19T15:00:00", zone: "Europe/Amsterdam" }), 422, "zones[0].from", /Z or an offset/],
  [zone({ from: "1026-11-19T15:00:00Z", zone: "Europe/Amsterdam" }), 422, "zones[0].from", /1900 to 2199/],
  [zone({ from: "2026-13-19T15:00:00Z", zone: "Europe/Amsterdam" }), 422, "zones[0].from", /instant/],
  [zone({ ...HOME, zone: "Europe/Amsterdm" }), 422, "zones[0].zone", /IANA/],
  [zone({ ...HOME, zone: "+01:00" }), 422, "zones[0].zone", /IANA/],
  [zone({ ...HOME, zone: "GMT+1" }), 422, "zones[0].zone", /IANA/],
  [zone({ ...HOME, zone: "" }), 422, "zones[0].zone", /IANA/],
  [zone({ ...HOME, note: "home" }), 400, "zones[0].note", /known member/],
  [{ zones: [TOKYO, HOME] }, 422, "zones[1].from", /ascending/],
  [{ zones: [HOME, HOME] }, 422, "zones[1].from", /later than/],
  [{ zones: Array.from({ length: 501 }, () => HOME) }, 422, "zones", /at most 500/],
  [{ source_order: { distance: ["x"] } }, 422, "source_order.distance", /samples of distance are distance_walk_run/],
  [{ source_order: { nonsense: ["x"] } }, 422, "source_order.nonsense", /\* or the metric of samples: heart_rate/],
  [{ source_order: { steps: ["x", "x"] } }, 422, "source_order.steps", /once/],
  [{ source_order: { steps: [""] } }, 422, "source_order.steps", /1 to 512/],
  [{ source_order: { steps: Array.from({ length: 65 }, (_, n) => `s${n}`) } }, 422, "source_order.steps", /at most 64/],
  [{ source_order: { steps: "x" } }, 400, "source_order.steps", /array/],
  [{ zones: [], units: "metric" }, 400, "units", /known member/],
])("settings %j are refused with %i at %j", async (body, status, path, says) => {
  const answer = await send("PUT", "anna/settings", body);
  expect(answer.body).toMatchObject({
    status,
    errors: expect.arrayContaining([{ path, detail: expect.stringMatching(says) as unknown }]) as unknown,
  });
});

test("settings are read with a token to read, and nobody else's", async () => {
  const empty = await edits.ask("/v1/athletes/anna/settings");
  expect(empty.body).toEqual({ athlete_id: "anna", zones: [], source_order: {} });
  expect((await send("PUT", "bob/settings", { zones: [] })).status).toBe(403);
});
