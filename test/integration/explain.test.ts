import { afterAll, beforeAll, expect, test } from "vitest";
import type { Explanation } from "../../src/domain/explain/explanation.ts";
import { applyEdit } from "../../src/edits/apply.ts";
import { athleteMetric, type AthleteMetric } from "../../src/domain/athlete-metrics.ts";
import { topicNames } from "../../src/flow/topics.ts";
import type { RouteRequest } from "../../src/flow/route.ts";
import { explainCommand } from "../../src/ops/explain-command.ts";
import { explain } from "../../src/query/explain.ts";
import { explainSleep } from "../../src/query/sleep-explain.ts";
import { explainRoute } from "../../src/query/explain-route.ts";
import { isolated } from "../support/stack.ts";
import { openBench, quiesce } from "../support/windows/bench.ts";
import { NIGHT, at, slept, steps, variability } from "../support/windows/samples.ts";

const bench = openBench(await isolated("explain"));
afterAll(() => bench.close());

const ask = async (date: string, metric: string, source?: string, athlete_id = "anna"): Promise<Explanation> => {
  const request = { athlete_id, params: { date, metric }, query: source === undefined ? {} : { source } };
  const { body } = await explainRoute({ db: bench.db }).handler(request as unknown as RouteRequest);
  return body as Explanation;
};

const wish = (value: number, locked: boolean) => ({ kind: "enter", value, locked }) as const;

beforeAll(async () => {
  const watch = { device_class: "watch", bundle_id: "com.apple.health.1" } as const;
  const phone = { device_class: "phone", bundle_id: "com.apple.health.2" } as const;
  const end_at = at("2026-11-20T09:10:00Z");
  await bench.stage([
    steps("2026-11-20T09:00:00Z", 900, { end_at, attributes: watch }),
    steps("2026-11-20T09:00:00Z", 700, {
      sample_id: "00000000-0000-4000-8000-0000000000ff",
      end_at,
      attributes: phone,
    }),
  ]);
  bench.now = at("2026-11-21T12:00:00Z");
  await quiesce(bench);
  const edit = { athlete_id: "anna", actor: "coach", date: "2026-11-20", received_at: bench.now };
  const deps = { db: bench.db, clock: bench.deps.clock, topic: topicNames() };
  const metric = athleteMetric("steps") as AthleteMetric;
  await applyEdit(deps, { ...edit, wishes: [{ metric, source: "manual", wish: wish(5000, false) }] });
  await applyEdit(deps, { ...edit, wishes: [{ metric, source: "manual", wish: wish(6000, true) }] });
});

test("a derived value tells its rule, its objects with generations, and which source was set aside", async () => {
  const told = await ask("2026-11-20", "steps", "derived");
  expect(told).toMatchObject({
    value: 900,
    is_final: true,
    effective: false,
    why: "a locked value (source manual) goes before a derived value",
    rule: { name: "steps_merge", version: 1 },
    inputs: {
      dates: { from: "2026-11-19", to: "2026-11-20" },
      days_remembered: null,
      objects: [{ period_start: "2026-11-20", level: "day", samples: { steps: 2 } }],
      staged: {},
    },
    sources: {
      used: [{ source_key: "com.apple.health.1|", samples: 1, counted: 900 }],
      set_aside: [{ source_key: "com.apple.health.2|", samples: 1 }],
    },
  });
  const [pointer] = await bench.db.query<{ generation: number }>("select generation from health_streams");
  expect(told.inputs.objects[0]?.generation).toBe(pointer?.generation);
});

test("without a source it tells of the value that counts, and who made it so", async () => {
  const told = await ask("2026-11-20", "steps");
  expect(told).toMatchObject({ source: "manual", value: 6000, effective: true, locked: true, rule: null });
  expect(told.values.map(({ source }) => source)).toEqual(["manual", "derived"]);
  expect(told.edits).toMatchObject([
    { actor: "coach", action: "set", before: null, after: { value: 5000, locked: false } },
    { actor: "coach", action: "set", before: { value: 5000, locked: false }, after: { value: 6000, locked: true } },
  ]);
});

test.each<[string, string, string | undefined, number, RegExp]>([
  ["2026-11-20", "steps", "apple_health", 404, /no apple_health value of steps .* there is one of manual, derived/],
  ["2026-11-20", "weight", undefined, 404, /there is no weight on 2026-11-20: that date has steps/],
  ["2026-11-22", "steps", undefined, 404, /nearest dates that have it are 2026-11-20; that date has no values/],
  ["2026-11-20", "stepz", undefined, 404, /did you mean steps/],
  ["2026-11-31", "steps", undefined, 400, /date: write a local date/],
  ["2026-11-20", "steps", "watch", 400, /source: "watch" is none of/],
])("%s %s %s is a %i that says what there is", async (...row) => {
  const [date, metric, source, status, detail] = row;
  await expect(ask(date, metric, source)).rejects.toMatchObject({ status, message: expect.stringMatching(detail) });
});

const open = async () => ({
  explain: (asked: Parameters<typeof explain>[1]) => explain(bench.db, asked),
  explainSleep: (asked: Parameters<typeof explainSleep>[1]) => explainSleep(bench.db, asked),
  close: async () => undefined,
});

const NIGHTS = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16"];

test("a value with history tells its baselines, the days before that it reads, and the objects of these days", async () => {
  bench.now = at("2026-10-01T12:00:00Z");
  await bench.stage(
    NIGHTS.flatMap((day, n) => {
      const start = `2026-10-${day}T01:00:00Z`;
      return [...slept(start, NIGHT), variability(start, 40 + (n % 5))].map((one) => ({ ...one, athlete_id: "ben" }));
    }),
  );
  bench.now = at("2026-11-21T12:00:00Z");
  await quiesce(bench);
  const told = await ask("2026-10-16", "readiness", "derived", "ben");
  expect(told).toMatchObject({
    is_final: true,
    rule: { name: "readiness", version: 1 },
    inputs: { dates: { from: "2026-08-17", to: "2026-10-16" }, days_remembered: 16 },
    session: { kind: "main" },
    provenance: {
      terms: { hrv: { baseline: { n: 15, provisional: true } }, sleep_score: { baseline: { n: 15 } } },
      missing: { resting_hr: { missing: "no_value" } },
    },
  });
  expect(told.inputs.objects).toHaveLength(16);
  expect(told.inputs.objects[0]?.samples).toEqual({ hrv_sdnn: 1, sleep_analysis: 5 });
  const lines: string[] = [];
  const command = explainCommand({ print: (line) => lines.push(line), open });
  await command.parseAsync(["ben", "2026-10-16", "readiness"], { from: "user" });
  expect(lines.join("\n")).toMatch(/16 of these days are remembered[^]*terms\.hrv\.baseline\.n 15/);
});

test("a value of the night tells which source gave it, and which was set aside and why", async () => {
  bench.now = at("2026-11-20T12:00:00Z");
  const app = { bundle_id: "com.example.sleep", device_class: "app" } as const;
  const other = slept("2026-11-20T00:00:00Z", [["asleep", 400]], { attributes: app });
  await bench.stage([...slept("2026-11-20T00:00:00Z", NIGHT), ...other].map((one) => ({ ...one, athlete_id: "cat" })));
  await quiesce(bench);
  expect(await ask("2026-11-20", "sleep_duration", undefined, "cat")).toMatchObject({
    is_final: false,
    rule: { name: "sleep_session", version: 1 },
    inputs: { objects: [], staged: { sleep_analysis: 6 } },
    sources: {
      used: [{ source_key: "com.apple.health|Watch7,5", samples: 5 }],
      set_aside: [{ source_key: "com.example.sleep|", samples: 1, reason: "the chosen source tells sleep stages" }],
    },
    session: { kind: "main", source: "com.apple.health|Watch7,5" },
  });
});

test("the command tells the same, for people and as JSON", async () => {
  const lines: string[] = [];
  const run = async (...args: string[]): Promise<void> => {
    const command = explainCommand({ print: (line) => lines.push(line), open }).exitOverride();
    command.configureOutput({ writeErr: () => undefined });
    await command.parseAsync(args, { from: "user" });
  };
  await run("anna", "2026-11-20", "steps", "derived");
  expect(lines[0]).toBe("steps of 2026-11-20: 900 count (derived; final)");
  lines.length = 0;
  await run("anna", "2026-11-20", "steps", "--json");
  expect(JSON.parse(lines.join(""))).toEqual(await ask("2026-11-20", "steps"));
  await expect(run("anna", "yesterday", "steps")).rejects.toThrow("write a local date");
  await expect(run("anna", "2026-11-20", "steps", "watch")).rejects.toThrow("choose from");
});
