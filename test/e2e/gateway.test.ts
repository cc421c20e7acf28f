import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayOptions, reconcile, syncType } from "../../examples/gateway/gateway.ts";
import { type Batch, type Receipt, TryLater } from "../../examples/gateway/send.ts";
import { type Answer, linesOf, type SentBatch } from "../support/audit/client.ts";
import type { LedgerLine } from "../support/audit/ledger.ts";
import { badLine } from "../support/bad-line.ts";
import { anchorStore, healthStore } from "../support/health-store.ts";
import { randomOf } from "../support/random.ts";
import { asking } from "../support/service/asking.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const random = randomOf(SEED);
const here = await isolated("gateway");
let service: Service;
let line: Awaited<ReturnType<typeof badLine>>;
beforeAll(async () => {
  service = await openService(here, {}, "edge,api,worker");
  line = await badLine(service.url, random);
});
afterAll(async () => {
  line.close();
  await service.close();
});

type Sample = SentBatch["samples"][number];
const [HEART_RATE, STEPS] = ["HKQuantityTypeIdentifierHeartRate", "HKQuantityTypeIdentifierStepCount"];
const DAY = Date.parse("2026-10-05T00:00:00Z");
const at = (minute: number): string => new Date(DAY + minute * 60_000).toISOString();

const sample = (n: number): Sample => {
  const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
  const source = { name: "Watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" };
  return n % 2 === 0
    ? { uuid, type: HEART_RATE ?? "", start: at(n), end: at(n), value: 50 + (n % 90), unit: "count/min", source }
    : { uuid, type: STEPS ?? "", start: at(n), end: at(n + 1), value: n % 40, unit: "count", source };
};

/** Calls it again as the system does after the app was killed, or after there was no line for too long. */
const untilDone = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let call = 0; call < 200; call += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TryLater) && !/killed/.test(String(error))) throw error;
    }
  }
  throw new Error("not done after 200 calls");
};

test(`a gateway on a bad line loses and doubles nothing, and the auditor finds nothing (seed ${SEED})`, async () => {
  const health = healthStore<Sample>();
  const ledger: LedgerLine[] = [];
  const options: GatewayOptions = {
    url: `${line.url}/v1/athletes/phone`,
    token: async () => service.token,
    tries: 3,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 5)),
    random,
    health: health.store,
    anchors: anchorStore(() => random() < 0.2),
    timeZone: () => "Europe/Amsterdam",
    pageSize: 40,
    onReceipt: (batch: Batch, [receipt]: readonly Receipt[]) => {
      const sent = { ...batch, batch_id: receipt?.batch_id } as unknown as SentBatch;
      ledger.push(...linesOf("phone", sent, receipt as unknown as Answer));
      if (random() < 0.15) throw new Error("killed before the receipt was noted down");
    },
  };
  const sync = (): Promise<void[]> =>
    Promise.all([HEART_RATE, STEPS].map((type) => untilDone(() => syncType(options, type ?? ""))));

  for (let n = 0; n < 300; n += 1) health.add(sample(n));
  await sync();
  for (let n = 0; n < 300; n += 7) health.delete(sample(n).uuid);
  for (let n = 300; n < 500; n += 1) health.add(sample(n));
  await sync();
  await line.settled();
  await service.wait();

  // HealthKit forgot that it deleted these: only reconciling tells.
  const forgotten = [100, 200, 300].map((n) => sample(n).uuid);
  for (const uuid of forgotten) health.forget(uuid);
  const range = { from: new Date(DAY), to: new Date(DAY + 86_400_000) };
  const receipt = await untilDone(() => reconcile(options, HEART_RATE ?? "", range));
  expect(receipt?.deletions).toBeLessThanOrEqual(forgotten.length);
  await line.settled();
  await service.wait();
  for (const [index, sample_id] of forgotten.entries()) {
    ledger.push({ kind: "deletion", athlete_id: "phone", batch_id: "reconciled", index, sample_id, fate: "accepted" });
  }

  const stored = await asking(() => service).samples("phone", "heart_rate", "2026-10-04", "2026-10-07");
  const alive = [...health.alive.values()].filter(({ type }) => type === HEART_RATE);
  expect(new Set(stored.map((one) => one["sample_id"]))).toEqual(new Set(alive.map(({ uuid }) => uuid)));
  expect(line.counts.size).toBeGreaterThanOrEqual(5);
  await service.audit(ledger);
});
