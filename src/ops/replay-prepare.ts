import type { Clock, Database, LogInfo } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import { type Asked, type ReplayPlan, type TopicLog, planReplay } from "./replay-plan.ts";
import { createReplay } from "./replay-store.ts";

export type ReplayLog = LogInfo & { offsetsAt(topic: string, at: number): Promise<Map<number, number>> };

export type PrepareDeps = {
  db: Database;
  clock: Clock;
  logInfo: ReplayLog;
  topics: TopicNames;
  partitionOfKey: (key: string, partitions: number) => number;
};

/** Asks the log where the ranges begin and end now. */
export const planFromLog = async (deps: PrepareDeps, asked: Asked): Promise<ReplayPlan> => {
  const at = async (topic: string, time: number | null) => (time === null ? null : deps.logInfo.offsetsAt(topic, time));
  const logs = await Promise.all(
    asked.topics.map(async (name): Promise<TopicLog> => {
      const topic = deps.topics(name);
      const [bounds, since, until] = await Promise.all([
        deps.logInfo.bounds(topic),
        at(topic, asked.since),
        at(topic, asked.until),
      ]);
      return { name, topic, bounds, since, until };
    }),
  );
  const { athletes } = asked;
  return planReplay(
    asked,
    logs,
    (count) => athletes && new Set(athletes.map((athlete) => deps.partitionOfKey(athlete, count))),
  );
};

/** Notes the replay; answers its id. */
export const noteReplay = async (
  deps: PrepareDeps,
  asked: Asked,
  what: { plan: ReplayPlan; rate: number | null },
): Promise<string> => {
  const { athletes, metrics } = asked;
  const at = { now: deps.clock.now(), cluster_id: await deps.logInfo.clusterId() };
  return createReplay(deps.db, { selection: { athletes, metrics }, ranges: what.plan.ranges, rate: what.rate }, at);
};
