import { expect, test } from "vitest";
import { NAMESPACE, uuid5 } from "../../../src/domain/ids.ts";
import { at, digest, uuid } from "../make.ts";
import { keyOf, night, only, rows, segment, sessions } from "./night.ts";

/** Seven hours of a watch with stages, awake for a while in the middle. */
const STAGED = [
  ["core", 120],
  ["deep", 90],
  ["awake", 12],
  ["rem", 100],
  ["core", 98],
] as const;

test("a session is known by its athlete, source and the minute of its onset (D10)", () => {
  const session = only(night("watch", "2026-03-10T22:03:40Z", STAGED));
  const id = uuid5(NAMESPACE, "a1|com.apple.health.1|Watch7,5|2026-03-10T22:03Z", digest);
  expect(session).toMatchObject({ session_id: id, athlete_id: "a1", source: keyOf("watch"), date: "2026-03-11" });
});

test.each([
  ["spring", "Europe/Amsterdam", "2026-03-28T22:00:00Z", "2026-03-29"],
  ["autumn", "Europe/Amsterdam", "2026-10-24T21:00:00Z", "2026-10-25"],
  ["spring", "America/New_York", "2026-03-08T03:00:00Z", "2026-03-08"],
  ["autumn", "America/New_York", "2026-11-01T03:00:00Z", "2026-11-01"],
])("a night over the %s change of clocks in %s is as long as it was", (_, tz, from, date) => {
  expect(only(night("watch", from, STAGED, { tz }))).toMatchObject({
    date,
    tz,
    kind: "main",
    time_in_bed_s: 420 * 60,
    total_sleep_s: 408 * 60,
    awake_s: 12 * 60,
  });
});

test("a night in the air is one night, dated where it ends", () => {
  const before = night("watch", "2026-06-01T20:00:00Z", [["core", 240]], { tz: "Europe/Amsterdam" });
  const after = night("watch", "2026-06-02T00:00:00Z", [["rem", 300]], { tz: "America/Los_Angeles" });
  const flight = only([...before, ...after]);
  expect(flight).toMatchObject({ date: "2026-06-01", tz: "America/Los_Angeles", kind: "main", total_sleep_s: 32_400 });
});

test("midnight belongs to the new date", () => {
  expect(only(night("watch", "2026-03-10T22:00:00Z", [["asleep", 120]])).date).toBe("2026-03-11");
  expect(only(night("watch", "2026-03-10T21:59:00Z", [["asleep", 120]])).date).toBe("2026-03-10");
});

const parts = (gap: number) =>
  night("watch", "2026-03-10T22:00:00Z", [
    ["core", 100],
    ["rem", 20],
    ["gap", gap],
    ["core", 150],
    ["deep", 30],
  ]);

test("a gap of over 60 minutes splits a night in two, which stay two; the longer one is the main sleep", () => {
  expect(only(parts(60))).toMatchObject({ total_sleep_s: 300 * 60, gap_s: 3600, provenance: { gap_min: 60 } });
  const split = sessions(parts(61)).map(({ kind, total_sleep_s, date }) => [date, kind, total_sleep_s]);
  expect(split).toEqual([
    ["2026-03-11", "secondary", 120 * 60],
    ["2026-03-11", "main", 180 * 60],
  ]);
});

const nap = (from: string, minutes: number, tz = "UTC") =>
  only(night("watch", `2026-03-10T${from}Z`, [["asleep", minutes]], { tz })).kind;

test("a nap begins between 09:00 and 18:00 and is under three hours; it is never the main sleep, even alone", () => {
  expect(nap("09:00:00", 179)).toBe("nap");
  expect(nap("17:59:00", 30)).toBe("nap");
  expect(nap("08:59:00", 60)).toBe("main");
  expect(nap("18:00:00", 60)).toBe("main");
  expect(nap("09:00:00", 180)).toBe("main");
  expect(nap("18:30:00", 60, "America/New_York")).toBe("nap");
  expect(nap("09:30:00", 60, "America/New_York")).toBe("main");
});

test("a day has a main sleep, a nap and another sleep", () => {
  const all = [
    ...night("watch", "2026-03-09T23:00:00Z", STAGED),
    ...night("watch", "2026-03-10T13:00:00Z", [["asleep", 40]]),
    ...night("watch", "2026-03-10T19:00:00Z", [["asleep", 200]]),
  ];
  expect(sessions(all).map(({ kind, is_main_sleep }) => [kind, is_main_sleep])).toEqual([
    ["main", true],
    ["nap", false],
    ["secondary", false],
  ]);
});

test("the main sleep ends by 18:00, though a later one is longer; where none does it is the longest", () => {
  const early = night("watch", "2026-03-10T02:00:00Z", [["asleep", 100]]);
  const late = night("watch", "2026-03-10T14:00:00Z", [["asleep", 241]]);
  const evening = night("watch", "2026-03-10T20:00:00Z", [["asleep", 60]]);
  const kinds = (...nights: (typeof early)[]) => sessions(nights.flat()).map(({ kind }) => kind);
  expect(kinds(early, late, evening)).toEqual(["main", "secondary", "secondary"]);
  expect(kinds(late, evening)).toEqual(["main", "secondary"]);
  expect(kinds(night("watch", "2026-03-10T14:00:00Z", [["asleep", 240]]), early)).toEqual(["secondary", "main"]);
});

test("of two equally long sleeps the earlier one is the main sleep", () => {
  const first = night("watch", "2026-03-10T00:00:00Z", [["asleep", 100]]);
  const second = night("watch", "2026-03-10T04:00:00Z", [["asleep", 100]]);
  expect(sessions([...second, ...first]).map(({ kind }) => kind)).toEqual(["main", "secondary"]);
});

test("a night worker's day sleep is a main sleep", () => {
  const sleep = night("watch", "2026-03-10T09:30:00Z", STAGED);
  expect(only(sleep)).toMatchObject({ kind: "main", is_main_sleep: true, date: "2026-03-10" });
});

test("an app that tells the same night again is set aside, and says by whom", () => {
  const watch = night("watch", "2026-03-10T22:00:00Z", STAGED);
  const app = night("app", "2026-03-10T21:50:00Z", [["asleep", 440]]);
  const [loser, winner, ...others] = sessions([...app, ...watch]);
  expect(others).toEqual([]);
  expect(winner).toMatchObject({ source: keyOf("watch"), kind: "main", total_sleep_s: 408 * 60, superseded_by: null });
  expect(loser).toMatchObject({ source: keyOf("app"), kind: "secondary", superseded_by: winner?.session_id });
  expect(loser?.provenance).toMatchObject({ winner: keyOf("watch"), losers: [keyOf("app")], decided_by: "a" });
});

test("a loser names the winner's session that it overlaps most, the earlier of equals, the nearest where there is none", () => {
  const watch = night("watch", "2026-03-10T22:00:00Z", [
    ["core", 60],
    ["rem", 60],
    ["gap", 90],
    ["core", 60],
    ["deep", 60],
  ]);
  const named = (...loser: Parameters<typeof night>[2][number][]) => {
    const all = sessions([...watch, ...night("app", "2026-03-10T22:30:00Z", loser)]);
    const winners = all.filter(({ source }) => source === keyOf("watch")).map(({ session_id }) => session_id);
    expect(winners).toHaveLength(2);
    return winners.indexOf(all.find(({ source }) => source === keyOf("app"))?.superseded_by ?? "");
  };
  expect(named(["asleep", 240])).toBe(0);
  expect(named(["asleep", 270])).toBe(0);
  expect(named(["asleep", 271])).toBe(1);
  const bridge = night("ring", "2026-03-11T02:50:00Z", [["asleep", 70]]);
  const beyond = night("app", "2026-03-11T03:30:00Z", [["asleep", 90]]);
  const all = sessions([...watch, ...bridge, ...beyond]);
  const second = all.filter(({ source }) => source === keyOf("watch"))[1];
  expect(all.find(({ source }) => source === keyOf("app"))?.superseded_by).toBe(second?.session_id);
});

test("nights that only touch are two clusters", () => {
  const watch = night("watch", "2026-03-10T22:00:00Z", STAGED);
  const app = night("app", "2026-03-11T05:00:00Z", [["asleep", 60]]);
  expect(sessions([...watch, ...app]).every(({ superseded_by }) => superseded_by === null)).toBe(true);
});

test("a night of which only the bed is known is no sleep (D9)", () => {
  const bed = rows("phone", [
    ["inBed", "2026-03-10T22:00:00Z", "2026-03-10T23:00:00Z"],
    ["inBed", "2026-03-11T00:00:00Z", "2026-03-11T01:00:00Z"],
  ]);
  const app = rows("app", [["inBed", "2026-03-10T23:50:00Z", "2026-03-11T01:00:00Z"]], { tz: "Asia/Tokyo" });
  const session = only([...bed, ...app]);
  expect(session).toMatchObject({
    session_id: uuid5(NAMESPACE, "a1|pooled|2026-03-10T22:00Z", digest),
    date: "2026-03-11",
    source: "pooled",
    kind: "in_bed_only",
    is_main_sleep: false,
    onset_at: null,
    final_wake_at: null,
    time_in_bed_s: 180 * 60,
    total_sleep_s: null,
    efficiency: null,
    awake_s: null,
    gap_s: null,
    avg_hr: null,
    superseded_by: null,
  });
  expect(session.provenance).toEqual({
    sources: [
      { source_key: keyOf("phone"), samples: 2 },
      { source_key: keyOf("app"), samples: 1 },
    ],
    winner: "pooled",
  });
});

const bed = (from: string, to: string) => rows("phone", [["inBed", `2026-03-10T${from}Z`, `2026-03-10T${to}Z`]]);

const doze = (from: string, stage: "asleep" | "awake") => night("watch", `2026-03-10T${from}Z`, [[stage, 2]]);

test("in bed only: at least 180 minutes, gaps of at most 60, nobody asleep meanwhile", () => {
  const long = bed("01:00:00", "04:00:00");
  expect(sessions(bed("01:00:00", "03:59:00"))).toEqual([]);
  expect(sessions([...bed("01:00:00", "02:00:00"), ...bed("03:00:01", "04:30:00")])).toEqual([]);
  expect(sessions([...long, ...doze("02:00:00", "asleep")])).toEqual([]);
  expect(sessions([...long, ...doze("02:00:00", "awake")])).toHaveLength(1);
  expect(sessions([...long, ...doze("04:00:00", "asleep"), ...doze("00:58:00", "asleep")])).toHaveLength(1);
});

const row = (origin: "phone" | "app", n: number, tz: string, hour: number) =>
  segment(origin, "inBed", [at("2026-03-10T00:00:00Z") + hour * 3_600_000, at("2026-03-10T06:00:00Z")], {
    sample_id: uuid(n),
    tz,
  });

test("the zone in bed only is that of the row that ends last, of equals the smallest source's, then the later start's", () => {
  const zoneOf = (...list: ReturnType<typeof row>[]) => [only(list).tz, only(list.toReversed()).tz];
  const [early, late] = [row("phone", 9, "Asia/Tokyo", 1), row("phone", 8, "Europe/Paris", 2)];
  expect(zoneOf(early, late)).toEqual(["Europe/Paris", "Europe/Paris"]);
  expect(zoneOf(early, late, row("app", 99, "UTC", 3))).toEqual(["Europe/Paris", "Europe/Paris"]);
});

test("aggregated sleep, rows without time and rows of over a day make no session", () => {
  const aggregated = night("watch", "2026-03-10T22:00:00Z", STAGED, { attributes: { aggregated: true } });
  const empty = segment("watch", "asleep", [at("2026-03-10T22:00:00Z"), at("2026-03-10T22:00:00Z")]);
  const endless = segment("watch", "asleep", [at("2026-03-10T22:00:00Z"), at("2026-03-11T22:00:01Z")]);
  expect(sessions([...aggregated, empty, endless])).toEqual([]);
  const session = only([...night("watch", "2026-03-10T22:00:00Z", STAGED), endless, ...aggregated]);
  expect(session).toMatchObject({ total_sleep_s: 408 * 60, provenance: { set_aside: { too_long: 1 } } });
  const whole = segment("watch", "asleep", [at("2026-03-10T22:00:00Z"), at("2026-03-11T22:00:00Z")]);
  expect(only([whole]).total_sleep_s).toBe(86_400);
});

test("nothing tells of no sleep", () => {
  expect(sessions([])).toEqual([]);
});
