import { expect, test } from "vitest";
import { zoneChanges } from "../../src/domain/zone-changes.ts";

const HOME = { from: 0, zone: "Europe/Amsterdam" };
const AWAY = { from: 100, zone: "Asia/Tokyo" };
const BACK = { from: 200, zone: "Europe/Amsterdam" };

test("a first zone changes everything after it and nothing before", () => {
  expect(zoneChanges([], [HOME])).toEqual([{ from: 0, to: Infinity, before: undefined, after: HOME.zone }]);
});

test("a journey added later changes the time of the journey alone", () => {
  expect(zoneChanges([HOME], [HOME, AWAY, BACK])).toEqual([
    { from: 100, to: 200, before: HOME.zone, after: AWAY.zone },
  ]);
});

test("a journey that began later than thought changes what lies between", () => {
  expect(zoneChanges([HOME, AWAY], [HOME, { ...AWAY, from: 150 }])).toEqual([
    { from: 100, to: 150, before: AWAY.zone, after: HOME.zone },
  ]);
});

test("the same history in other words changes nothing", () => {
  expect(zoneChanges([HOME], [HOME, { ...HOME, from: 50 }])).toEqual([]);
  expect(zoneChanges([], [])).toEqual([]);
});
