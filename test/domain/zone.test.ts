import { expect, test } from "vitest";
import { chooseZone, zoneAt } from "../../src/domain/zone.ts";
import { at } from "./make.ts";

const history = [
  { from: at("2026-01-01T00:00:00Z"), zone: "America/New_York" },
  { from: at("2026-06-01T00:00:00Z"), zone: "Asia/Tokyo" },
];
const all = { hk_time_zone: "Europe/Amsterdam", sent: "+01:00", history, batch: "Africa/Cairo" };
const when = at("2026-03-10T12:00:00Z");

const choose = (over: object) => chooseZone({ ...all, ...over }, when);

test("HKTimeZone comes before the sent zone, the athlete's, the batch's and UTC (D4)", () => {
  expect(choose({})).toMatchObject({ tz: "Europe/Amsterdam", tz_source: "sample", flags: [] });
  const without = { hk_time_zone: null };
  expect(choose(without)).toMatchObject({ tz: "+01:00", tz_source: "sample" });
  expect(choose({ ...without, sent: null })).toMatchObject({ tz: "America/New_York", tz_source: "athlete" });
  expect(choose({ ...without, sent: null, history: [] })).toMatchObject({ tz: "Africa/Cairo", tz_source: "batch" });
  expect(choose({ ...without, sent: null, history: [], batch: null })).toMatchObject({
    tz: "UTC",
    tz_source: "utc",
    flags: ["zone_assumed"],
  });
});

test("the athlete's zone is the one at that instant, and none before the first entry", () => {
  expect(zoneAt(history, at("2025-12-31T23:59:59Z"))).toBeUndefined();
  expect(zoneAt(history, at("2026-05-31T23:59:59Z"))).toBe("America/New_York");
  expect(zoneAt(history, at("2026-06-01T00:00:00Z"))).toBe("Asia/Tokyo");
  expect(zoneAt([{ from: 0, zone: "nowhere" }], when)).toBeUndefined();
});

test("an HKTimeZone that is no zone is passed over and flagged", () => {
  expect(chooseZone({ ...all, hk_time_zone: "Mars" }, when)).toMatchObject({ tz: "+01:00", flags: ["zone_ignored"] });
  expect(chooseZone({ hk_time_zone: "Mars", sent: null, history: [], batch: null }, when)).toMatchObject({
    flags: ["zone_ignored", "zone_assumed"],
  });
});

test("a zone that the client states and that is none is garbage", () => {
  expect(chooseZone({ ...all, hk_time_zone: null, sent: "Mars" }, when)).toEqual({ kind: "garbage", text: "Mars" });
  const batchOnly = { hk_time_zone: null, sent: null, history: [], batch: "" };
  expect(chooseZone(batchOnly, when)).toEqual({ kind: "garbage", text: "" });
});
