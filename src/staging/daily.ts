import { zoneAt } from "../domain/zone.ts";
import { dayStart } from "../domain/local-day.ts";
import type { DailyRow, Facts } from "./facts.ts";
import { isErased } from "./facts.ts";
import type { Draft } from "./draft.ts";

type Stamp = Pick<DailyRow, "received_at" | "content_hash">;

/** The largest (received_at, content hash) wins (contract §3). */
const wins = (a: Stamp, b: Stamp): boolean =>
  a.received_at > b.received_at || (a.received_at === b.received_at && a.content_hash > b.content_hash);

/** The provider's own merged totals: one row per athlete, date and metric, an input of the window. */
export const settleDaily = (facts: Facts, draft: Draft): void => {
  const groups = Map.groupBy(
    facts.interpreted.daily,
    ({ athlete_id, date, metric }) => `${athlete_id}|${date}|${metric}`,
  );
  for (const [key, group] of groups) {
    const best = group.reduce((a, b) => (wins(b, a) ? b : a));
    if (isErased(best, facts)) {
      draft.count("erased", group.length);
      continue;
    }
    const stored = facts.totals.get(key);
    if (stored && !wins(best, stored)) {
      draft.count("daily_older", group.length);
      continue;
    }
    draft.daily.push(best);
    draft.count("daily", group.length);
    const { lane, topic_partition } = best;
    const zone = zoneAt(facts.athletes.get(best.athlete_id)?.settings.zones ?? [], dayStart(best.date, "UTC")) ?? "UTC";
    draft.touchDate(best.athlete_id, best.date, { lane, topic_partition, reason: "daily", zone });
  }
};
