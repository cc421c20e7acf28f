import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Generated } from "../../../bench/generator/day.ts";
import { writeExport } from "../../../bench/generator/export-xml.ts";
import { linesOfExport, type ExportedRecord } from "../audit/exported.ts";
import type { LedgerLine } from "../audit/ledger.ts";

const recordOf = (s: Generated): ExportedRecord => ({
  type: s.type,
  start: s.start,
  end: s.end,
  value: s.value,
  unit: s.unit ?? "",
  source_name: s.source.name,
  product_type: s.source.product_type,
  created: s.created,
  metadata: {
    ...(s.zone === null ? {} : { HKTimeZone: s.zone }),
    ...(s.motion === null ? {} : { HKMetadataKeyHeartRateMotionContext: s.motion }),
  },
});

/** A generated export.xml in a folder of its own, with what a ledger would say of it. Summer time ends in it. */
export const exportedDays = (
  seed: number,
  days: number,
): { file: string; home: string; lines: (athlete: string) => LedgerLine[] } => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-export-")), "export.xml");
  const records: ExportedRecord[] = [];
  const { home } = writeExport(file, { seed, firstDate: "2025-10-20", days, sprinkle: true }, (s) =>
    records.push(recordOf(s)),
  );
  return { file, home, lines: (athlete) => linesOfExport(athlete, records, home) };
};
