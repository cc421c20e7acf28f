import type { Instant, LocalDate } from "../domain/sample.ts";
import type { MetricKey, MetricRow } from "../flow/metric-rows.ts";
import type { Tx } from "../flow/ports.ts";
import { readAthlete } from "../flow/athletes.ts";
import type { Action } from "./decide.ts";

/** A row of athlete_metrics as it stands. */
export type StoredRow = MetricRow & { pane: string | null; revision: number; updated_at: Instant };

export const readRows = async (
  tx: Tx,
  athleteId: string,
  date: LocalDate,
  metrics: readonly string[],
): Promise<StoredRow[]> =>
  tx.query<StoredRow>(
    `select date, metric, source, value, unit, locked, synced_value, is_final, method, input_hash, provenance, pane,
       revision, updated_at
     from athlete_metrics where athlete_id = $1 and date = $2 and metric = any($3::text[])`,
    [athleteId, date, metrics],
  );

/** Where the athlete is known to have been, by the settings and by the samples; and whether they were erased. */
export type AthleteFacts = {
  history: readonly { from: Instant; zone: string }[];
  seen: readonly string[];
  erased_before: Instant | null;
};

export const readFacts = async (tx: Tx, athleteId: string): Promise<AthleteFacts> => {
  const { settings } = await readAthlete(tx, athleteId);
  const [row] = await tx.query<{ zones_seen: string[]; erased_before: Instant | null }>(
    `select zones_seen, erased_before from athletes where athlete_id = $1`,
    [athleteId],
  );
  return { history: settings.zones, seen: row?.zones_seen ?? [], erased_before: row?.erased_before ?? null };
};

export type NotedEdit = {
  key: MetricKey;
  before: MetricRow | null;
  after: MetricRow | null;
  action: Action | null;
  revision: number;
};

/** Who changed what, when: kept as long as the athlete is. */
export const noteEdits = async (
  tx: Tx,
  by: { athlete_id: string; actor: string; now: Instant },
  edits: readonly NotedEdit[],
): Promise<void> => {
  if (edits.length === 0) return;
  await tx.query(
    `insert into metric_edits (athlete_id, date, metric, source, actor, action, before, after, revision, edited_at)
     select $1, (key->>'date')::date, key->>'metric', key->>'source', $2, action, nullif(before, 'null'),
       nullif(after, 'null'), revision, $3
     from jsonb_to_recordset($4::jsonb) as t(key jsonb, action text, before jsonb, after jsonb, revision bigint)`,
    [by.athlete_id, by.actor, new Date(by.now), JSON.stringify(edits)],
  );
};
