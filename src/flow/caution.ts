import type { ApplyDeps, Applied } from "./apply.ts";
import { applyRecords } from "./apply.ts";
import { rowsOnly } from "./effects.ts";
import { dead } from "./outcome.ts";
import type { Lane } from "./lanes.ts";
import { laneKey } from "./lanes.ts";
import type { RawRecord } from "./ports.ts";
import { Fenced, Refusal, countAttempt, wayOut } from "./positions.ts";
import type { AnyStage } from "./stage.ts";

/** So many workers may die under one record before it is given up. */
export const MAX_DEATHS = 3;

/** The stage that gives a record up: its bytes go to the dead letters as `crashed`. */
const givingUp = (stage: AnyStage): AnyStage => ({
  name: stage.name,
  decode: async () => dead("crashed", "", `the worker died ${MAX_DEATHS} times under this record`),
  read: async () => undefined,
  decide: () => rowsOnly(undefined, {}),
  write: async () => undefined,
});

/**
 * Applies the next records of a lane. The first work after a start is counted before it begins; where a worker has
 * died, records go one at a time and each try is counted, so that the one that kills is found and set aside. When
 * its neighbour kills too, the cause is not the record: Refusal.
 */
export const applySome = async (
  deps: ApplyDeps,
  stage: AnyStage,
  lane: Lane,
  records: readonly RawRecord[],
): Promise<{ applied: Applied; rest: RawRecord[] }> => {
  const cautious = lane.position < lane.cautious_until;
  const part = cautious ? records.slice(0, 1) : records;
  const first = part[0];
  if (!first) throw new Error("applySome needs at least one record");
  if (cautious || !lane.counted) {
    lane.attempts = await countAttempt(deps.db, deps.group, lane);
    lane.counted = true;
    lane.owes = true;
    if (lane.revoked) throw new Fenced(`${laneKey(lane)} went to another member`);
  }
  const givenUp = cautious && lane.attempts > MAX_DEATHS;
  if (givenUp && lane.crashed_offset === first.offset - 1) {
    throw new Refusal(
      `${laneKey(lane)}: the worker died under two records in a row (${first.offset - 1}, ${first.offset}); the cause is not the data; ${wayOut}`,
    );
  }
  const place = { ...lane, crashed_offset: givenUp ? first.offset : lane.crashed_offset };
  const applied = await applyRecords(deps, givenUp ? givingUp(stage) : stage, place, part);
  lane.position = applied.position;
  lane.fingerprint = applied.fingerprint;
  lane.crashed_offset = place.crashed_offset;
  lane.attempts = 0;
  lane.owes = false;
  return { applied, rest: records.slice(part.length) };
};
