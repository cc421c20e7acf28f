import { expect, test } from "vitest";
import { pause } from "../../src/flow/retry.ts";
import { at, steps, uuid } from "../domain/make.ts";
import { openCorner } from "../support/corner.ts";
import { beat, idsOf, openQueryBench } from "../support/query-bench.ts";
import { daysFrom, stageRows, storeRows, writeDay } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query");
const corner = await openCorner(here);
const { db, objects } = corner;
const bench = openQueryBench(corner);
const { ask, stage, tombstone } = bench;
const week = { metric: "heart_rate", from: "2026-03-06", to: "2026-03-12" };

test("one series spans staging and objects, and a sample that stands in both is shown once", async () => {
  const both = beat("2026-03-10T23:00:00Z", 3);
  await storeRows(db, objects, [beat("2026-03-09T10:00:00Z", 1), beat("2026-03-10T10:00:00Z", 2), both]);
  await stage(both, beat("2026-03-11T10:00:00Z", 4));
  const answer = await ask("samples", week);
  expect(idsOf(answer)).toEqual([1, 2, 3, 4].map(uuid));
  expect(answer).toMatchObject({
    unit: "count/min",
    aggregation: "discrete",
    resolution: "raw",
    next: null,
    tz: "UTC",
  });
  expect(answer.points[0]).toEqual(["2026-03-09T10:00:00.000Z", "2026-03-09T10:00:00.000Z", 60, "Watch", uuid(1)]);
});

test("deleted samples are not shown, whether their content was found or is still looked for", async () => {
  const [found, open, kept] = [
    beat("2026-03-09T10:00:00Z", 1),
    beat("2026-03-09T11:00:00Z", 2),
    beat("2026-03-09T12:00:00Z", 3),
  ];
  await storeRows(db, objects, [found, open, kept]);
  await tombstone(found, "deleted");
  await tombstone(open, "deleted", false);
  expect(idsOf(await ask("samples", week))).toEqual([kept.sample_id]);
});

test("the same heartbeat through two doors is shown once, as the uuid's", async () => {
  const real = beat("2026-03-09T10:00:00.400Z", 1);
  const synthetic = beat("2026-03-09T10:00:00Z", 2, { attributes: { synthetic: true } });
  await storeRows(db, objects, [synthetic]);
  await stage(real);
  expect(idsOf(await ask("samples", week))).toEqual([real.sample_id]);
  // A second of the twins' agreement must not be cut by the range.
  expect(idsOf(await ask("samples", { ...week, from: "2026-03-09T10:00:00.300Z" }))).toEqual([real.sample_id]);
  expect(idsOf(await ask("samples", { ...week, to: "2026-03-09T10:00:00.300Z" }))).toEqual([]);
});

test("another athlete's samples and other metrics are not in it", async () => {
  await stage(beat("2026-03-11T10:00:00Z", 1), beat("2026-03-11T10:00:00Z", 2, { athlete_id: "b2" }));
  await stage(beat("2026-03-11T10:00:00Z", 3, { metric: "steps", unit: "count" }));
  expect(idsOf(await ask("samples", week))).toEqual([uuid(1)]);
});

test("a pane that moves rows and sweeps the old object while the answer is made is seen whole: no gap, no double", async () => {
  const rows = Array.from({ length: 40 }, (_, n) =>
    beat("2026-03-09T10:00:00Z", n + 1, { start_at: at("2026-03-09T10:00:00Z") + n * 60_000 }),
  );
  let [current] = await storeRows(db, objects, rows.slice(0, 20));
  await stage(...rows.slice(20));
  let staged = true;
  // To and fro: everything in one object, then half of it back in staging; the former object is gone at once.
  const move = async (): Promise<void> => {
    const next = await writeDay(objects, "2026-03-09", staged ? rows : rows.slice(0, 20));
    await db.transaction(async (tx) => {
      await next.point(tx);
      if (staged) await tx.query(`delete from health_samples_staging`);
      else await stageRows(tx, rows.slice(20));
    });
    if (current !== undefined) await objects.delete([current]);
    current = next.key;
    staged = !staged;
  };
  let moves = 0;
  // Not at every chance: an answer is tried five times.
  const sometimes = (wanted: (n: number) => boolean) => async (): Promise<void> => {
    if (wanted((moves += 1))) await move();
  };
  const expected = rows.map((row) => row.sample_id);
  for (const place of ["get", "read"]) {
    bench.beforeGet = sometimes((n) => place === "get" && n % 3 !== 0);
    bench.beforeRead = sometimes((n) => place === "read" && n % 4 === 0);
    for (let n = 0; n < 8; n += 1) expect(idsOf(await ask("samples", week))).toEqual(expected);
  }
  expect(moves).toBeGreaterThan(16);
  bench.beforeRead = async () => undefined;
  const ending = new AbortController();
  const mover = (async () => {
    while (!ending.signal.aborted) {
      await move();
      await pause(20, ending.signal);
    }
  })();
  try {
    for (let n = 0; n < 30; n += 1) expect(idsOf(await ask("samples", week))).toEqual(expected);
  } finally {
    ending.abort();
    await mover;
  }
});

test("an object that is missing for good is a 503, not an answer with a gap", async () => {
  const keys = await storeRows(db, objects, [beat("2026-03-09T10:00:00Z", 1)]);
  await objects.delete(keys);
  await expect(ask("samples", week)).rejects.toMatchObject({ status: 503, headers: { "retry-after": "1" } });
});

test("pages of a month show every sample once, in order, and read no further than they need", async () => {
  const rows = daysFrom("2026-02-01", 28).flatMap((date, day) =>
    Array.from({ length: 6 }, (_, n) => beat(`${date}T0${n}:30:00Z`, day * 10 + n + 1)),
  );
  await storeRows(db, objects, rows);
  const deleted = rows.slice(6, 90);
  for (const row of deleted) await tombstone(row, "deleted");
  let fetched = 0;
  bench.beforeGet = async () => void (fetched += 1);
  const seen: unknown[] = [];
  let cursor: string | null = null;
  let first = 0;
  do {
    const more: Record<string, unknown> = cursor === null ? {} : { cursor };
    const page = await ask("samples", {
      metric: "heart_rate",
      from: "2026-02-01",
      to: "2026-02-28",
      limit: 4,
      ...more,
    });
    expect(page.points.length).toBeLessThanOrEqual(4);
    seen.push(...idsOf(page));
    cursor = page.next;
    first ||= fetched;
  } while (cursor !== null);
  expect(seen).toEqual(rows.filter((row) => !deleted.includes(row)).map((row) => row.sample_id));
  expect(first).toBeLessThan(28);
});

test("steps of watch and phone are merged in buckets, and days are the athlete's own", async () => {
  await db.query(
    `insert into athletes (athlete_id, zones) values ('a1', '[{"from": "2020-01-01T00:00:00Z", "zone": "Europe/Amsterdam"}]')`,
  );
  const tz = { tz: "Europe/Amsterdam", local_date: "2026-03-10" };
  await storeRows(db, objects, [steps("watch", ["12:00:00", "12:10:00"], 1000, { sample_id: uuid(1), ...tz })]);
  await stage(steps("phone", ["12:05:00", "12:15:00"], 600, { sample_id: uuid(2), ...tz }));
  const range = { metric: "steps", from: "2026-03-10", to: "2026-03-10" };
  const hourly = await ask("samples", { ...range, resolution: "15m" });
  expect(hourly.columns).toEqual(["start_at", "end_at", "sum"]);
  expect(hourly.points).toEqual([["2026-03-10T12:00:00.000Z", "2026-03-10T12:15:00.000Z", 1300]]);
  const daily = await ask("samples", { ...range, resolution: "1d" });
  expect(daily.points).toEqual([["2026-03-10", "2026-03-09T23:00:00.000Z", "2026-03-10T23:00:00.000Z", 1300]]);
});

test("a sample that began days before the range and reaches into it is not missed", async () => {
  const long = steps("phone", ["00:00:00", "00:00:00"], 96, {
    start_at: at("2026-03-06T00:00:00Z"),
    end_at: at("2026-03-10T00:00:00Z"),
    local_date: "2026-03-06",
  });
  await storeRows(db, objects, [long]);
  const answer = await ask("samples", {
    metric: "steps",
    from: "2026-03-09T20:00:00Z",
    to: "2026-03-10T12:00:00Z",
    resolution: "1h",
  });
  expect(answer.points.map((point) => point[2])).toEqual([1, 1, 1, 1]);
});
