import { checkFates } from "./check-fates.ts";
import { checkLocks, checkMetrics } from "./check-metrics.ts";
import { checkPointers } from "./check-pointers.ts";
import { checkSamples } from "./check-samples.ts";
import { checkSessions } from "./check-sessions.ts";
import { askedOf, type Asked } from "./daily.ts";
import type { AuditEnvironment } from "./environment.ts";
import { expectation, type Expectation, type ReceivedAt } from "./expected-live.ts";
import type { Ledger } from "./ledger.ts";
import { readObjects } from "./object-files.ts";
import type { Stored } from "./stored.ts";
import { readTables } from "./tables.ts";
import { readTopics } from "./topic-log.ts";
import type { Verdict } from "./verdict.ts";

const TOPICS = ["metrics", "day-partitions", "sleep-sessions", "deadletter", "batches"];

/** Takes everything from the stores. The state should be quiet (`health-sync wait`). */
export const collect = async (env: AuditEnvironment): Promise<Stored> => {
  const tables = await readTables(env.databaseUrl);
  const { rows, streamRows, objects, listed } = await readObjects(env, {
    days: tables.pointers.map((p) => p.object_key),
    nights: tables.sleepPointers.map((p) => p.object_key),
  });
  const topics = await readTopics(env, TOPICS);
  return { ...tables, rows: [...tables.rows, ...rows], streamRows, objects, listed, topics };
};

/** What each athlete's live samples ask for, computed once for every check. */
const recompute = (ledger: Ledger, { live }: Expectation): Map<string, Asked> =>
  new Map(
    [...Map.groupBy(live.values(), (s) => s.athlete_id)].map(([athleteId, samples]) => [
      athleteId,
      askedOf(athleteId, samples, ledger.settings.get(athleteId)?.source_order ?? {}),
    ]),
  );

const joined = (a: Verdict, b: Pick<Verdict, "checked" | "violations">): Verdict => ({
  ...a,
  checked: { ...a.checked, ...b.checked },
  violations: [...a.violations, ...b.violations],
});

/** All invariants on what was collected. `graceMs`: how long an orphan may stay. */
export const judge = (ledger: Ledger, stored: Stored, options: { graceMs: number }): Verdict[] => {
  const receivedAt = new Map(stored.receipts.map((r) => [`${r.athlete_id}|${r.batch_id}`, r.received_at]));
  const received: ReceivedAt = (athlete, batch) => receivedAt.get(`${athlete}|${batch}`) ?? 0;
  const expected = expectation(ledger, received);
  const asked = recompute(ledger, expected);
  return [
    checkSamples(expected, stored),
    joined(checkMetrics(ledger, asked, stored, received), checkSessions(asked, expected, stored)),
    checkFates(ledger, stored),
    checkPointers(stored, options.graceMs),
    checkLocks(ledger, stored),
  ];
};

export const audit = async (env: AuditEnvironment, ledger: Ledger, options: { graceMs: number }): Promise<Verdict[]> =>
  judge(ledger, await collect(env), options);
