import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
/** The heart rates of a real export: what comes after them in the file is of types that the auditor knows no rules for. */
const heartRates = (): string => {
  const text = readFileSync(new URL("../samples/apple-export/watch-2024.xml", import.meta.url), "utf8");
  const end = text.indexOf('<Record type="HKQuantityTypeIdentifierActiveEnergyBurned"');
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-sample-")), "export.xml");
  writeFileSync(file, `${text.slice(0, end)}</HealthData>\n`);
  return file;
};
const sample = heartRates();

/** The heart rates of the real export, as a person reads them in the file. */
const SAMPLED = [
  { at: "2024-01-01T01:01:36+02:00", value: 74, created: "2024-01-01T01:01:42+02:00" },
  { at: "2024-01-01T01:01:37+02:00", value: 75, created: "2024-01-01T01:01:43+02:00" },
].map(({ at, value, created }): ExportedRecord => ({
  type: "HKQuantityTypeIdentifierHeartRate",
  start: Date.parse(at),
  end: Date.parse(at),
  value,
  unit: "count/min",
  source_name: "Athlete's Apple Watch",
  product_type: "Watch6,7",
  created: Date.parse(created),
  metadata: {},
}));

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
