import type { Instant } from "../domain/sample.ts";
import type { DeadLetter } from "../flow/effects.ts";
import type { Database } from "../flow/ports.ts";

export type StoredLetter = DeadLetter & { retried_at: Instant | null };
/** A line of the list: without the payload, which holds what was sent. */
export type ListedLetter = Omit<StoredLetter, "payload"> & { bytes: number };

export type LetterFilter = {
  reason: string | null;
  athlete: string | null;
  since: Instant | null;
  until: Instant | null;
  /** Those tried again with success, too. */
  retried: boolean;
};

const COLUMNS =
  "id, athlete_id, reason, path, detail, content_type, origin, attempts, first_seen_at, retried_at, length(payload) as bytes";

/** Oldest first, after that letter. */
export const listLetters = async (
  db: Database,
  filter: LetterFilter,
  page: { after: string | null; limit: number },
): Promise<ListedLetter[]> =>
  db.query<ListedLetter>(
    `select ${COLUMNS} from dead_letters
     where ($1::text is null or reason = $1) and ($2::text is null or athlete_id = $2)
       and ($3::timestamptz is null or first_seen_at >= $3) and ($4::timestamptz is null or first_seen_at < $4)
       and ($5 or retried_at is null)
       and ($6::uuid is null or (first_seen_at, id) > (select first_seen_at, id from dead_letters where id = $6))
     order by first_seen_at, id limit $7`,
    [
      filter.reason,
      filter.athlete,
      filter.since === null ? null : new Date(filter.since),
      filter.until === null ? null : new Date(filter.until),
      filter.retried,
      page.after,
      page.limit,
    ],
  );

export const countLetters = async (db: Database, filter: LetterFilter): Promise<{ reason: string; n: number }[]> =>
  db.query(
    `select reason, count(*) as n from dead_letters
     where ($1::text is null or reason = $1) and ($2::text is null or athlete_id = $2)
       and ($3::timestamptz is null or first_seen_at >= $3) and ($4::timestamptz is null or first_seen_at < $4)
       and ($5 or retried_at is null) group by 1 order by 2 desc, 1`,
    [
      filter.reason,
      filter.athlete,
      filter.since === null ? null : new Date(filter.since),
      filter.until === null ? null : new Date(filter.until),
      filter.retried,
    ],
  );

/** Throws where there is none. */
export const readLetter = async (db: Database, id: string): Promise<StoredLetter> => {
  const [row] = await db.query<StoredLetter>(
    `select id, athlete_id, reason, path, detail, content_type, payload, origin, attempts, first_seen_at, retried_at
     from dead_letters where id = $1`,
    [id],
  );
  if (!row) throw new Error(`there is no dead letter ${id}: \`health-sync deadletters list\` shows those there are`);
  return row;
};

/** One more try; `accepted` where it went through. The letter stays: what was refused is history. */
export const markTried = async (db: Database, id: string, at: { accepted: boolean; now: Instant }): Promise<void> => {
  await db.query(
    `update dead_letters set attempts = attempts + 1, retried_at = case when $2 then $3 else retried_at end where id = $1`,
    [id, at.accepted, new Date(at.now)],
  );
};
