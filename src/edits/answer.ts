import { type TSchema, Type } from "typebox";
import type { Outcome } from "./apply.ts";
import type { StoredRow } from "./sql.ts";

const nullable = (type: TSchema) => Type.Union([type, Type.Null()]);

/** A whole row of athlete_metrics. */
export const rowSchema = Type.Object({
  athlete_id: Type.String(),
  date: Type.String(),
  metric: Type.String(),
  source: Type.String(),
  value: nullable(Type.Number()),
  unit: Type.String(),
  locked: Type.Boolean(),
  synced_value: nullable(Type.Number({ description: "What the sync would have written; of locked rows only" })),
  is_final: Type.Boolean(),
  pane: nullable(Type.String()),
  method: nullable(Type.String()),
  input_hash: nullable(Type.String()),
  provenance: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  revision: Type.Integer(),
  updated_at: Type.String(),
});

export const removedSchema = Type.Object({
  athlete_id: Type.String(),
  date: Type.String(),
  metric: Type.String(),
  source: Type.String(),
  removed: Type.Boolean(),
  revision: nullable(Type.Integer({ description: "Of the tombstone; null where there was no row" })),
});

const rowAnswer = (athleteId: string, row: StoredRow): Record<string, unknown> => ({
  athlete_id: athleteId,
  ...row,
  updated_at: new Date(row.updated_at).toISOString(),
});

/** The row as it stands, or that there is none any more. */
export const answerOf = (athleteId: string, { key, row, removed }: Outcome): Record<string, unknown> =>
  row ? rowAnswer(athleteId, row) : { athlete_id: athleteId, ...key, removed: removed !== null, revision: removed };
