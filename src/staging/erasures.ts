import type { Instant } from "../domain/sample.ts";
import { avroString } from "../flow/dead-letters.ts";
import type { Tx } from "../flow/ports.ts";

/**
 * Whether what came at that time came before its athlete's erasure: dropped for ever. The rows are locked against an
 * erasure that is under way, which could otherwise pass unseen between this look and the insert that follows it.
 */
export const readErasures = async (
  tx: Tx,
  athletes: readonly string[],
): Promise<(athleteId: string, at: Instant) => boolean> => {
  const rows = await tx.query<{ athlete_id: string; erased_before: Instant | null }>(
    `select athlete_id, erased_before from athletes where athlete_id = any($1::text[])
     order by athlete_id for key share`,
    [[...new Set(athletes)]],
  );
  const erased = new Map(rows.map((row) => [row.athlete_id, row.erased_before]));
  return (athleteId, at) => at <= (erased.get(athleteId) ?? Number.NEGATIVE_INFINITY);
};

/** The same for records that were refused whole, and so are nobody's: whom they are about stands in their bytes. */
export const readErasuresSince = async (
  tx: Tx,
  since: Instant,
): Promise<(payload: Uint8Array, at: Instant) => boolean> => {
  const rows = await tx.query<{ athlete_id: string; erased_before: Instant }>(
    `select athlete_id, erased_before from athletes where erased_before >= $1`,
    [new Date(since)],
  );
  return (payload, at) =>
    rows.some((row) => at <= row.erased_before && Buffer.from(payload).includes(avroString(row.athlete_id)));
};
