import type { LocalDate } from "../domain/sample.ts";
import { nextRevisions } from "../flow/athletes.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import { type Of, removeMetrics, writeMetrics } from "../flow/metric-rows.ts";
import type { Tx } from "../flow/ports.ts";
import { movePointers, removePointers } from "./commit-sql.ts";
import type { PaneDecision } from "./decide.ts";
import type { Pane } from "./due.ts";
import { partitionEvent, partitionGone } from "./events.ts";
import type { MetricChanges } from "./metric-changes.ts";
import type { Written, WrittenStream } from "./objects-of.ts";
import type { SessionChanges } from "./session-changes.ts";
import { removeSessions, writeSessions } from "./sessions-sql.ts";
import { moveStreams, removeStreams } from "./streams-sql.ts";

// What panes and the forward pass change, under the athlete's lock: each row with its own revision, told of by an event.

export const changeDays = async (
  tx: Tx,
  of: Of,
  decision: Pick<PaneDecision, "removed">,
  written: readonly Written[],
): Promise<OutboxEvent[]> => {
  const revisions = await nextRevisions(tx, written.length + decision.removed.length);
  const moved = written.map(({ pointer }, at) => ({ ...pointer, revision: revisions[at] as number }));
  if (moved.length > 0) await movePointers(tx, of.athlete_id, moved, of.now);
  const gone = decision.removed;
  if (gone.length > 0) {
    await removePointers(
      tx,
      of.athlete_id,
      gone.map((pointer) => pointer.period_start),
    );
  }
  return [
    ...moved.map((pointer) => partitionEvent(of, pointer, pointer.revision)),
    ...gone.map((pointer, at) => partitionGone(of, pointer, revisions[moved.length + at] as number)),
  ];
};

export const changeSessions = async (tx: Tx, of: Of, { upserts, deletes }: SessionChanges): Promise<OutboxEvent[]> => {
  const revisions = await nextRevisions(tx, upserts.length + deletes.length);
  const rows = upserts.map((row, at) => Object.assign({ revision: revisions[at] as number }, row));
  const gone = deletes.map((session_id, at) => ({ session_id, revision: revisions[rows.length + at] as number }));
  return [...(await writeSessions(tx, of, rows)), ...(await removeSessions(tx, of, gone))];
};

export const changeStreams = async (
  tx: Tx,
  of: Of,
  { gone }: Pick<PaneDecision, "gone">,
  written: readonly WrittenStream[],
): Promise<void> => {
  await moveStreams(
    tx,
    of,
    written.map(({ pointer }) => pointer),
  );
  await removeStreams(
    tx,
    of.athlete_id,
    gone.map((pointer) => pointer.session_id),
  );
};

/** `paneOf`: the firing that a date's rows are of. */
export const changeMetrics = async (
  tx: Tx,
  of: Of,
  { upserts, deletes }: MetricChanges,
  paneOf: (date: LocalDate) => Pane,
): Promise<OutboxEvent[]> => {
  const revisions = await nextRevisions(tx, upserts.length + deletes.length);
  const rows = upserts.map((row, at) =>
    Object.assign({ pane: paneOf(row.date), revision: revisions[at] as number }, row),
  );
  const gone = deletes.map((key, at) => ({ ...key, revision: revisions[rows.length + at] as number }));
  return [...(await writeMetrics(tx, of, rows)), ...(await removeMetrics(tx, of, gone))];
};
