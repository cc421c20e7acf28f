import { afterAll, beforeAll, expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import type { TopicRecord } from "../support/audit/stored.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { asking } from "../support/service/asking.ts";
import { SEED } from "../support/service/fault-input.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("sleep");
let service: Service;
beforeAll(async () => {
  service = await openService(here, {}, "edge,api,worker");
});
afterAll(() => service.close());
const { ask, post } = asking(() => service);

const STAGES = { inBed: 0, asleep: 1, awake: 2, core: 3, deep: 4, rem: 5 } as const;
type Stage = keyof typeof STAGES;
const WATCH = { name: "Watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" };
const PHONE = { name: "iPhone", bundle_id: "com.apple.health.2", product_type: "iPhone15,2" };
const APP = { name: "AutoSleep", bundle_id: "org.example.sleep" };
const ZONE = "Europe/Amsterdam";

let n = 0;
const fresh = (): string => `00000000-0000-4000-8000-${String((n += 1)).padStart(12, "0")}`;
const at = (start: string, minutes: number): string => new Date(Date.parse(start) + minutes * 60_000).toISOString();
const metadata = { HKTimeZone: ZONE };

/** Segments one after another: [stage, minutes]. */
const night = (start: string, parts: readonly (readonly [Stage | "gap", number])[], source: object = WATCH) => {
  let clock = 0;
  return parts.flatMap(([stage, minutes]) => {
    const [from, to] = [at(start, clock), at(start, clock + minutes)];
    clock += minutes;
    if (stage === "gap") return [];
    const type = "HKCategoryTypeIdentifierSleepAnalysis";
    return [{ uuid: fresh(), type, start: from, end: to, value: STAGES[stage], source, metadata }];
  });
};
const heart = (time: string, value: number) => {
  const type = "HKQuantityTypeIdentifierHeartRate";
  return { uuid: fresh(), type, start: time, end: time, value, unit: "count/min", source: WATCH, metadata };
};
type Sent = ReturnType<typeof night>[number] | ReturnType<typeof heart>;

const send = async (athlete: string, samples: readonly Sent[], deleted: readonly Sent[] = []): Promise<void> => {
  const body = { provider: "apple_health", samples, deleted: deleted.map(({ uuid }) => ({ uuid })) };
  expect(await post(`${athlete}/batches`, body)).toMatchObject({ status: 202 });
};

type Session = Record<string, unknown> & { session_id: string };
const sessions = async (athlete: string): Promise<Session[]> =>
  (await ask(`${athlete}/sleep?from=2026-01-01&to=2026-11-20`)).body["sessions"] as Session[];

/** What a night is, without what two athletes differ in. */
const content = async (athlete: string): Promise<unknown[]> =>
  Promise.all(
    (await sessions(athlete)).map(async ({ session_id, revision: _, updated_at: __, ...session }) => {
      const { body } = await ask(`${athlete}/sleep/${session_id}`);
      return { ...session, hypnogram: body["hypnogram"], streams: body["streams"] };
    }),
  );

/** What was told of each athlete's sessions, in order. */
const told = async (): Promise<(athlete: string) => TopicRecord[]> => {
  const topics = await readTopics(auditEnvironment(here.env), ["sleep-sessions"]);
  const records = topics.get("sleep-sessions") ?? [];
  return (athlete) => records.filter(({ key }) => key?.startsWith(`${athlete}|`) === true);
};

const revisions = (all: readonly Record<string, unknown>[]) =>
  new Map(all.map((row) => [row["session_id"], row["revision"]]));

/** Nobody downstream sees the same row twice in a row, and in the end everybody has the table. */
const expectToldOnce = async (athlete: string, records: readonly TopicRecord[]): Promise<void> => {
  const last = new Map(records.map(({ key, value }) => [key, value]));
  const standing = [...last.values()].filter((value) => value !== null);
  const rows = await sessions(athlete);
  expect(revisions(standing)).toEqual(revisions(rows));
  const bare = records.map(({ key, value }) => {
    const { revision: _, updated_at: __, ...row } = value ?? {};
    return JSON.stringify([key, row]);
  });
  for (const [at, row] of bare.entries()) expect(row).not.toBe(bare[at - 1]);
};

test(
  `a night in ten batches over three days, a stage corrected a week later and heart rates after that are the night ` +
    `as it was in the end (seed ${SEED})`,
  async () => {
    const START = "2026-03-09T22:10:00Z";
    const parts = Array.from({ length: 30 }, (_, k) => [
      (["core", "deep", "rem", "awake"] as const)[k % 4] ?? "core",
      15,
    ]);
    const segments = night(START, parts as [Stage, number][]);
    const shuffled = random(SEED, "night").shuffled(segments);
    for (const day of [0, 1, 2]) {
      for (let batch = day; batch < 10; batch += 3) await send("ten", shuffled.slice(batch * 3, batch * 3 + 3));
      await service.wait();
    }
    const [wrong, ...rest] = segments;
    if (wrong === undefined) throw new Error("a night has segments");
    const right = { ...wrong, uuid: fresh(), value: STAGES.deep };
    await send("ten", [right], [wrong]);
    await service.wait();
    const hearts = [60, 200, 330].map((minute, k) => heart(at(START, minute), 50 + k));
    await send("ten", hearts);
    await send("whole", [...hearts, ...rest, right]);
    await service.wait();
    const [one, ...others] = await content("ten");
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      date: "2026-03-10",
      tz: ZONE,
      kind: "main",
      is_final: true,
      avg_hr: 51,
      wakeup_count: 7,
    });
    expect(await content("whole")).toEqual([one]);
    const of = await told();
    await expectToldOnce("ten", of("ten"));
    await expectToldOnce("whole", of("whole"));
  },
);

const LONG = [
  ["core", 200],
  ["rem", 200],
] as const;
const NIGHTS: Record<string, { samples: Sent[]; is: Record<string, unknown>[] }> = {
  "spring-forward": {
    samples: night("2026-03-28T22:00:00Z", LONG),
    is: [{ date: "2026-03-29", total_sleep_s: 24_000, kind: "main" }],
  },
  "fall-back": {
    samples: night("2026-10-24T21:00:00Z", LONG),
    is: [{ date: "2026-10-25", total_sleep_s: 24_000, kind: "main" }],
  },
  nap: {
    samples: night("2026-03-10T12:00:00Z", [["asleep", 40]]),
    is: [{ kind: "nap", is_main_sleep: false, awake_s: null, deep_s: null }],
  },
  "split-night": {
    samples: night("2026-03-09T21:00:00Z", [["core", 120], ["rem", 60], ["gap", 61], ...LONG]),
    is: [{ kind: "secondary" }, { kind: "main" }],
  },
  "other-app": {
    samples: [...night("2026-03-09T21:00:00Z", LONG), ...night("2026-03-09T21:10:00Z", [["asleep", 395]], APP)],
    is: [{ kind: "main" }, { kind: "secondary", source: "org.example.sleep|", superseded_by: expect.any(String) }],
  },
  "in-bed": {
    samples: night("2026-03-09T21:00:00Z", [["inBed", 400]], PHONE),
    is: [{ kind: "in_bed_only", source: "pooled", total_sleep_s: null, efficiency: null, sleep_score: null }],
  },
  "night-worker": {
    samples: night("2026-03-10T08:30:00Z", LONG),
    is: [{ kind: "main", date: "2026-03-10", is_main_sleep: true }],
  },
};

test("clocks that change, a nap, a split night, another app, a night in bed only, a night worker", async () => {
  for (const [athlete, { samples }] of Object.entries(NIGHTS)) await send(athlete, samples);
  await service.wait();
  const of = await told();
  for (const [athlete, { is }] of Object.entries(NIGHTS)) {
    const found = await sessions(athlete);
    expect(found, athlete).toMatchObject(is);
    expect(found, athlete).toHaveLength(is.length);
    await expectToldOnce(athlete, of(athlete));
  }
});
