import { expect, test } from "vitest";
import { Problem } from "../../../src/flow/route.ts";
import { metricsQuery } from "../../../src/query/metrics.ts";
import {
  checkSpan,
  cursorParameter,
  datesOf,
  encodeCursor,
  metricParameter,
  rangeParameters,
  type Resolution,
} from "../../../src/query/params.ts";
import { at } from "../../domain/make.ts";

const now = at("2026-11-21T12:00:00Z");
const amsterdam = (): string => "Europe/Amsterdam";
const range = (query: { from?: string; to?: string }) => rangeParameters(query, now, 86_400_000, amsterdam);

const refusal = (work: () => unknown): Problem => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

test("without from and to it is the last day", () => {
  expect(range({})).toEqual({ from: now - 86_400_000, to: now });
});

test("local dates mean the athlete's days, the last one included", () => {
  expect(range({ from: "2026-11-20", to: "2026-11-20" })).toEqual({
    from: at("2026-11-19T23:00:00Z"),
    to: at("2026-11-20T23:00:00Z"),
  });
});

test("offsets are understood, also where the client forgot to escape the plus", () => {
  const expected = at("2026-11-21T05:00:00Z");
  expect(range({ from: "2026-11-21T06:00:00+01:00" }).from).toBe(expected);
  expect(range({ from: "2026-11-21T06:00:00 01:00" }).from).toBe(expected);
});

test.each(["yesterday", "2026-11-21T06:00:00", "2026-02-30", "1732168800", "2026-11-21 06:00Z", ""])(
  "%j is refused, and the answer shows how to write it",
  (from) => {
    const problem = refusal(() => range({ from }));
    expect(problem.status).toBe(400);
    expect(problem.errors).toEqual([{ path: "from", detail: expect.stringContaining("2026-11-21") }]);
  },
);

test("from after to is refused", () => {
  expect(refusal(() => range({ from: "2026-11-22", to: "2026-11-20" })).message).toContain("must be before to");
});

test("an unknown metric names those that are known", () => {
  expect(refusal(() => metricParameter("heartrate")).message).toContain("heart_rate, resting_heart_rate, ");
});

const spanOf = (days: number) => ({ from: now - days * 86_400_000, to: now });

test.each([
  ["raw", 400],
  ["1m", 34],
  ["1h", 400],
  ["1d", 1100],
] as [Resolution, number][])("%s is given for %i days, and refused for more", (resolution, days) => {
  expect(() => checkSpan(resolution, spanOf(days))).not.toThrow();
  expect(refusal(() => checkSpan(resolution, spanOf(days + 1))).message).toMatch(/at most \d+ days/);
});

test("a range touches the local dates of its first and its last instant", () => {
  const span = { from: at("2026-11-20T22:59:59Z"), to: at("2026-11-21T23:00:00Z") };
  expect(datesOf(span, amsterdam)).toEqual({ first: "2026-11-20", last: "2026-11-21" });
});

test("a cursor survives the way to the client and back, anything else is refused", () => {
  const cursor = { start_at: 5, end_at: 6, sample_id: "00000000-0000-4000-8000-000000000001" };
  expect(cursorParameter(encodeCursor(cursor))).toEqual(cursor);
  for (const text of ["x", "", Buffer.from("[1]").toString("base64url"), Buffer.from("{}").toString("base64url")]) {
    expect(refusal(() => cursorParameter(text)).status).toBe(400);
  }
});

test("daily values: defaults, and a refusal that names what is possible", () => {
  expect(metricsQuery({}, now)).toEqual({
    from: "2026-10-23",
    to: "2026-11-22",
    metric: null,
    source: null,
    view: "effective",
  });
  expect(refusal(() => metricsQuery({ source: "garmin" }, now)).message).toContain("apple_health, derived, manual");
  expect(refusal(() => metricsQuery({ view: "some" }, now)).message).toContain("effective, all");
  expect(refusal(() => metricsQuery({ from: "2026-1-1" }, now)).message).toContain("2026-11-21");
  expect(refusal(() => metricsQuery({ from: "2026-11-23", to: "2026-11-22" }, now)).message).toContain("after to");
});
