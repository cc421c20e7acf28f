import type { Connections } from "./app.ts";
import { isTransient } from "./app.ts";
import type { Rules } from "./domain/history/rules.ts";
import type { Database, ObjectStore, Telemetry } from "./flow/ports.ts";
import { ObjectMissing } from "./flow/ports.ts";
import { parquetFormat } from "./io/parquet.ts";
import { createWindowsStage } from "./windows/stage.ts";

const silent: Telemetry = { info() {}, warn() {}, count() {}, gauge() {}, time() {} };

/** Objects as panes write and read them; what is written stays in memory. */
export const overlayOf = (objects: ObjectStore) => {
  const written = new Map<string, Uint8Array>();
  const overlay: ObjectStore = {
    put: async (key, body) => void written.set(key, body),
    get: async (key) => written.get(key) ?? objects.get(key),
    getRange: async (key, range) => written.get(key)?.subarray(range.from, range.to) ?? objects.getRange(key, range),
    delete: async () => undefined,
    list: async function* () {},
  };
  return overlay;
};

/** Fires every window of the shadow that is due: the windows stage itself, that waits for nothing. */
export const settleShadow = async (
  deps: Connections & { objects: ObjectStore; rules: Rules },
  db: Database,
): Promise<void> => {
  const { clock, config, topics } = deps;
  const stage = createWindowsStage({
    db,
    objects: deps.objects,
    parquet: parquetFormat,
    clock,
    telemetry: silent,
    onStep: () => undefined,
    topic: topics,
    rules: deps.rules,
    config: {
      grace: config.windowGrace,
      sweep_grace: config.sweepGrace,
      early_every: 0,
      late_quiet: 0,
      backfill_quiet: 0,
      backlog_cap: 0,
      month_quiet: Number.MAX_SAFE_INTEGER,
      month_late_quiet: 0,
    },
    appliedPast: async () => true,
    isTransient,
    concurrency: 1,
  });
  const owned = await db.query<{ n: number }>(`select distinct topic_partition as n from windows`);
  stage.own(owned.map((row) => row.n));
  while ((await stage.fireDue()) > 0);
  const [left] = await db.query<{ n: number }>(`select count(*) as n from windows where dirty > fired`);
  if (left?.n !== 0) throw new ObjectMissing(`${left?.n} days could not be computed: something else changes them now`);
};
