import type { Instant } from "../domain/sample.ts";
import { avroString } from "../flow/dead-letters.ts";
import { shardOf } from "../flow/outbox.ts";
import type { Reader, Tx } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";

/** A condition on an athlete's rows, with its parameters. */
type Where = { text: string; params: unknown[] };

/** Unsent events of the athlete, letters on their way to the table among them. */
const OUTBOX = `(athlete_id = $1 or (athlete_id is null and (key = $1
  or position($2::bytea in decode(value->'payload'->>'$base64', 'base64')) > 0)))`;
const LETTERS = `(athlete_id = $1 or (athlete_id is null and position($2::bytea in payload) > 0))`;

/** Tables whose rows can be an athlete's without saying so in `athlete_id`. */
const SEARCHED: Readonly<Record<string, string>> = { dead_letters: LETTERS, outbox: OUTBOX };

const whereOf = (table: string, athleteId: string): Where => {
  const searched = SEARCHED[table];
  return searched === undefined
    ? { text: "athlete_id = $1", params: [athleteId] }
    : { text: searched, params: [athleteId, avroString(athleteId)] };
};

/**
 * Every table with an athlete's rows, as the catalogue knows them: a table that is added tomorrow is erased from as
 * well.
 */
export const athleteTables = async (tx: Pick<Reader, "query">): Promise<string[]> => {
  const rows = await tx.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and a.attname = 'athlete_id' and not a.attisdropped and c.relname <> 'athletes'
     order by 1`,
  );
  return rows.map((row) => row.name);
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const countRows = async (tx: Pick<Reader, "query">, table: string, athleteId: string): Promise<number> => {
  const { text, params } = whereOf(table, athleteId);
  const rows = await tx.query<{ n: number }>(`select count(*) as n from ${quoted(table)} where ${text}`, params);
  return rows[0]?.n ?? 0;
};

export const deleteRows = async (tx: Tx, table: string, athleteId: string): Promise<number> => {
  const { text, params } = whereOf(table, athleteId);
  const rows = await tx.query<{ n: number }>(
    `with gone as (delete from ${quoted(table)} where ${text} returning 1) select count(*) as n from gone`,
    params,
  );
  return rows[0]?.n ?? 0;
};

/**
 * Every key that the compacted topics can hold of the athlete: what the tables hold, and (`unsent`) what was not sent
 * yet. A key that neither knows has its tombstone already.
 */
const keysWith = (unsent: string): string => `
  select $3::text as topic, concat_ws('|', athlete_id, to_char(date, 'YYYY-MM-DD'), metric, source) as key
    from athlete_metrics where athlete_id = $1
  union select $4::text, concat_ws('|', athlete_id, session_id::text) from sleep_sessions where athlete_id = $1
  union select $5::text, concat_ws('|', athlete_id, to_char(period_start, 'YYYY-MM-DD'))
    from health_streams where athlete_id = $1
  union select topic, key from ${unsent} where key is not null and topic in ($3, $4, $5)`;

const parameters = (topic: TopicNames, athleteId: string): unknown[] => [
  athleteId,
  avroString(athleteId),
  topic("metrics"),
  topic("sleep-sessions"),
  topic("day-partitions"),
];

/** By topic: the keys that a tombstone is, or would be, sent for. */
export type Keys = Record<string, number>;
const keysOf = (rows: readonly { topic: string; keys: number }[]): Keys =>
  Object.fromEntries(rows.map(({ topic, keys }) => [topic, keys]));

export const countKeys = async (tx: Pick<Reader, "query">, topic: TopicNames, athleteId: string): Promise<Keys> =>
  keysOf(
    await tx.query(
      `with unsent as (select topic, key from outbox where ${OUTBOX})
       select topic, count(*) as keys from (${keysWith("unsent")}) k group by topic order by topic`,
      parameters(topic, athleteId),
    ),
  );

/**
 * Takes what is unsent out of the outbox and puts a tombstone with a revision of its own there for every key. Before
 * the rows go: they say which keys there are.
 */
export const replaceOutbox = async (tx: Tx, topic: TopicNames, athleteId: string): Promise<Keys> => {
  tx.announce("outbox");
  return keysOf(
    await tx.query(
      `with unsent as (delete from outbox where ${OUTBOX} returning topic, key),
       sent as (
         insert into outbox (shard, athlete_id, topic, key, value, headers)
         select $6::smallint, $1, topic, key, null, jsonb_build_object('revision', nextval('revisions')::text)
         from (${keysWith("unsent")}) k returning topic)
       select topic, count(*) as keys from sent group by topic order by topic`,
      [...parameters(topic, athleteId), shardOf(athleteId)],
    ),
  );
};

/**
 * Leaves of the athlete's row nothing but the id, the version (raised, so that a pane under way starts over) and
 * `erased_before`, which only ever rises and stands for ever. Answers it.
 */
export const markErased = async (tx: Tx, athleteId: string, now: Instant): Promise<Instant> => {
  const columns = await tx.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute
     where attrelid = 'athletes'::regclass and attnum > 0 and not attisdropped
       and attname not in ('athlete_id', 'version', 'erased_before')`,
  );
  const rows = await tx.query<{ erased_before: Instant }>(
    `update athletes set ${columns.map(({ name }) => `${name} = default`).join(", ")}, version = version + 1,
       erased_before = greatest(erased_before, $2)
     where athlete_id = $1 returning erased_before`,
    [athleteId, new Date(now)],
  );
  return rows[0]?.erased_before ?? now;
};
