import { exportRecordId, plainName } from "./identity.ts";
import { instantOf, type LedgerLine, type LedgerSample } from "./ledger.ts";

/** A heart rate or step record of an export.xml, as whoever wrote the file knows it. */
export type ExportedRecord = {
  type: string;
  start: number;
  end: number;
  value: number;
  unit: string;
  source_name: string;
  product_type: string | null;
  created: number;
  metadata: Record<string, unknown>;
};

const METRICS: Record<string, string> = {
  HKQuantityTypeIdentifierHeartRate: "heart_rate",
  HKQuantityTypeIdentifierStepCount: "steps",
};

/**
 * Ledger lines of one import: ids as D10 gives them, n counting equal keys in order of value. All of them accepted;
 * batch ids are the import's own and not known here.
 */
export const linesOfExport = (
  athlete_id: string,
  records: readonly ExportedRecord[],
  timeZone: string | null,
): LedgerLine[] => {
  const seen = new Map<string, number>();
  return records
    .toSorted((a, b) => a.value - b.value)
    .map((r): LedgerSample => {
      const metric = METRICS[r.type] ?? r.type;
      const source = plainName(r.source_name);
      const key = [metric, instantOf(r.start), instantOf(r.end), source].join("|");
      const n = seen.get(key) ?? 0;
      seen.set(key, n + 1);
      return {
        kind: "sample",
        athlete_id,
        batch_id: null,
        sample_id: exportRecordId({ athlete_id, metric, start_at: r.start, end_at: r.end, source, n }),
        type: r.type,
        start: r.start,
        end: r.end,
        value: r.value,
        unit: r.unit,
        source: { name: r.source_name, product_type: r.product_type },
        batch_time_zone: timeZone,
        created: r.created,
        metadata: r.metadata,
        synthetic: true,
        fate: "accepted",
      };
    });
};
