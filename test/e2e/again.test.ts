import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { linesOfExport, type ExportedRecord } from "../support/audit/exported.ts";
import { exactState, type ExactState } from "../support/service/exact-state.ts";
import { exportedDays } from "../support/service/exported.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("again");
const sample = fileURLToPath(new URL("../samples/apple-export/watch-2024.xml", import.meta.url));

const at = (time: string): number => Date.parse(`2024-01-${time}+02:00`);
const record = (
  type: string,
  times: readonly [start: string, end: string, created: string],
  more: Partial<ExportedRecord>,
) => ({
  type: type === "SleepAnalysis" ? `HKCategoryTypeIdentifier${type}` : `HKQuantityTypeIdentifier${type}`,
  start: at(times[0]),
  end: at(times[1]),
  created: at(times[2]),
  value: 0,
  unit: "",
  source_name: "Athlete's Apple Watch",
  product_type: "Watch6,7",
  metadata: type === "SleepAnalysis" ? { HKTimeZone: "Europe/Amsterdam" } : {},
  ...more,
});
const IPHONE = { source_name: "Athlete's iPhone", product_type: null };

/** The real export, as a person reads it in the file. */
const SAMPLED: ExportedRecord[] = [
  record("HeartRate", ["01T01:01:36", "01T01:01:36", "01T01:01:42"], { value: 74, unit: "count/min" }),
  record("HeartRate", ["01T01:01:37", "01T01:01:37", "01T01:01:43"], { value: 75, unit: "count/min" }),
  record("ActiveEnergyBurned", ["01T01:02:27", "01T01:02:58", "01T01:03:10"], { value: 0.12, unit: "kcal" }),
  record("ActiveEnergyBurned", ["02T01:52:27", "02T01:52:58", "02T01:53:10"], { value: 0.08, unit: "kcal" }),
  record("AppleExerciseTime", ["01T15:16:00", "01T15:17:00", "01T15:17:52"], { value: 1, unit: "min" }),
  record("AppleStandTime", ["01T01:10:00", "01T01:15:00", "01T01:15:28"], {
    value: 2,
    unit: "min",
    product_type: null,
  }),
  record("SleepAnalysis", ["01T00:55:28", "01T00:56:53", "01T09:46:24"], { value: 0, ...IPHONE }),
  record("SleepAnalysis", ["01T03:27:53", "01T03:40:23", "01T09:46:24"], { value: 3, product_type: null }),
];

/** The sweeper may have removed what was superseded before; nothing new may be there. */
const unchanged = (first: ExactState, now: ExactState): void => {
  expect(now.rows).toEqual(first.rows);
  expect(now.events).toEqual(first.events);
  expect(now.objects.filter((key) => !first.objects.includes(key))).toEqual([]);
};

test(
  `the same files and batches again, then every topic from its start: no row, revision, object or event changes (seed ${SEED})`,
  async () => {
    const { file, home, lines } = exportedDays(SEED, 5);
    const batches = sendings({
      seed: SEED,
      athletes: 2,
      days: 3,
      firstDate: "2026-03-27",
      size: 50,
      density: 0.3,
      nights: true,
    });
    const service = await openService(here);
    const receive = async (): Promise<void> => {
      await service.command("import", file, "--athlete", "imported-1", "--time-zone", home);
      await service.command("import", sample, "--athlete", "sampled-1", "--time-zone", "Europe/Amsterdam");
      await sendAll(service, batches);
      await service.wait();
    };
    try {
      const worker = service.worker();
      await receive();
      const first = await exactState(here);
      expect(first.rows.length).toBeGreaterThan(50);
      expect(first.objects.length).toBeGreaterThan(8);

      await receive();
      unchanged(first, await exactState(here));

      await worker.stop();
      await service.command("positions", "set", "--to", "earliest", "--yes");
      const successor = service.worker();
      await successor.event("worker.ready");
      await service.wait();
      unchanged(first, await exactState(here));
      await successor.stop();

      service.client.ledger.push(...lines("imported-1"), ...linesOfExport("sampled-1", SAMPLED, "Europe/Amsterdam"));
      const { report } = await service.audit();
      expect(report).not.toContain("FAIL");
    } finally {
      await service.close();
    }
  },
  5 * 60_000,
);
