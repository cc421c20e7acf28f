import type { Instant } from "../domain/sample.ts";
import type { Clock, Database } from "../flow/ports.ts";
import { pause } from "../flow/retry.ts";

export type PruneDeps = {
  db: Database;
  clock: Clock;
  /** How long a receipt is kept at least, in ms. */
  kept_ms: number;
};

const AT_ONCE = 2_000;
/** Between two steps, so that a long backlog takes nobody's turn. */
const BREATH_MS = 100;

type Step = { seen: number; removed: number; last: Instant | null };

const pruneSome = async (db: Database, before: Instant, after: Instant): Promise<Step> => {
  const [row] = await db.query<Step>(
    `with old as (
       select athlete_id, batch_id, received_at,
         exists (select 1 from ingest_batches n where n.athlete_id = o.athlete_id and n.received_at > o.received_at) as gone
       from ingest_batches o where received_at >= $2 and received_at < $1 order by received_at limit ${AT_ONCE}
     ), removed as (
       delete from ingest_batches b using old
       where old.gone and b.athlete_id = old.athlete_id and b.batch_id = old.batch_id and b.received_at = old.received_at
       returning 1
     )
     select (select count(*) from old) as seen, (select count(*) from removed) as removed,
       (select max(received_at) from old) as last`,
    [new Date(before), new Date(after)],
  );
  return row ?? { seen: 0, removed: 0, last: null };
};

/**
 * Removes receipts older than `kept_ms`, oldest first, in bounded steps; each athlete's newest stays, which says when they
 * were heard from last. A batch that is repeated later counts as new: its samples are the same by their ids. Two that
 * prune at once take each other's work. Answers how many it removed.
 */
export const pruneReceipts = async ({ db, clock, kept_ms }: PruneDeps, signal?: AbortSignal): Promise<number> => {
  const before = clock.now() - kept_ms;
  const aborted = (): boolean => signal?.aborted ?? false;
  let removed = 0;
  let after = 0;
  while (!aborted()) {
    const step = await pruneSome(db, before, after);
    removed += step.removed;
    // Those of one moment fill a step only where nothing of it can be removed any more.
    if (step.seen < AT_ONCE || step.last === null) break;
    after = step.removed === 0 && step.last === after ? after + 1 : step.last;
    await pause(BREATH_MS, signal);
  }
  return removed;
};
