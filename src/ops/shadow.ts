import type { Database, Tx } from "../flow/ports.ts";

/** Written by stages, but without anything that a decision reads. */
const EMPTY = new Set(["outbox", "object_intents"]);
/** Only read, or written by nobody whose work is previewed. */
const LEFT_OUT = new Set(["dead_letters", "ingest_batches", "metric_edits", "erasures"]);
const SEQUENCES = ["revisions", "object_generations"];

/** A copy of some athletes' rows that stages may write to: nothing of it outlives the work. */
export type Shadow = {
  db: Database;
  /** Copies these athletes' rows, once each. What is under way in their windows counts as done. */
  admit(athletes: readonly string[]): Promise<void>;
};

class Undone extends Error {}

/** One transaction for everything: theirs are savepoints in it, their snapshots read what was written in it. */
const databaseOn = (tx: Tx): Database => ({
  query: (text, params) => tx.query(text, params),
  snapshot: (work) => work(tx),
  transaction: async (work) => {
    await tx.query("savepoint shadow");
    try {
      const result = await work(tx);
      await tx.query("release savepoint shadow");
      return result;
    } catch (error) {
      await tx.query("rollback to savepoint shadow");
      throw error;
    }
  },
  close: async () => undefined,
});

const shadowTables = async (tx: Tx): Promise<string[]> => {
  const rows = await tx.query<{ table_name: string }>(
    `select c.table_name::text as table_name from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and c.column_name = 'athlete_id' and t.table_type = 'BASE TABLE' order by 1`,
  );
  const names = rows.map((row) => row.table_name).filter((name) => !LEFT_OUT.has(name));
  for (const name of names) {
    await tx.query(`create temp table ${name} (like public.${name} including all) on commit drop`);
  }
  for (const name of SEQUENCES) {
    const [at] = await tx.query<{ n: number }>(`select last_value + 1 as n from public.${name}`);
    await tx.query(`create temp sequence ${name} start with ${at?.n ?? 1}`);
  }
  return names.filter((name) => !EMPTY.has(name));
};

const copyAthletes = async (tx: Tx, tables: readonly string[], athletes: readonly string[], now: number) => {
  for (const name of tables) {
    await tx.query(
      `insert into pg_temp.${name} overriding system value select * from public.${name} where athlete_id = any($1)`,
      [athletes],
    );
  }
  // A day that is over and waits for its closing pane would fire without us, too: then what comes now comes late.
  await tx.query(
    `update pg_temp.windows set fired = dirty,
       closed_at = coalesce(closed_at, case when closes_at <= $2 then closes_at end)
     where athlete_id = any($1)`,
    [athletes, new Date(now)],
  );
};

/**
 * Runs work on a shadow of the athletes' tables: temporary ones of the same names, found first by every statement, in a
 * transaction that is always undone. It takes no lock that live traffic waits for, and uses up no number of a sequence.
 * `closed_before`: days that close earlier count as closed.
 */
export const inShadow = async <T>(
  db: Database,
  closedBefore: number,
  work: (shadow: Shadow) => Promise<T>,
): Promise<T> => {
  let result: { value: T } | undefined;
  try {
    await db.transaction(async (tx) => {
      await tx.query(
        `set transaction isolation level repeatable read; set local idle_in_transaction_session_timeout = 0`,
      );
      const tables = await shadowTables(tx);
      const known = new Set<string>();
      const admit = async (athletes: readonly string[]): Promise<void> => {
        const fresh = [...new Set(athletes)].filter((athlete) => !known.has(athlete));
        if (fresh.length === 0) return;
        for (const athlete of fresh) known.add(athlete);
        await copyAthletes(tx, tables, fresh, closedBefore);
      };
      result = { value: await work({ db: databaseOn(tx), admit }) };
      throw new Undone();
    });
  } catch (error) {
    if (!(error instanceof Undone) || !result) throw error;
    return result.value;
  }
  throw new Error("a shadow was committed");
};
