import { exportRecordId, plainName } from "./identity.ts";
import { instantOf, type LedgerLine, type LedgerSample } from "./ledger.ts";
import { typeOf, valueOf, type SampleType } from "./types.ts";

/** A record of an export.xml, as whoever wrote the file knows it. */
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

/** The value's part of a D10 name: three significant digits of a food, the integer of a category, else nothing. */
const nameOf = (type: SampleType, value: number): string => {
  if (type.dietary) return String(Number(value.toPrecision(3)));
  return type.reads === "category" ? String(value) : "";
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
      const type = typeOf(r.type);
      if (!type) throw new Error(`the auditor knows no rule for ${r.type}`);
      const told = { value: r.value, unit: r.unit, start_at: r.start, end_at: r.end, metadata: r.metadata };
      const [metric, value] = [type.metric, nameOf(type, valueOf(type, told) ?? Number.NaN)];
      const source = plainName(r.source_name);
      const key = [metric, instantOf(r.start), instantOf(r.end), source, value].join("|");
      const n = seen.get(key) ?? 0;
      seen.set(key, n + 1);
      return {
        kind: "sample",
        athlete_id,
        batch_id: null,
        sample_id: exportRecordId({ athlete_id, metric, start_at: r.start, end_at: r.end, source, value, n }),
        type: r.type,
        start: r.start,
        end: r.end,
        value: r.value,
        unit: r.unit === "" ? null : r.unit,
        source: { name: r.source_name, product_type: r.product_type },
        batch_time_zone: timeZone,
        created: r.created,
        metadata: r.metadata,
        synthetic: true,
        fate: "accepted",
      };
    });
};
