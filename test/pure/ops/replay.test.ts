import { expect, test } from "vitest";
import { NO_SPAN, aLog } from "../../support/replay-asked.ts";
import * as option from "../../../src/ops/replay-options.ts";
import { createPace } from "../../../src/ops/replay-pace.ts";
import { namesBeginning, planReplay } from "../../../src/ops/replay-plan.ts";
import { previewLines } from "../../../src/ops/replay-preview.ts";
import { endLines, listLines, planLines, progressLine } from "../../../src/ops/replay-text.ts";
import { selectChunk } from "../../../src/staging/select.ts";
import { aChunk, aSent, aSeries, HR, STEPS, uuid } from "../../support/staging/chunks.ts";

const everywhere = () => null;

test("without any condition everything in the log is read, and what is gone from its start is known", () => {
  const plan = planReplay(NO_SPAN, [aLog({ 0: [0, 5], 1: [3, 9], 2: [4, 4] })], everywhere);
  expect(plan).toEqual({
    ranges: [
      { topic: "health.samples.v1", topic_partition: 0, from: 0, to: 5 },
      { topic: "health.samples.v1", topic_partition: 1, from: 3, to: 9 },
    ],
    missing: [
      { topic: "health.samples.v1", topic_partition: 1, begins: 3, records: 3 },
      { topic: "health.samples.v1", topic_partition: 2, begins: 4, records: 4 },
    ],
  });
  expect(namesBeginning(NO_SPAN)).toBe(false);
  expect(planLines(plan).join("\n")).toContain("11 records in 2 topic partitions");
});

test("times and offsets narrow each other; named places are the only ones; the end is never past the log's", () => {
  const log = aLog({ 0: [0, 100], 1: [0, 100] }, { since: { 0: 10, 1: 10 }, until: { 0: 90, 1: 90 } });
  const mark = { topic: "samples", topic_partition: 0 } as const;
  const asked = { ...NO_SPAN, since: 1, until: 2, from: [{ ...mark, offset: 20 }], to: [{ ...mark, offset: 95 }] };
  expect(planReplay(asked, [log], everywhere)).toEqual({
    ranges: [{ topic: "health.samples.v1", topic_partition: 0, from: 20, to: 90 }],
    missing: [],
  });
  expect(namesBeginning(asked)).toBe(true);
  const beyond = { ...NO_SPAN, to: [{ ...mark, offset: 900 }] };
  expect(planReplay(beyond, [log], everywhere).ranges).toMatchObject([{ from: 10, to: 90 }]);
  expect(planReplay({ ...NO_SPAN, to: [{ ...mark, offset: 5 }] }, [log], everywhere).ranges).toEqual([]);
});

test("a time that reaches to the log's start may miss what was there before; athletes name their topic partitions", () => {
  const log = aLog({ 0: [7, 9], 1: [7, 9] }, { since: { 0: 7, 1: 8 } });
  const plan = planReplay({ ...NO_SPAN, since: 1 }, [log], () => new Set([0]));
  expect(plan.missing).toEqual([{ topic: "health.samples.v1", topic_partition: 0, begins: 7, records: null }]);
  expect(plan.ranges).toHaveLength(1);
});

test("options say what is wrong with them", () => {
  expect(option.topicsOption("samples, sleep", ["backfill"])).toEqual(["backfill", "samples", "sleep"]);
  expect(() => option.topicsOption("metrics")).toThrow("choose from samples, sleep, backfill");
  expect(() => option.athletesOption("no one")).toThrow("1 to 64 letters");
  expect(() => option.metricsOption("heart")).toThrow("did you mean heart_rate");
  expect(() => option.metricsOption("zzz")).toThrow("docs/metrics.md");
  expect(option.offsetsOption("sleep/3=12")).toEqual([{ topic: "sleep", topic_partition: 3, offset: 12 }]);
  expect(() => option.offsetsOption("sleep=3")).toThrow("samples/3=120");
  expect(option.instantOption("2026-11-20")).toBe(Date.parse("2026-11-20T00:00:00Z"));
  for (const text of ["yesterday", "2026-11-20T06:00", "2026-13-45"]) {
    expect(() => option.instantOption(text), text).toThrow("2026-11-20T06:00:00Z");
  }
  expect(option.rateOption("0.5")).toBe(0.5);
  for (const text of ["0", "-1", "fast"]) expect(() => option.rateOption(text), text).toThrow("over 0");
  expect(() => option.askedOf({ since: 2, until: 2 })).toThrow("--since must be before --until");
});

test("work waits until the records before it are paid for, and no longer once all is to end", async () => {
  const ending = new AbortController();
  const free = createPace(null, { now: () => 0 }, ending.signal);
  free.take();
  expect(await free.slot(async () => "done")).toBe("done");
  const pace = createPace(1, { now: () => 0 }, ending.signal);
  expect(await pace.slot(async () => "at once")).toBe("at once");
  for (let n = 0; n < 1000; n += 1) pace.take();
  let worked = false;
  const waiting = pace.slot(async () => (worked = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(worked).toBe(false);
  ending.abort();
  await waiting;
  expect(worked).toBe(true);
});

test("of a chunk the wanted metrics stay, and deletions that may be of them", () => {
  const chunk = aChunk({
    series: [aSeries([aSent()]), aSeries([aSent()], { type: STEPS }), aSeries([aSent()], { type: "nonsense" })],
    deletions: [
      { sample_id: uuid(1), type: null },
      { sample_id: uuid(2), type: HR },
      { sample_id: uuid(3), type: STEPS },
    ],
    daily: [{ date: 1, type: STEPS, value: 1, unit: "count" }],
  });
  const heart = selectChunk(chunk, { athletes: ["a1"], metrics: ["heart_rate"] });
  expect(heart?.series.map(({ type }) => type)).toEqual([HR]);
  expect(heart?.deletions.map(({ sample_id }) => sample_id)).toEqual([uuid(1), uuid(2)]);
  expect(heart?.daily).toEqual([]);
  expect(selectChunk(chunk, { athletes: null, metrics: null })).toBe(chunk);
  expect(selectChunk(chunk, { athletes: ["a2"], metrics: null })).toBeNull();
  expect(selectChunk({ ...chunk, deletions: [] }, { athletes: null, metrics: ["weight"] })).toBeNull();
});

const status = {
  id: "x",
  done: 50,
  total: 200,
  began: 10,
  ms: 4000,
  tally: { stored: 3, duplicate: 40 },
  waiting: false,
};

test("progress says how far, how fast and how long still, and what it waits for", () => {
  expect(progressLine(status)).toBe("replay x: 50 of 200 records (25 %), 10 records/s, 15 s left");
  expect(progressLine({ ...status, began: 50 })).toBe("replay x: 50 of 200 records (25 %)");
  expect(progressLine({ ...status, total: 40_000 })).toContain("1 h 7 min left");
  expect(progressLine({ ...status, waiting: true })).toContain("waiting for Postgres");
});

test("the end says what became of the records and how to go on", () => {
  expect(endLines({ outcome: "paused", status })).toEqual([
    "replay x: 50 of 200 records, paused; go on with `health-sync replay resume x`",
    "          40  duplicate",
    "           3  stored",
  ]);
});

test("a running replay without a sign of life is shown as one to resume", () => {
  const replay = {
    replay_id: "x",
    state: "running" as const,
    selection: { athletes: ["a1"], metrics: null },
    rate: null,
    tally: {},
    owner: "o",
    seen_at: 0,
    created_at: 0,
    finished_at: null,
    done: 1,
    total: 4,
  };
  expect(listLines([replay], 60_000).join("\n")).toMatch(/stopped: resume it .*25 % .*a1 · all metrics/);
  expect(listLines([replay], 1000).join("\n")).toContain("running");
  expect(listLines([], 0)).toEqual(["there are no replays"]);
});

test("a preview shows each object and metric, old and new; locked ones by what the sync would write", () => {
  const none = { athletes: 1, tally: {}, staged: [], tombstones: 0, totals: 0, sessions: 0, objects: [], metrics: [] };
  expect(previewLines(none)).toEqual(["a replay would change nothing"]);
  const metric = { athlete_id: "a1", date: "2026-03-28", source: "derived", locked: false };
  const lines = previewLines({
    ...none,
    staged: [{ athlete_id: "a1", added: 2, replaced: 0, removed: 1 }],
    objects: [
      {
        athlete_id: "a1",
        period_start: "2026-03-28",
        change: "rewritten",
        rows_added: 3,
        rows_changed: 1,
        rows_removed: 0,
      },
    ],
    metrics: [
      { ...metric, metric: "steps", before: 100, after: 250.123456 },
      { ...metric, metric: "weight", before: null, after: null, locked: true },
    ],
  }).join("\n");
  expect(lines).toContain("5 added, 1 changed, 1 removed");
  expect(lines).toMatch(/2026-03-28 +rewritten +3 +1 +0/);
  expect(lines).toMatch(/steps +derived +100 +250.123/);
  expect(lines).toMatch(/weight +derived +- +- +locked/);
  const many = {
    ...none,
    metrics: Array.from({ length: 300 }, () => ({ ...metric, metric: "m", before: 1, after: 2 })),
  };
  expect(previewLines(many).at(-1)).toBe("… and 101 more lines: use --json");
});
