import type { Connections } from "./app.ts";
import { overlayOf, settleShadow } from "./app-shadow.ts";
import { chooseRules } from "./domain/history/rules.ts";
import { parquetFormat } from "./io/parquet.ts";
import { openDatabase } from "./io/postgres.ts";
import type { RecomputePorts } from "./ops/recompute-command.ts";
import type { RecomputePreview } from "./ops/recompute-text.ts";
import {
  type AthleteDays,
  type Selection,
  chosenVersion,
  markAthlete,
  selectedDays,
  waitForRecompute,
} from "./ops/recompute.ts";
import { inShadow } from "./ops/shadow.ts";
import { differences } from "./ops/shadow-differences.ts";

/** One athlete after the other, each on a shadow of their own: the windows stage itself, undone at the end. */
const preview = async (
  connections: Connections,
  of: readonly AthleteDays[],
  selection: Selection,
  onProgress: (text: string) => void,
): Promise<RecomputePreview> => {
  const { clock, config } = connections;
  const version = chosenVersion(selection);
  const rules = version === null ? config.rules : chooseRules([...Object.values(config.rules), version]);
  const all: RecomputePreview = { objects: [], metrics: [], sessions: 0 };
  const db = openDatabase({ url: config.databaseUrl, max: 2, statement_timeout_ms: 0 });
  const stored = connections.openObjects();
  try {
    for (const [at, { athlete_id, days }] of of.entries()) {
      onProgress(`${athlete_id}: ${days} days (${at + 1} of ${of.length} athletes)`);
      const objects = overlayOf(stored);
      const changed = await inShadow(db, clock.now() - config.windowGrace, async (shadow) => {
        await shadow.admit([athlete_id]);
        await markAthlete({ db: shadow.db, clock }, athlete_id, selection, { rate: null });
        await settleShadow({ ...connections, objects, rules }, shadow.db);
        return differences(shadow.db, async (key) => parquetFormat.decodeDay(await objects.get(key)));
      });
      all.objects.push(...changed.objects);
      all.metrics.push(...changed.metrics);
      all.sessions += changed.sessions;
    }
    return all;
  } finally {
    stored.close();
    await db.close();
  }
};

/** What `health-sync recompute` works with. */
export const openRecompute = (connections: Connections): RecomputePorts => {
  const { clock, config } = connections;
  const db = connections.openDatabase(2);
  return {
    select: (selection) => selectedDays(db, selection),
    mark: (athleteId, selection, options) => markAthlete({ db, clock }, athleteId, selection, options),
    wait: (selection, options) => waitForRecompute({ db, clock }, selection, options),
    preview: (of, selection, onProgress) => preview(connections, of, selection, onProgress),
    rules: config.rules,
    close: () => db.close(),
  };
};
