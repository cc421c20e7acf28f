import { beforeEach, expect, test } from "vitest";
import type { Sample } from "../../src/domain/sample.ts";
import type { SleepSession } from "../../src/domain/sleep/session.ts";
import { sessionStreams } from "../../src/domain/sleep/streams.ts";
import type { RouteRequest } from "../../src/flow/route.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { explainCommand } from "../../src/ops/explain-command.ts";
import { explainSleep } from "../../src/query/sleep-explain.ts";
import { night, rows, sessions, vital } from "../domain/sleep/night.ts";
import { openCorner } from "../support/corner.ts";
import { openQueryBench } from "../support/query-bench.ts";
import { storeRows } from "../support/seed-samples.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-sleep");
const corner = await openCorner(here);
const { db, objects } = corner;
const bench = openQueryBench(corner);
const SLEEP = "/v1/athletes/{athlete_id}/sleep";

type Night = {
  session: Record<string, unknown>;
  hypnogram: Record<string, unknown>[];
  streams: { channel: string; unit: string; points: unknown[][] }[];
} & Record<string, unknown>;

const ask = async (path: string, params: Record<string, string> = {}, athlete = "a1"): Promise<Night> => {
  const route = bench.routesOn(db).find((one) => one.path === `${SLEEP}${path}`);
  const request = { athlete_id: athlete, params, query: params } as unknown as RouteRequest;
  const response = await route?.handler(request);
  return JSON.parse(JSON.stringify(response?.body)) as Night;
};
const nightOf = (session: SleepSession | undefined, path = "") =>
  ask(`/{session_id}${path}`, { session_id: session?.session_id ?? "" });

const watch = night("watch", "2026-03-10T22:00:00Z", [
  ["core", 120],
  ["awake", 10],
  ["rem", 110],
]);
const heart = [
  vital("heart_rate", "2026-03-10T23:00:00Z", 50),
  vital("heart_rate", "2026-03-11T01:00:00Z", 52),
  vital("heart_rate", "2026-03-11T03:00:00Z", 90),
];
const app = night("app", "2026-03-10T22:30:00Z", [["asleep", 200]]);
const bed = rows("phone", [["inBed", "2026-03-12T22:00:00Z", "2026-03-13T05:00:00Z"]]);
const samples: Sample[] = [...watch, ...heart, ...app, ...bed];
const [main, loser, inBed] = sessions(samples);

const insert = async (session: SleepSession | undefined): Promise<void> => {
  if (session === undefined) throw new Error("no session");
  const instants = (["start_at", "end_at", "onset_at", "final_wake_at"] as const).map((name) => {
    const value = session[name];
    return [name, value === null ? null : new Date(value).toISOString()] as const;
  });
  const row = { ...session, ...Object.fromEntries(instants), is_final: false, revision: 7 };
  await db.query(
    `insert into sleep_sessions select * from jsonb_populate_record(null::sleep_sessions, $1::jsonb || $2::jsonb)`,
    [JSON.stringify(row), JSON.stringify({ updated_at: "2026-03-11T08:00:00Z" })],
  );
};

let generation = 0;
/** What a closing pane leaves: an object, and the pointer to it. */
const storeStreams = async (session: SleepSession | undefined, of: readonly Sample[]): Promise<string> => {
  const stream = sessionStreams(session as SleepSession, of);
  const body = parquetFormat.encodeSleep(stream);
  generation += 1;
  const key = `sleep_streams/athlete=a_a1/${session?.session_id}.g${generation}.x.parquet`;
  await objects.put(key, body);
  await db.query(
    `insert into sleep_streams (session_id, athlete_id, object_key, generation, row_count, bytes, content_hash, rows_hash,
       channels, written_at)
     values ($1, 'a1', $2, $3, $4, $5, 'x', 'x', '{}', now())
     on conflict (session_id) do update set object_key = excluded.object_key, generation = excluded.generation`,
    [session?.session_id, key, generation, stream.length, body.length],
  );
  return key;
};

beforeEach(async () => {
  for (const session of [main, loser, inBed]) await insert(session);
});

test("sessions are listed by wake date with every column, null where nothing is known", async () => {
  const all = await ask("", { from: "2026-03-11", to: "2026-03-13" });
  const list = all["sessions"] as Record<string, unknown>[];
  expect(list.map(({ kind, date }) => [date, kind])).toEqual([
    ["2026-03-11", "main"],
    ["2026-03-11", "secondary"],
    ["2026-03-13", "in_bed_only"],
  ]);
  expect(list[0]).toEqual({
    session_id: main?.session_id,
    date: "2026-03-11",
    source: "com.apple.health.1|Watch7,5",
    kind: "main",
    is_main_sleep: true,
    start_at: "2026-03-10T22:00:00.000Z",
    end_at: "2026-03-11T02:00:00.000Z",
    onset_at: "2026-03-10T22:00:00.000Z",
    final_wake_at: "2026-03-11T02:00:00.000Z",
    tz: "UTC",
    time_in_bed_s: 14_400,
    total_sleep_s: 13_800,
    deep_s: 0,
    rem_s: 6600,
    light_s: 7200,
    awake_s: 600,
    unspecified_s: 0,
    gap_s: 0,
    onset_latency_s: null,
    wakeup_count: 1,
    efficiency: 13_800 / 14_400,
    sleep_score: null,
    score_components: null,
    score_method: null,
    hrv_ms: null,
    resting_hr: null,
    avg_hr: 51,
    min_hr: 50,
    respiratory_rate: null,
    spo2: null,
    spo2_min: null,
    superseded_by: null,
    is_final: false,
    revision: 7,
    updated_at: "2026-03-11T08:00:00.000Z",
  });
  expect((await ask("", { from: "2026-03-12", to: "2026-03-12" }))["sessions"]).toEqual([]);
  expect((await ask("", { from: "2026-03-11", to: "2026-03-13" }, "another"))["sessions"]).toEqual([]);
});

const WHOLE = {
  hypnogram: [
    { start_at: "2026-03-10T22:00:00.000Z", end_at: "2026-03-11T00:00:00.000Z", stage: "core", source: "watch" },
    { start_at: "2026-03-11T00:00:00.000Z", end_at: "2026-03-11T00:10:00.000Z", stage: "awake", source: "watch" },
    { start_at: "2026-03-11T00:10:00.000Z", end_at: "2026-03-11T02:00:00.000Z", stage: "rem", source: "watch" },
  ],
  streams: [
    {
      channel: "heart_rate",
      unit: "count/min",
      points: [
        ["2026-03-10T23:00:00.000Z", "2026-03-10T23:00:00.000Z", 50, "Watch"],
        ["2026-03-11T01:00:00.000Z", "2026-03-11T01:00:00.000Z", 52, "Watch"],
      ],
    },
  ],
};

test("while the day is open the night is made of its samples; afterwards it comes from its object, the same", async () => {
  await bench.stage(...samples);
  expect(await nightOf(main)).toMatchObject({ session: { session_id: main?.session_id, kind: "main" }, ...WHOLE });
  await storeStreams(main, samples);
  await db.query(`delete from health_samples_staging`);
  expect(await nightOf(main)).toMatchObject(WHOLE);
});

test("a night over midnight is whole when one of its days has moved to an object and the other has not", async () => {
  await storeRows(
    db,
    objects,
    samples.filter(({ local_date }) => local_date === "2026-03-10"),
  );
  await bench.stage(...samples.filter(({ local_date }) => local_date !== "2026-03-10"));
  expect(await nightOf(main)).toMatchObject(WHOLE);
});

test("a pane that writes the night anew and sweeps the old object while the answer is made is not seen", async () => {
  const first = await storeStreams(main, watch);
  bench.beforeGet = async () => {
    bench.beforeGet = async () => undefined;
    await storeStreams(main, samples);
    await objects.delete([first]);
  };
  expect(await nightOf(main)).toMatchObject(WHOLE);
});

test("an object that is really gone is a 503, not an empty night", async () => {
  await objects.delete([await storeStreams(main, watch)]);
  await expect(nightOf(main)).rejects.toMatchObject({ status: 503 });
});

test("a session in bed only shows the bed", async () => {
  await bench.stage(...samples);
  expect(await nightOf(inBed)).toMatchObject({
    session: { kind: "in_bed_only", total_sleep_s: null },
    hypnogram: [{ stage: "in_bed", source: "pooled" }],
    streams: [],
  });
});

test("a session that there is not, another athlete's and what is no id are a 404 that says what to do", async () => {
  const wrong = { session_id: "00000000-0000-4000-8000-000000000000" };
  await expect(ask("/{session_id}", wrong)).rejects.toMatchObject({ status: 404, errors: [{ path: "session_id" }] });
  await expect(ask("/{session_id}", { session_id: "last" })).rejects.toMatchObject({ status: 404 });
  await expect(ask("/{session_id}", { session_id: main?.session_id ?? "" }, "another")).rejects.toMatchObject({
    status: 404,
  });
  await expect(ask("", { from: "yesterday" })).rejects.toMatchObject({ status: 400 });
});

const open = async () => ({
  explain: () => Promise.reject(new Error("a metric was asked for")),
  explainSleep: (asked: Parameters<typeof explainSleep>[1]) => explainSleep(db, asked),
  close: async () => undefined,
});

const explained = async (...args: string[]): Promise<string[]> => {
  const lines: string[] = [];
  await explainCommand({ print: (line) => lines.push(line), open }).parseAsync(args, { from: "user" });
  return lines;
};

test("the command explains the sessions of a date, for people and as JSON", async () => {
  expect(await explained("a1", "2026-03-11", "sleep")).toEqual([
    `main of 2026-03-11: com.apple.health.1|Watch7,5 (${main?.session_id})`,
    "  2026-03-10T22:00:00.000Z to 2026-03-11T02:00:00.000Z (UTC); asleep 3 h 50 min, in bed 4 h 0 min",
    "  com.apple.health.1|Watch7,5 counts (sleep_session/1, rule a): the chosen source tells sleep stages",
    `  instead of secondary of org.example.sleep| (${loser?.session_id})`,
    "  used com.apple.health.1|Watch7,5: 3 segments",
    "  set aside org.example.sleep|: 1 segments, the chosen source tells sleep stages",
    "  bedtime and rise: the stages, nobody told of the bed",
    `secondary of 2026-03-11: org.example.sleep| (${loser?.session_id})`,
    "  2026-03-10T22:30:00.000Z to 2026-03-11T01:50:00.000Z (UTC); asleep 3 h 20 min, in bed 3 h 20 min",
    "  com.apple.health.1|Watch7,5 counts (sleep_session/1, rule a): the chosen source tells sleep stages",
    `  gave way to main of com.apple.health.1|Watch7,5 (${main?.session_id})`,
    "  used com.apple.health.1|Watch7,5: 3 segments",
    "  set aside org.example.sleep|: 1 segments, the chosen source tells sleep stages",
    "  bedtime and rise: the stages, nobody told of the bed",
  ]);
  expect((await explained("a1", "2026-03-13", "sleep")).slice(1)).toEqual([
    "  2026-03-12T22:00:00.000Z to 2026-03-13T05:00:00.000Z (UTC); asleep unknown, in bed 7 h 0 min",
    "  pooled counts: nobody told of sleep: it is the time in bed of all sources",
    "  used com.apple.health.2|iPhone15,2: 1 segments",
    "  bedtime and rise: the bed of com.apple.health.2|iPhone15,2",
  ]);
  const [json = ""] = await explained("a1", "2026-03-11", "sleep", "--json");
  expect(JSON.parse(json)).toMatchObject({ athlete_id: "a1", date: "2026-03-11", sessions: [{ kind: "main" }, {}] });
  await expect(explained("a1", "2026-03-12", "sleep")).rejects.toThrow("2026-03-11 and 2026-03-13");
  await expect(explained("another", "2026-03-12", "sleep")).rejects.toThrow("no sleep at all");
});

test("explain tells the sources, the winner and why, and what was set aside", async () => {
  const related = (session: typeof main) => ({ session_id: session?.session_id, source: session?.source });
  expect(await nightOf(main, "/explain")).toMatchObject({
    method: "sleep_session/1",
    winner: { source_key: main?.source, decided_by: "a", why: "the chosen source tells sleep stages" },
    sources: {
      used: [{ source_key: main?.source, samples: 3 }],
      set_aside: [{ source_key: loser?.source, samples: 1 }],
    },
    instead_of: [{ ...related(loser), superseded_by: main?.session_id }],
    superseded_by: null,
    provenance: { gap_min: 0 },
  });
  expect(await nightOf(loser, "/explain")).toMatchObject({ instead_of: [], superseded_by: related(main) });
  expect(await nightOf(inBed, "/explain")).toMatchObject({
    winner: { source_key: "pooled", decided_by: null, why: expect.stringContaining("bed") },
    sources: { used: [{ source_key: "com.apple.health.2|iPhone15,2", samples: 1 }], set_aside: [] },
  });
});
