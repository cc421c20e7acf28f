import type { Connections } from "./app.ts";
import { overlayOf, settleShadow } from "./app-shadow.ts";
import { digest } from "./flow/digest.ts";
import type { ObjectStore, RawRecord } from "./flow/ports.ts";
import type { Input } from "./flow/stage.ts";
import { parquetFormat } from "./io/parquet.ts";
import { openDatabase } from "./io/postgres.ts";
import { type Range, recordsIn } from "./ops/replay-plan.ts";
import type { ReplayPreview } from "./ops/replay-preview.ts";
import { openRangeReader } from "./ops/replay-read.ts";
import type { Selection } from "./ops/replay-store.ts";
import { type Shadow, inShadow } from "./ops/shadow.ts";
import { differences } from "./ops/shadow-differences.ts";
import { selecting } from "./staging/select.ts";
import { createStagingStage } from "./staging/stage.ts";
import type { ChunkInput } from "./staging/facts.ts";

type PreviewDeps = Connections & { now: number; objects: ObjectStore };

/** Staging of a batch of records into the shadow, as the runner would apply it; answers their fates. */
const stagingInto = (deps: PreviewDeps, shadow: Shadow, selection: Selection) => {
  const { codec, clock } = deps;
  const chunks = { codec, digest, onStep: () => undefined, wake: () => undefined };
  const stage = selecting(createStagingStage(chunks, "backfill"), selection, () => undefined);
  return async (records: readonly RawRecord[]): Promise<Record<string, number>> => {
    const inputs: Input<ChunkInput>[] = [];
    for (const record of records) {
      const outcome = await stage.decode(record);
      if (outcome.kind === "ok") inputs.push({ record, value: outcome.value });
    }
    if (inputs.length === 0) return {};
    await shadow.admit(inputs.map(({ value }) => value.chunk.athlete_id));
    return shadow.db.transaction(async (tx) => {
      const effects = stage.decide(inputs, await stage.read(tx, inputs), clock.now());
      await stage.write(tx, effects.rows);
      return effects.tally;
    });
  };
};

const add = (into: ReplayPreview, more: Omit<ReplayPreview, "athletes" | "tally">): void => {
  into.staged.push(...more.staged);
  into.objects.push(...more.objects);
  into.metrics.push(...more.metrics);
  into.tombstones += more.tombstones;
  into.totals += more.totals;
  into.sessions += more.sessions;
};

const nothing = (): ReplayPreview => ({
  athletes: 0,
  tally: {},
  staged: [],
  tombstones: 0,
  totals: 0,
  sessions: 0,
  objects: [],
  metrics: [],
});

/**
 * What a replay of these ranges would change: the same stages on a shadow of the tables, one topic partition number (so
 * the whole of its athletes) after the other. Database, objects and positions stay as they are.
 */
export const previewReplay = async (
  connections: Connections,
  wanted: { selection: Selection; ranges: readonly Range[] },
  onProgress: (line: string) => void,
): Promise<ReplayPreview> => {
  const { kafka, config, clock } = connections;
  const preview = nothing();
  if (wanted.ranges.length === 0) return preview;
  const db = openDatabase({ url: config.databaseUrl, max: 2, statement_timeout_ms: 0 });
  const objects = connections.openObjects();
  const group = `${config.prefix}staging@preview-${connections.owner}`;
  const reader = await openRangeReader(
    kafka.consumer({ group, topics: [...new Set(wanted.ranges.map((range) => range.topic))] }),
  );
  let read = 0;
  const total = recordsIn(wanted.ranges);
  try {
    for (const [, ranges] of Map.groupBy(wanted.ranges, (range) => range.topic_partition)) {
      const deps = { ...connections, now: clock.now(), objects: overlayOf(objects) };
      const part = await inShadow(db, deps.now - config.windowGrace, async (shadow) => {
        const stage = stagingInto(deps, shadow, wanted.selection);
        await reader.read(ranges, async (records) => {
          for (const [fate, n] of Object.entries(await stage(records))) {
            preview.tally[fate] = (preview.tally[fate] ?? 0) + n;
          }
          read += records.length;
          onProgress(`read ${read} of ${total} records`);
        });
        await settleShadow({ ...deps, rules: config.rules }, shadow.db);
        const [known] = await shadow.db.query<{ n: number }>(`select count(*) as n from pg_temp.athletes`);
        preview.athletes += known?.n ?? 0;
        return differences(shadow.db, async (key) => parquetFormat.decodeDay(await deps.objects.get(key)));
      });
      add(preview, part);
    }
    return preview;
  } finally {
    await reader.close();
    objects.close();
    await db.close();
  }
};
