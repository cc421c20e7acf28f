import { conflictId, conflicts } from "../domain/copies.ts";
import type { AthleteSettings, Digest, Instant, Sample, TombstoneReason } from "../domain/sample.ts";
import type { Tx } from "../flow/ports.ts";
import type { Input } from "../flow/stage.ts";
import type {
  Accepted,
  AthleteFacts,
  ChunkInput,
  DailyRow,
  Facts,
  Interpreted,
  KnownTombstone,
  Staged,
  SyncHolder,
} from "./facts.ts";
import { keyOf, syncKey } from "./facts.ts";
import { interpretChunks } from "./interpret.ts";

type Id = { athlete_id: string; sample_id: string };

/**
 * Everything the decision needs, in a handful of statements for the whole batch. The athletes are locked before
 * anything is read: another lane, or a pane, cannot make the facts untrue before this transaction has committed.
 * A deletion and the insert that it is meant for would otherwise pass each other unseen.
 */
export const readFacts = async (tx: Tx, inputs: readonly Input<ChunkInput>[], digest: Digest): Promise<Facts> => {
  const chunks = inputs.map(({ value }) => value);
  const athletes = await readAthletes(tx, [...new Set(chunks.map(({ chunk }) => chunk.athlete_id))]);
  const interpreted = interpretChunks(chunks, (id) => athletes.get(id), digest);
  await firstReceived(tx, chunks, interpreted);
  const syncs = await readSyncs(tx, interpreted.accepted);
  const ids: Id[] = [
    ...interpreted.accepted.map(({ sample }) => sample),
    ...interpreted.deletions.map((d) => ({ athlete_id: d.athlete_id, sample_id: d.sample_id.toLowerCase() })),
    ...[...syncs].map(([key, { sample_id }]) => ({ athlete_id: (JSON.parse(key) as [string])[0], sample_id })),
  ];
  const staged = await readStaged(tx, ids);
  for (const [key, row] of await readStaged(tx, renamedIds(interpreted.accepted, staged, digest))) staged.set(key, row);
  const tombstones = await readTombstones(tx, ids);
  const totals = await readTotals(tx, interpreted.daily);
  return { interpreted, athletes, staged, tombstones, syncs, totals };
};

const readAthletes = async (tx: Tx, ids: readonly string[]): Promise<Map<string, AthleteFacts>> => {
  await tx.query(
    `insert into athletes (athlete_id) select id from unnest($1::text[]) as t(id)
     where not exists (select 1 from athletes where athlete_id = id) order by id on conflict do nothing`,
    [ids],
  );
  const rows = await tx.query<{
    athlete_id: string;
    zones: { from: Instant; zone: string }[];
    source_order: AthleteSettings["source_order"];
    erased_before: Instant | null;
    zones_seen: string[];
  }>(
    `select athlete_id, zones, source_order, erased_before, zones_seen from athletes where athlete_id = any($1)
     order by athlete_id for no key update`,
    [ids],
  );
  return new Map(
    rows.map(({ athlete_id, zones, source_order, erased_before, zones_seen }) => [
      athlete_id,
      {
        settings: { zones: zones.map(({ from, zone }) => ({ from: +new Date(from), zone })), source_order },
        erased_before,
        zones_seen,
      },
    ]),
  );
};

const PAIRS = `unnest($1::text[], $2::uuid[]) as wanted(athlete_id, sample_id)`;
const pairs = (ids: readonly Id[]): [string[], string[]] => [ids.map((i) => i.athlete_id), ids.map((i) => i.sample_id)];

const readStaged = async (tx: Tx, ids: readonly Id[]): Promise<Map<string, Staged>> => {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<Staged>(
    `select s.athlete_id, s.sample_id, s.metric, s.start_at, s.end_at, s.value, s.unit, s.source, s.device, s.tz,
       s.local_date, coalesce(s.attributes, '{}') as attributes, s.received_at, s.rev
     from ${PAIRS} join health_samples_staging s using (athlete_id, sample_id)`,
    pairs(ids),
  );
  return new Map(rows.map((row) => [keyOf(row.athlete_id, row.sample_id), row]));
};

const readTombstones = async (tx: Tx, ids: readonly Id[]): Promise<Map<string, KnownTombstone>> => {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<Id & { reason: TombstoneReason; seen: boolean }>(
    `select t.athlete_id, t.sample_id, t.reason, t.twin_key is not null as seen
     from ${PAIRS} join sample_tombstones t using (athlete_id, sample_id)`,
    pairs(ids),
  );
  return new Map(rows.map(({ athlete_id, sample_id, ...known }) => [keyOf(athlete_id, sample_id), known]));
};

/** Ids that copies of one uuid with several moments go under (D6): they may be in staging already. */
const renamedIds = (accepted: readonly Accepted[], staged: ReadonlyMap<string, Staged>, digest: Digest): Id[] => {
  const first = new Map<string, Sample>(staged);
  const renamed: Id[] = [];
  for (const { sample } of accepted) {
    const key = keyOf(sample.athlete_id, sample.sample_id);
    const other = first.get(key);
    if (!other) first.set(key, sample);
    else if (conflicts(other, sample)) {
      for (const one of [other, sample])
        renamed.push({ athlete_id: one.athlete_id, sample_id: conflictId(one, digest) });
    }
  }
  return renamed;
};

const readSyncs = async (tx: Tx, accepted: readonly Accepted[]): Promise<Map<string, SyncHolder>> => {
  const keys = new Set(accepted.map(({ sample }) => syncKey(sample)).filter((key) => key !== null));
  if (keys.size === 0) return new Map();
  const parts = [...keys].map((key) => JSON.parse(key) as [string, string, string, string]);
  const column = (at: number): (string | undefined)[] => parts.map((part) => part[at]);
  const rows = await tx.query<SyncHolder & { athlete_id: string; bundle_id: string; type: string; sync_id: string }>(
    `select s.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as w(athlete_id, bundle_id, type, sync_id)
     join sample_syncs s using (athlete_id, bundle_id, type, sync_id)`,
    [column(0), column(1), column(2), column(3)],
  );
  return new Map(
    rows.map((r) => [
      JSON.stringify([r.athlete_id, r.bundle_id, r.type, r.sync_id]),
      { sync_version: r.sync_version, sample_id: r.sample_id },
    ]),
  );
};

const readTotals = async (tx: Tx, daily: readonly DailyRow[]): Promise<Facts["totals"]> => {
  if (daily.length === 0) return new Map();
  const rows = await tx.query<Pick<DailyRow, "athlete_id" | "date" | "metric" | "received_at" | "content_hash">>(
    `select d.athlete_id, d.date, d.metric, d.received_at, d.content_hash
     from unnest($1::text[], $2::date[], $3::text[]) as w(athlete_id, date, metric)
     join daily_totals d using (athlete_id, date, metric)`,
    [daily.map((d) => d.athlete_id), daily.map((d) => d.date), daily.map((d) => d.metric)],
  );
  return new Map(rows.map((row) => [`${row.athlete_id}|${row.date}|${row.metric}`, row]));
};

/** A repeated batch counts with the received_at of its first application (contract §3): otherwise a retry would outrank what came between. */
const firstReceived = async (tx: Tx, chunks: readonly ChunkInput[], interpreted: Interpreted): Promise<void> => {
  if (interpreted.daily.length === 0) return;
  const rows = await tx.query<{ athlete_id: string; batch_id: string; received_at: Instant }>(
    `select b.athlete_id, b.batch_id, b.received_at from unnest($1::text[], $2::text[]) as w(athlete_id, batch_id)
     join ingest_batches b using (athlete_id, batch_id)`,
    [chunks.map(({ chunk }) => chunk.athlete_id), chunks.map(({ chunk }) => chunk.batch_id)],
  );
  const first = new Map(rows.map((row) => [keyOf(row.athlete_id, row.batch_id), row.received_at]));
  for (const daily of interpreted.daily) {
    const known = first.get(keyOf(daily.athlete_id, daily.batch_id));
    if (known !== undefined && known < daily.received_at) daily.received_at = known;
  }
};
