import type { Database } from "../flow/ports.ts";
import { OUTBOX_SHARDS, PLAIN_LANE } from "../flow/outbox.ts";

const LANES = [PLAIN_LANE, ...Array.from({ length: OUTBOX_SHARDS }, (_, shard) => shard)];

type Lease = { shard: number; owner: string | null; alive: boolean };
export type LeasePlan = { renew: number[]; release: number[]; claim: number[]; steal: number[] };

/**
 * Who should hold what, seen from one relay: keep what is mine up to a fair share (ceil of 8 by live owners, me
 * included), give the rest back, take free ones. One that holds less than its share while nothing is free takes one
 * lane from the owner with the most: that owner then sees the newcomer and gives back the rest. Taking a live owner's
 * lane is safe, because the broker fences its producer. The plain lane has no order and belongs to nobody's share.
 */
export const planLeases = (me: string, leases: readonly Lease[]): LeasePlan => {
  const counts = new Map<string, number[]>([[me, []]]);
  const free: number[] = [];
  const plan: LeasePlan = { renew: [], release: [], claim: [], steal: [] };
  for (const { shard, owner, alive } of leases) {
    const free_ = owner === null || (!alive && owner !== me);
    if (shard === PLAIN_LANE) {
      if (owner === me) plan.renew.push(shard);
      else if (free_) plan.claim.push(shard);
    } else if (free_) free.push(shard);
    else counts.set(owner, [...(counts.get(owner) ?? []), shard]);
  }
  const share = Math.ceil(OUTBOX_SHARDS / counts.size);
  const mine = counts.get(me) ?? [];
  plan.renew.push(...mine.slice(0, share));
  plan.release.push(...mine.slice(share));
  const wanted = Math.max(0, share - mine.length);
  plan.claim.push(...free.slice(0, wanted));
  // Only a newcomer takes: whoever holds something is already known to the others, who give back by themselves.
  if (mine.length === 0 && free.length === 0) {
    const [most] = [...counts].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
    const [taken] = most && most[0] !== me ? most[1] : [];
    if (taken !== undefined && (most?.[1].length ?? 0) > share) plan.steal.push(taken);
  }
  return plan;
};

/** Renews, gives back and takes leases by the database's clock; answers the lanes held now. */
export const holdLeases = async (db: Database, me: string, leaseMs: number): Promise<number[]> =>
  db.transaction(async (tx) => {
    await tx.query(`insert into outbox_shards (shard) select unnest($1::smallint[]) on conflict do nothing`, [LANES]);
    const leases = await tx.query<Lease>(
      `select shard, owner, lease_until > now() as alive from outbox_shards
       where shard = any($1::smallint[]) order by shard for update`,
      [LANES],
    );
    const plan = planLeases(me, leases);
    await tx.query(
      `update outbox_shards set owner = null, lease_until = '-infinity' where shard = any($1::smallint[])`,
      [plan.release],
    );
    const held = [...plan.renew, ...plan.claim, ...plan.steal];
    await tx.query(
      `update outbox_shards set owner = $1, lease_until = now() + $2 * interval '1 millisecond'
       where shard = any($3::smallint[])`,
      [me, leaseMs, held],
    );
    return held.toSorted((a, b) => a - b);
  });

/** Gives lanes back, those that are still mine. */
export const releaseLeases = async (db: Database, me: string, shards: readonly number[]): Promise<void> => {
  await db.query(
    `update outbox_shards set owner = null, lease_until = '-infinity'
     where owner = $1 and shard = any($2::smallint[])`,
    [me, shards],
  );
};
