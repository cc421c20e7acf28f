import { sameJson } from "../domain/canonical.ts";
import { compareCopies, resolveCopies, tombstoneIds } from "../domain/copies.ts";
import type { Digest, Instant, Sample } from "../domain/sample.ts";
import type { Effects } from "../flow/effects.ts";
import { topicDeadLetter } from "../flow/dead-letters.ts";
import type { Accepted, Facts, Staged } from "./facts.ts";
import { keyOf } from "./facts.ts";
import { settleDaily } from "./daily.ts";
import { settleDeletions } from "./deletions.ts";
import { Draft } from "./draft.ts";
import type { StagingRows } from "./rows.ts";
import { settleSyncs } from "./syncs.ts";

/**
 * What a batch of chunks does to staging: pure, total, and independent of the order of samples in the batch.
 * Deletions first, so that a sample which comes with its own deletion never appears.
 */
export const decideStaging = (facts: Facts, now: Instant, digest: Digest): Effects<StagingRows> => {
  const draft = new Draft(facts, now);
  settleDeletions(facts, draft);
  // Versions first: a deleted version has replaced the lower ones all the same, whichever came first.
  const leading = settleSyncs(facts.interpreted.accepted, facts, draft);
  settleSamples(
    leading.filter((accepted) => isWanted(accepted, draft)),
    facts,
    { draft, digest },
  );
  settleDaily(facts, draft);
  return {
    objects: [],
    superseded: [],
    rows: draft.rows(),
    events: [],
    dead_letters: facts.interpreted.refused.map((refused) =>
      topicDeadLetter(refused.record, { ...refused, attempts: 1 }, refused),
    ),
    tally: draft.tally,
  };
};

/** Not deleted. A deleted sample's content is noted, so that its twin is adopted all the same (D10). */
const isWanted = ({ sample, lane, topic_partition }: Accepted, draft: Draft): boolean => {
  const known = draft.tombstoneOf(sample.athlete_id, sample.sample_id);
  if (!known) return true;
  draft.count("tombstoned");
  if (!known.seen) {
    draft.note(sample, { reason: known.reason, found: false });
    draft.touch(sample, { lane, topic_partition, reason: "deleted" });
  }
  return false;
};

const settleSamples = (
  accepted: readonly Accepted[],
  facts: Facts,
  { draft, digest }: { draft: Draft; digest: Digest },
): void => {
  const groups = Map.groupBy(accepted, ({ sample }) => keyOf(sample.athlete_id, sample.sample_id));
  for (const [key, group] of groups) {
    const [first] = group as [Accepted, ...Accepted[]];
    const staged = facts.staged.get(key);
    // Received again as it stands, which is what a repeated record is.
    if (staged && group.length === 1 && sameJson(plain(staged), first.sample)) {
      draft.count("duplicate");
      continue;
    }
    if (staged === undefined && group.length === 1) {
      settleNew(first, draft);
      continue;
    }
    const copies = [...group.map(({ sample }) => sample), ...(staged ? [plain(staged)] : [])];
    const alive = resolveCopies(copies, digest).filter(
      (winner) => !tombstoneIds(winner).some((id) => draft.tombstoneOf(winner.athlete_id, id)),
    );
    const fates = alive.map((winner) => place(winner, facts, { draft, digest, from: first }));
    // One fate per sample received: a staged copy that had to give way was counted when it came.
    const changed = fates.filter((fate) => fate !== "duplicate").slice(0, group.length);
    for (const fate of changed) draft.count(fate);
    draft.count("duplicate", group.length - changed.length);
  }
};

/** A sample whose id nobody used before, which most are: there is nothing to choose from. */
const settleNew = ({ sample, lane, topic_partition }: Accepted, draft: Draft): void => {
  draft.insert(sample);
  draft.touch(sample, { lane, topic_partition, reason: "sample" });
  draft.count("stored");
};

/** Puts the winning copy in its place, unless it stands there already. Answers the fate of the sample it came from. */
const place = (
  winner: Sample,
  facts: Facts,
  { draft, digest, from }: { draft: Draft; digest: Digest; from: Accepted },
): "stored" | "replaced" | "duplicate" => {
  const standing = facts.staged.get(keyOf(winner.athlete_id, winner.sample_id));
  if (standing && compareCopies(plain(standing), winner, digest) <= 0 && sameMoment(standing, winner)) {
    return "duplicate";
  }
  const origin = { lane: from.lane, topic_partition: from.topic_partition, reason: "sample" };
  if (standing) {
    draft.remove(standing);
    draft.touch(standing, origin);
  }
  draft.insert(winner);
  draft.touch(winner, origin);
  return standing ? "replaced" : "stored";
};

const sameMoment = (a: Sample, b: Sample): boolean => a.start_at === b.start_at && a.end_at === b.end_at;

const plain = ({ rev: _, ...sample }: Staged): Sample => sample;
