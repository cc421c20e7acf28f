import { likelyMetrics, athleteMetric } from "../domain/athlete-metrics.ts";
import { byPrecedence, whyEffective, type ValueSource } from "../domain/explain/effective.ts";
import type { Explanation, OneValue } from "../domain/explain/explanation.ts";
import { ruleOf, samplesRead } from "../domain/explain/rules.ts";
import { sleepSources, sourcesOf } from "../domain/explain/sources.ts";
import { addDays } from "../domain/local-day.ts";
import type { LocalDate } from "../domain/sample.ts";
import type { Database, Reader } from "../flow/ports.ts";
import { Problem } from "../flow/route.ts";
import {
  countRemembered,
  countStaged,
  readEdits,
  readMainSleep,
  readNeighbours,
  readObjects,
  readValues,
  type Dates,
  type StoredMetric,
  type StoredSession,
} from "./explain-sql.ts";

/** `source` null: the effective value. */
export type ExplainRequest = { athlete_id: string; date: LocalDate; metric: string; source: ValueSource | null };

const SLEEP = "sleep_analysis";
/** Methods whose sources are those of the night. */
const OF_SESSION = new Set(["sleep_session/1", "sleep_score/1"]);

/** The days before that a rule with history said it reads; null for a rule of the day. */
const historyOf = ({ provenance }: StoredMetric): Dates | null => {
  const days = provenance?.["days"] as Partial<Dates> | undefined;
  return days?.from !== undefined && days.to !== undefined ? { from: days.from, to: days.to } : null;
};

/** A sample stands at its start (D3): a night's may stand two dates before, an interval over midnight one. */
const datesRead = (row: StoredMetric, reads: readonly string[]): Dates => {
  const history = historyOf(row);
  if (history !== null) return { from: history.from, to: row.date };
  if (reads.length === 0) return { from: row.date, to: row.date };
  return reads.includes(SLEEP)
    ? { from: addDays(row.date, -2), to: addDays(row.date, 1) }
    : { from: addDays(row.date, -1), to: row.date };
};

const readInputs = async (tx: Reader, athleteId: string, row: StoredMetric): Promise<Explanation["inputs"]> => {
  const reads = samplesRead(row.metric, row.method);
  const dates = datesRead(row, reads);
  return {
    dates,
    days_remembered: historyOf(row) === null ? null : await countRemembered(tx, athleteId, dates),
    objects: await readObjects(tx, athleteId, dates, reads),
    staged: await countStaged(tx, athleteId, dates, reads),
  };
};

/** What there is instead, for the reader of a 404. */
const notThere = async (tx: Reader, request: ExplainRequest, rows: readonly StoredMetric[]): Promise<Problem> => {
  const { athlete_id, date, metric, source } = request;
  const sources = rows.map((row) => row.source);
  if (sources.length > 0)
    return new Problem(
      404,
      `there is no ${source} value of ${metric} on ${date}; there is one of ${sources.join(", ")}`,
    );
  const { metrics, before, after } = await readNeighbours(tx, athlete_id, request);
  const likely = athleteMetric(metric) === undefined ? likelyMetrics(metric) : [];
  const near = [before, after].filter((one) => one !== null);
  const hints = [
    likely.length > 0 ? `did you mean ${likely.join(", ")}?` : "",
    near.length > 0 ? `the nearest dates that have it are ${near.join(" and ")}` : "",
    metrics.length > 0 ? `that date has ${metrics.join(", ")}` : "that date has no values at all",
  ].filter((hint) => hint !== "");
  return new Problem(404, `there is no ${metric} on ${date}: ${hints.join("; ")}`);
};

const told = (row: StoredMetric, rows: readonly StoredMetric[]): OneValue => {
  const { source, value, unit, locked, is_final, revision } = row;
  return { source, value, unit, locked, is_final, revision, why: whyEffective(row, rows) };
};

const compose = (
  request: ExplainRequest,
  row: StoredMetric,
  rows: readonly StoredMetric[],
  read: { inputs: Explanation["inputs"]; session: StoredSession | null; edits: Explanation["edits"] },
): Explanation => {
  const ofSession = row.method !== null && OF_SESSION.has(row.method) && read.session?.provenance;
  const { input_hash, provenance } = row;
  return {
    athlete_id: request.athlete_id,
    ...told(row, rows),
    date: request.date,
    metric: request.metric,
    effective: rows[0] === row,
    synced_value: row.synced_value,
    pane: row.pane,
    updated_at: new Date(row.updated_at).toISOString(),
    rule: ruleOf(row.method),
    input_hash,
    ...read,
    sources: ofSession ? sleepSources(ofSession) : sourcesOf(row.method, provenance),
    provenance,
    values: rows.map((one) => told(one, rows)),
  };
};

/**
 * How a value came about, from what its rule noted when it was made: nothing is computed again, and everything is read
 * from one snapshot. Throws Problem 404, which says what there is.
 */
export const explain = async (db: Database, request: ExplainRequest): Promise<Explanation> =>
  db.snapshot(async (tx) => {
    const { athlete_id, date, source } = request;
    const rows = byPrecedence(await readValues(tx, athlete_id, request));
    const row = source === null ? rows[0] : rows.find((one) => one.source === source);
    if (row === undefined) throw await notThere(tx, request, rows);
    const inputs = await readInputs(tx, athlete_id, row);
    const reads = samplesRead(row.metric, row.method);
    const session = reads.includes(SLEEP) ? await readMainSleep(tx, athlete_id, date) : null;
    return compose(request, row, rows, { inputs, session, edits: await readEdits(tx, athlete_id, request) });
  });
