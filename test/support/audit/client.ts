import type { LedgerLine } from "./ledger.ts";

/** A native batch as a client sends it (contract §5), as far as the ledger needs it. */
export type SentBatch = {
  batch_id: string;
  time_zone?: string;
  samples: {
    uuid: string;
    type: string;
    start: string;
    end: string;
    value: number;
    unit?: string | null;
    source?: { name?: string; bundle_id?: string; product_type?: string };
    created?: string;
    time_zone?: string;
    metadata?: Record<string, unknown>;
  }[];
  deleted?: { uuid: string; type?: string }[];
  daily?: { date: string; type: string; value: number; unit: string }[];
};
/** The 202 that the client got for it. */
export type Answer = {
  rejected: { index: number; reason: string; path: string }[];
  ignored?: Record<string, number>;
};

/** What a client writes down once it has its 202: a line a sample, deletion and total, with the fate it was told. */
export const linesOf = (athlete_id: string, batch: SentBatch, answer: Answer): LedgerLine[] => {
  const refused = new Map(answer.rejected.filter((r) => r.index >= 0).map((r) => [r.index, r]));
  const paths = answer.rejected.filter((r) => r.index < 0).map((r) => r.path);
  const fateOfEntry = (list: string, index: number): "accepted" | "rejected" =>
    paths.some((p) => p === `${list}[${index}]` || p.startsWith(`${list}[${index}].`)) ? "rejected" : "accepted";
  const samples = batch.samples.map((s, index): LedgerLine => {
    const no = refused.get(index);
    const ignored = answer.ignored?.[s.type] !== undefined;
    return {
      kind: "sample",
      athlete_id,
      batch_id: batch.batch_id,
      index,
      sample_id: s.uuid,
      type: s.type,
      start: s.start,
      end: s.end,
      value: s.value,
      unit: s.unit ?? null,
      source: s.source ?? {},
      time_zone: s.time_zone ?? null,
      batch_time_zone: batch.time_zone ?? null,
      created: s.created ?? null,
      metadata: s.metadata ?? {},
      fate: no ? "rejected" : ignored ? "ignored" : "accepted",
      ...(no ? { reason: no.reason, path: no.path } : {}),
    };
  });
  const deletions = (batch.deleted ?? []).map((d, index): LedgerLine => {
    const fate = fateOfEntry("deleted", index);
    return { kind: "deletion", athlete_id, batch_id: batch.batch_id, index, sample_id: d.uuid, fate };
  });
  const daily = (batch.daily ?? []).map((d, index): LedgerLine => {
    const fate = fateOfEntry("daily", index);
    const { date, type, value, unit } = d;
    return { kind: "daily", athlete_id, batch_id: batch.batch_id, index, date, type, value, unit, fate };
  });
  return [...samples, ...deletions, ...daily];
};
