import type { Instant } from "../domain/sample.ts";
import { rowsOnly } from "../flow/effects.ts";
import { ok } from "../flow/outcome.ts";
import type { Codec } from "../flow/ports.ts";
import type { Stage } from "../flow/stage.ts";
import { readErasures } from "./erasures.ts";
import { keyedRecord } from "./stage.ts";

/** The Avro record `health.v1.BatchReceipt`. */
export type BatchReceipt = {
  athlete_id: string;
  batch_id: string;
  received_at: Instant;
  body_hash: string;
  anchor: string | null;
  received: number;
  accepted: number;
  deletions: number;
  rejected: unknown[];
  written: unknown[];
  ignored: Record<string, number>;
};

/** Receipts as consumed: the first application of a batch is the one that is kept, none from before an erasure. */
export const createReceiptStage = (codec: Codec): Stage<BatchReceipt, null, BatchReceipt[]> => ({
  name: "receipts",
  decode: async (record) => {
    const decoded = await keyedRecord<BatchReceipt>(codec, record);
    return decoded.kind === "ok" ? ok(decoded.value) : decoded;
  },
  read: async () => null,
  decide: (inputs) =>
    rowsOnly(
      inputs.map(({ value }) => value),
      { stored: inputs.length },
    ),
  write: async (tx, consumed) => {
    const isErased = await readErasures(
      tx,
      consumed.map((receipt) => receipt.athlete_id),
    );
    const receipts = consumed.filter((receipt) => !isErased(receipt.athlete_id, receipt.received_at));
    if (receipts.length === 0) return;
    await tx.query(
      `insert into ingest_batches as b (athlete_id, batch_id, received_at, body_hash, anchor, received, accepted,
         deletions, rejected, ignored, written)
       select distinct on (athlete_id, batch_id) athlete_id, batch_id, to_timestamp(received_at / 1000), body_hash,
         anchor, received, accepted, deletions, rejected, ignored, written
       from jsonb_to_recordset($1::jsonb) as e(athlete_id text, batch_id text, received_at float8, body_hash text,
         anchor text, received int, accepted int, deletions int, rejected jsonb, ignored jsonb, written jsonb)
       order by athlete_id, batch_id, received_at
       on conflict (athlete_id, batch_id) do update set received_at = excluded.received_at,
         body_hash = excluded.body_hash, anchor = excluded.anchor, received = excluded.received,
         accepted = excluded.accepted, deletions = excluded.deletions, rejected = excluded.rejected,
         ignored = excluded.ignored, written = excluded.written
       where excluded.received_at < b.received_at`,
      [JSON.stringify(receipts)],
    );
  },
});
