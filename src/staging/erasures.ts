import type { Instant } from "../domain/sample.ts";
import type { Tx } from "../flow/ports.ts";

/**
 * Whether what came at that time came before its athlete's erasure: dropped for ever. The rows are locked against an
 * erasure that is under way, which could otherwise pass unseen between this look and the insert that follows it.
 */
export const readErasures = async (
  tx: Tx,
  athletes: readonly (string | null)[],
): Promise<(athleteId: string | null, at: Instant) => boolean> => {
  const rows = await tx.query<{ athlete_id: string; erased_before: Instant | null }>(
    `select athlete_id, erased_before from athletes where athlete_id = any($1::text[])
     order by athlete_id for key share`,
    [[...new Set(athletes)]],
  );
  const erased = new Map(rows.map((row) => [row.athlete_id, row.erased_before]));
  return (athleteId, at) => {
    const before = athleteId === null ? null : (erased.get(athleteId) ?? null);
    return before !== null && at <= before;
  };
};
