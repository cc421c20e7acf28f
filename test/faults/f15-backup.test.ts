import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { lastPerKey } from "../support/audit/check-pointers.ts";
import { auditEnvironment } from "../support/audit/environment.ts";
import { readTopics } from "../support/audit/topic-log.ts";
import { copyObjects, dumpDatabase, restoreDatabase } from "../support/service/backup.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll } from "../support/service/fault-run.ts";
import { judged } from "../support/service/judged.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const [lost, anew] = [await isolated("lost-place"), await isolated("restored")];
/** Kafka is still there; the database and the objects are elsewhere. */
const restored = { ...anew, prefix: lost.prefix, env: { ...anew.env, TOPIC_PREFIX: lost.prefix } };
/** Never shorter than a backup takes and is kept: what the dump points to must be there when objects are copied. */
const KEPT = { SWEEP_GRACE: "1h" };
const WAITS_MS: readonly [number, number] = WHOLE_MATRIX ? [500, 6000] : [500, 1500];

/** Keys whose last record does not carry their highest revision: whoever goes by revisions would not see it. */
const behind = async (): Promise<string[]> => {
  const topics = await readTopics(auditEnvironment(restored.env), ["metrics", "day-partitions", "sleep-sessions"]);
  return [...topics].flatMap(([name, records]) => {
    const revision = (record: (typeof records)[number]): number =>
      record.revision_header ?? Number(record.value?.["revision"] ?? 0);
    const highest = new Map<string | null, number>();
    for (const record of records) highest.set(record.key, Math.max(revision(record), highest.get(record.key) ?? 0));
    const { last } = lastPerKey(records);
    return [...last]
      .filter(([key, record]) => revision(record) < (highest.get(key) ?? 0))
      .map(([key]) => `${name} ${key}`);
  });
};

test(
  `F15 a backup taken while all runs, and a new place that starts from it: the log is read on from there (seed ${SEED})`,
  async (context) => {
    const dice = random(SEED, "backup");
    const [before = [], during = [], after = []] = slices(faultInput(), 3);
    const old = await openService(lost, KEPT);
    const worker = old.worker();
    await sendAll(old, before);
    await sleep(dice.whole(...WAITS_MS));
    const sending = sendAll(old, during);
    const dump = await dumpDatabase(lost.databaseUrl);
    const copying = copyObjects(lost.env, anew.env);
    await sending;
    await sendAll(old, after);
    await copying;
    await old.wait();
    worker.signal("SIGKILL");
    await worker.exited;
    await old.close();
    await restoreDatabase(anew.databaseUrl, dump);
    const service = await openService(restored, KEPT);
    try {
      service.client.ledger.push(...old.client.ledger);
      await finish(service);
      expect(await behind()).toEqual([]);
      judged(context);
    } finally {
      await service.close();
    }
  },
  10 * 60_000,
);
