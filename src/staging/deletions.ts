import type { Draft } from "./draft.ts";
import type { Facts } from "./facts.ts";
import { keyOf } from "./facts.ts";

/**
 * A deletion carries only an id. Its tombstone stands for ever; a row that is in staging goes at once, one in a closed
 * day is searched for by the windows stage.
 */
export const settleDeletions = (facts: Facts, draft: Draft): void => {
  for (const deletion of facts.interpreted.deletions) {
    const { athlete_id, lane, topic_partition, type, deleted_at } = deletion;
    const sample_id = deletion.sample_id.toLowerCase();
    const known = draft.tombstoneOf(athlete_id, sample_id);
    if (known?.reason === "deleted") {
      draft.count("deletion_repeated");
      continue;
    }
    draft.count("deleted");
    const staged = facts.staged.get(keyOf(athlete_id, sample_id));
    if (staged) {
      draft.remove(staged);
      draft.note(staged, { reason: "deleted", found: true });
      draft.touch(staged, { lane, topic_partition, reason: "deleted" });
    } else {
      draft.bury({ athlete_id, sample_id, reason: "deleted", type, twin_key: null, deleted_at, found: false });
    }
  }
};
