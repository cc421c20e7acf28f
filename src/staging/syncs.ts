import type { Accepted, Facts, SyncHolder } from "./facts.ts";
import { keyOf, syncKey } from "./facts.ts";
import type { Draft } from "./draft.ts";

/** D6: of samples that share a sync identifier the highest version stays; of equal ones the smallest id. */
const outranks = (a: SyncHolder, b: SyncHolder): boolean =>
  a.sync_version > b.sync_version || (a.sync_version === b.sync_version && a.sample_id < b.sample_id);

/**
 * A saved object replaces those with the same HKSyncIdentifier and a lower HKSyncVersion: the losers get the
 * tombstone `superseded`, those in this batch as those stored; those that have a tombstone keep it. Answers the
 * samples that are no losers.
 */
export const settleSyncs = (accepted: readonly Accepted[], facts: Facts, draft: Draft): Accepted[] => {
  const groups = Map.groupBy(accepted, ({ sample }) => syncKey(sample));
  const losers = new Set<string>();
  for (const [key, group] of groups) {
    if (key !== null) settleGroup(key, group, { facts, draft, losers });
  }
  if (losers.size === 0) return [...accepted];
  const left = accepted.filter(({ sample }) => !losers.has(keyOf(sample.athlete_id, sample.sample_id)));
  draft.count("superseded", accepted.length - left.length);
  return left;
};

const settleGroup = (
  key: string,
  group: readonly Accepted[],
  { facts, draft, losers }: { facts: Facts; draft: Draft; losers: Set<string> },
): void => {
  const stored = facts.syncs.get(key);
  const holders = group.map(({ sample }) => ({
    sync_version: sample.attributes.sync_version ?? 0,
    sample_id: sample.sample_id,
  }));
  const best = holders.reduce((a, b) => (outranks(b, a) ? b : a), stored ?? (holders[0] as SyncHolder));
  const [athlete_id, bundle_id, type, sync_id] = JSON.parse(key) as [string, string, string, string];
  for (const { sample, lane, topic_partition } of group) {
    if (sample.sample_id === best.sample_id || draft.tombstoneOf(athlete_id, sample.sample_id)) continue;
    losers.add(keyOf(athlete_id, sample.sample_id));
    // It may stand in a closed day, from when it was the highest or came without its version; and its twin is adopted.
    draft.note(sample, { reason: "superseded", found: false });
    draft.touch(sample, { lane, topic_partition, reason: "superseded" });
    supersede(keyOf(athlete_id, sample.sample_id), { lane, topic_partition }, { facts, draft });
  }
  if (stored && stored.sample_id !== best.sample_id) {
    const [first] = group as [Accepted];
    const staged = keyOf(athlete_id, stored.sample_id);
    if (!facts.staged.has(staged) && !draft.tombstoneOf(athlete_id, stored.sample_id)) {
      const deleted_at = first.sample.received_at;
      draft.bury({
        athlete_id,
        sample_id: stored.sample_id,
        reason: "superseded",
        type,
        twin_key: null,
        deleted_at,
        found: false,
      });
    }
    supersede(staged, first, { facts, draft });
  }
  if (!stored || stored.sync_version !== best.sync_version || stored.sample_id !== best.sample_id) {
    draft.syncs.push({ athlete_id, bundle_id, type, sync_id, ...best, replaces: stored?.sample_id ?? null });
  }
};

/** The staged copy of a loser goes at once. */
const supersede = (
  key: string,
  { lane, topic_partition }: Pick<Accepted, "lane" | "topic_partition">,
  { facts, draft }: { facts: Facts; draft: Draft },
): void => {
  const staged = facts.staged.get(key);
  if (!staged) return;
  draft.remove(staged);
  draft.note(staged, { reason: "superseded", found: true });
  draft.touch(staged, { lane, topic_partition, reason: "superseded" });
};
