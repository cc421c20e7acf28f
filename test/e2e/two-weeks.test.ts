import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendings, type NativeSample } from "../../bench/generator/batches.ts";
import { random } from "../../bench/generator/random.ts";
import { collect, judge } from "../support/audit/audit.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readLedger } from "../support/audit/ledger.ts";
import type { Stored } from "../support/audit/stored.ts";
import { asking } from "../support/service/asking.ts";
import { exactState, type ExactState } from "../support/service/exact-state.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { planted } from "../support/service/planted.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

/** Over the night that summer time begins and a flight; a little more than two weeks, so that baselines have their 14 days. */
const DAYS = 18;
const FIRST = "2026-03-16";
const LAST = "2026-04-03";
const batches = sendings({
  seed: SEED,
  athletes: 2,
  days: DAYS,
  firstDate: FIRST,
  size: 250,
  density: 0.08,
  nights: true,
});
const athlete = batches[0]?.athlete_id ?? "";

const here = await isolated("two-weeks");
let service: Service;
const { ask, metrics } = asking(() => service);

const json = { headers: { "content-type": "application/json" } };
const edit = async (method: "PUT" | "PATCH", path: string, body: unknown): Promise<void> => {
  const answer = await ask(`${athlete}/${path}`, { method, ...json, body: JSON.stringify(body) });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
};

const WEIGHT = "HKQuantityTypeIdentifierBodyMass";
/** The last weighing of a date, corrected as HealthKit does it: deleted, and a new sample. */
const correctedWeight = async (date: string): Promise<void> => {
  const dead = new Set(batches.flatMap(({ body }) => body.deleted.map(({ uuid }) => uuid)));
  const old = batches
    .filter((b) => b.athlete_id === athlete)
    .flatMap(({ body }) => body.samples)
    .find((s) => s.type === WEIGHT && s.start.startsWith(date) && !dead.has(s.uuid));
  if (old === undefined) throw new Error(`nobody stood on the scales on ${date}`);
  const young: NativeSample = { ...old, uuid: random(SEED, "weight").uuid(), value: old.value + 1.5, metadata: {} };
  const deleted = [{ uuid: old.uuid, type: WEIGHT }];
  const body = { batch_id: "correction", provider: "apple_health" as const, time_zone: "Europe/Amsterdam" };
  await service.client.send({ athlete_id: athlete, body: { ...body, samples: [young], deleted, daily: [] } });
};

/** A locked weight, one by hand, and how a person felt; the client writes down what must stand. */
const hands = async (): Promise<string> => {
  const weights = (await metrics(athlete, FIRST, LAST)).filter((m) => m.metric === "weight");
  const date = weights[Math.floor(weights.length / 2)]?.date ?? "";
  await edit("PATCH", `metrics/${date}/weight/apple_health`, { value: 70.4, locked: true });
  await edit("PUT", `metrics/${FIRST}/waist`, { value: 81, unit: "cm" });
  await edit("PUT", `wellness/${date}`, { soreness: 2, mood: 4 });
  const of = { athlete_id: athlete, date };
  service.client.ledger.push(
    { kind: "lock", ...of, metric: "weight", source: "apple_health", value: 70.4 },
    { kind: "manual", ...of, date: FIRST, metric: "waist", value: 0.81, unit: "m" },
    { kind: "manual", ...of, metric: "soreness", value: 2, unit: "score" },
    { kind: "manual", ...of, metric: "mood", value: 4, unit: "score" },
  );
  return date;
};

let first: ExactState;
let locked: string;
beforeAll(async () => {
  service = await openService(here);
  const worker = service.worker();
  await worker.event("worker.ready");
  await sendAll(service, batches);
  await service.wait();
  locked = await hands();
  await correctedWeight(locked);
  await service.wait();
  first = await exactState(here);
}, 180_000);
afterAll(() => service.close(), 60_000);

const expectUnchanged = async (): Promise<void> => {
  await service.wait();
  const now = await exactState(here);
  expect(now.rows).toEqual(first.rows);
  expect(now.events).toEqual(first.events);
  expect(now.objects.filter((key) => !first.objects.includes(key))).toEqual([]);
};

test(`two weeks with overlaps, revisions, a locked weight and values by hand are what the auditor makes of them (seed ${SEED})`, async () => {
  const { report } = await service.audit();
  expect(report).not.toContain("FAIL");
  const rows = await metrics(athlete, FIRST, LAST);
  const counted = (name: string): number => rows.filter(({ metric }) => metric === name).length;
  for (const name of ["sleep_score", "hrv", "resting_hr", "skin_temp_deviation", "readiness", "stress", "mood"])
    expect([name, counted(name) > 0]).toEqual([name, true]);
  const weight = rows.find((m) => m.metric === "weight" && m.date === locked);
  expect(weight).toMatchObject({ value: 70.4, locked: true });
});

const kinds = (stored: Stored): string[] =>
  judge(readLedger(service.client.ledger), stored, { graceMs: 60_000 }).flatMap(({ invariant, violations }) =>
    violations.map(({ kind }) => `${invariant} ${kind}`),
  );

describe("a fault planted into the two weeks is seen", () => {
  let stored: Stored;
  beforeAll(async () => {
    stored = await collect(auditEnvironment(here.env));
  });
  test("before, nothing is said", () => {
    expect(kinds(stored)).toEqual([]);
  });
  test.each(planted)("$name", ({ finds, plant }) => {
    const spoiled = structuredClone(stored);
    plant(spoiled);
    expect(kinds(spoiled)).toContain(finds);
  });
});

test("everything replayed changes nothing: no row, revision, object or event; the locked weight stays", async () => {
  const end = JSON.parse(await service.command("replay", "--json")) as Record<string, unknown>;
  expect(end).toMatchObject({ outcome: "done", missing: [] });
  expect(end["done"]).toBe(end["total"]);
  await expectUnchanged();
}, 120_000);

test("every day computed anew changes nothing either", async () => {
  expect(await service.command("recompute", "--all-athletes", "--wait")).toContain(`days of 2 athletes are computed`);
  await expectUnchanged();
}, 120_000);
