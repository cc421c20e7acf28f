import type { AthleteMetric } from "../domain/athlete-metrics.ts";
import { localDate } from "../domain/local-day.ts";
import type { Instant, LocalDate } from "../domain/sample.ts";
import { zoneAt } from "../domain/zone.ts";
import { lockAthlete, nextRevisions, raiseVersion } from "../flow/athletes.ts";
import type { OutboxEvent } from "../flow/effects.ts";
import { type MetricKey, type MetricRow, type Of, removeMetrics, writeMetrics } from "../flow/metric-rows.ts";
import { enqueue } from "../flow/outbox.ts";
import type { Clock, Database, Tx } from "../flow/ports.ts";
import { Problem } from "../flow/route.ts";
import type { TopicNames } from "../flow/topics.ts";
import { checkDate } from "./check.ts";
import { type Decision, type Wish, decideEdit } from "./decide.ts";
import { type AthleteFacts, type StoredRow, noteEdits, readFacts, readRows } from "./sql.ts";

export type EditDeps = { db: Database; clock: Clock; topic: TopicNames };

/** Wishes for rows of one athlete and date, by one person. */
export type Request = {
  athlete_id: string;
  actor: string;
  received_at: Instant;
  /** As it was sent. */
  date: string;
  wishes: readonly { metric: AthleteMetric; source: MetricRow["source"]; wish: Wish }[];
};

/** A row as it stands now, or its key with the number under which it went; null where there was none. */
export type Outcome = { key: MetricKey; row: StoredRow | null; removed: number | null };

/**
 * The latest date that it is anywhere the athlete may be: by their own history, the zones of their samples, and where
 * nothing is known of them, anywhere on Earth.
 */
export const latestDate = ({ history, seen }: Pick<AthleteFacts, "history" | "seen">, now: Instant): LocalDate => {
  const own = zoneAt(history, now);
  const known = [...seen, ...(own === undefined ? [] : [own])];
  const dates = (known.length > 0 ? known : ["+14:00"]).map((zone) => localDate(now, zone));
  return dates.toSorted().at(-1) as LocalDate;
};

/** What was on its way while the person was erased must not bring anything back. */
export const refuseErased = ({ erased_before }: Pick<AthleteFacts, "erased_before">, received_at: Instant): void => {
  if (erased_before !== null && received_at <= erased_before) throw new Problem(410, "this athlete was erased");
};

type Step = { key: MetricKey; before: StoredRow | null; decision: Decision };

const isChange = ({ decision }: Step): boolean => decision.action !== null;

/** Rows, events and history of what changes. Answers each step's outcome. */
const carryOut = async (tx: Tx, of: Of, actor: string, steps: readonly Step[]): Promise<Outcome[]> => {
  const changes = steps.filter(isChange);
  const revisions = await nextRevisions(tx, changes.length);
  const numbered = changes.map((step, at) => ({ ...step, revision: revisions[at] as number }));
  const written = numbered.flatMap(({ decision: { after }, revision }) =>
    after === null ? [] : [{ ...after, pane: null, revision }],
  );
  const gone = numbered.flatMap(({ key, decision: { after }, revision }) =>
    after === null ? [{ ...key, revision }] : [],
  );
  const events: OutboxEvent[] = [...(await writeMetrics(tx, of, written)), ...(await removeMetrics(tx, of, gone))];
  await noteEdits(
    tx,
    { ...of, actor },
    numbered.map(({ key, before, decision, revision }) => ({ key, before, ...decision, revision })),
  );
  await enqueue(tx, events);
  if (changes.length > 0) await raiseVersion(tx, of.athlete_id);
  return steps.map((step): Outcome => {
    const { key, before } = step;
    const change = numbered.find((one) => one.key === key);
    if (!change) return { key, row: before, removed: null };
    const { decision, revision } = change;
    if (decision.after === null) return { key, row: null, removed: revision };
    return { key, row: { ...decision.after, pane: null, revision, updated_at: of.now }, removed: null };
  });
};

/**
 * An edit's one transaction, under the athlete's lock as a pane's: neither can lose the other's work. All wishes are
 * carried out, or none; one that is fulfilled already takes no revision and tells nobody.
 */
export const applyEdit = async (deps: EditDeps, request: Request): Promise<Outcome[]> =>
  deps.db.transaction(async (tx) => {
    await lockAthlete(tx, request.athlete_id);
    const now = deps.clock.now();
    const facts = await readFacts(tx, request.athlete_id);
    refuseErased(facts, request.received_at);
    const date = checkDate(request.date, latestDate(facts, now));
    const metrics = request.wishes.map(({ metric }) => metric.metric);
    const rows = await readRows(tx, request.athlete_id, date, metrics);
    const steps = request.wishes.map(({ metric, source, wish }): Step => {
      const key = { date, metric: metric.metric, source };
      const before = rows.find((row) => row.metric === key.metric && row.source === source) ?? null;
      return { key, before, decision: decideEdit(metric, key, before, wish) };
    });
    return carryOut(tx, { athlete_id: request.athlete_id, topic: deps.topic, now }, request.actor, steps);
  });
