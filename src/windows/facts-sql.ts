import type { LocalDate } from "../domain/sample.ts";
import type { Of } from "../flow/metric-rows.ts";
import type { Reader, Tx } from "../flow/ports.ts";
import type { FactsRow } from "./facts.ts";
import type { FactsChanges } from "./facts-changes.ts";

/** What days from … to, ends included, are remembered by. */
export const readHistory = async (tx: Reader, athleteId: string, from: LocalDate, to: LocalDate): Promise<FactsRow[]> =>
  tx.query<FactsRow>(
    `select date, facts, hash, passed_hash from day_facts
     where athlete_id = $1 and date between $2::date and $3::date order by date`,
    [athleteId, from, to],
  );

export const changeFacts = async (tx: Tx, of: Of, { upserts, deletes }: FactsChanges): Promise<void> => {
  if (upserts.length > 0) {
    await tx.query(
      `insert into day_facts (athlete_id, date, facts, hash, passed_hash, updated_at)
       select $1, date, coalesce(facts, 'null'), hash, passed_hash, $2
       from jsonb_to_recordset($3::jsonb) as t(date date, facts jsonb, hash text, passed_hash text)
       on conflict (athlete_id, date) do update set facts = excluded.facts, hash = excluded.hash,
         passed_hash = excluded.passed_hash, updated_at = excluded.updated_at`,
      [of.athlete_id, new Date(of.now), JSON.stringify(upserts)],
    );
  }
  if (deletes.length === 0) return;
  await tx.query(`delete from day_facts where athlete_id = $1 and date = any($2::date[])`, [of.athlete_id, deletes]);
};
