import type { Instant } from "../domain/sample.ts";
import type { Clock, Database } from "../flow/ports.ts";
import { inTime } from "../flow/in-time.ts";
import { Problem } from "../flow/route.ts";
import type { TokenClaims } from "../flow/token-claims.ts";

export type AccessDeps = {
  db: Database;
  clock: Clock;
  /** How long Postgres may take to answer, in ms; without an answer what was last seen counts. */
  lookup_ms?: number;
  /** Asks for one standing, perhaps together with others; absent: alone. */
  standing?: (asked: Asked) => Promise<Standing>;
};

/** Throws Problem 401 for a revoked token, 410 for one from before the athlete's erasure. */
export type Access = (claims: TokenClaims, athleteId: string | null) => Promise<void>;

const LIST_MS = 5_000;
export type Asked = { jti: string | null; athlete_id: string | null };
export type Standing = { revoked: boolean; erased_before: Instant | null };

/** In the order asked for. */
export const readStandings = (db: Database, asked: readonly Asked[]): Promise<Standing[]> =>
  db.query<Standing>(
    `select exists (select 1 from revoked_tokens r where r.jti = asked.jti) as revoked,
       (select erased_before from athletes a where a.athlete_id = asked.athlete_id) as erased_before
     from unnest($1::text[], $2::text[]) with ordinality as asked (jti, athlete_id, n) order by n`,
    [asked.map(({ jti }) => jti), asked.map(({ athlete_id }) => athlete_id)],
  );

/** The revocations that stand, as last seen: read every few seconds while there are requests, kept when Postgres is away. */
const createLastSeen = ({ db, clock }: AccessDeps) => {
  let seen: ReadonlySet<string> = new Set();
  let askedAt = Number.NEGATIVE_INFINITY;
  return (jti: string): boolean => {
    // A clock that was set back must not keep the list from being read again.
    if (Math.abs(clock.now() - askedAt) >= LIST_MS) {
      askedAt = clock.now();
      db.query<{ jti: string }>(`select jti from revoked_tokens where expires_at > now()`)
        .then((rows) => (seen = new Set(rows.map((row) => row.jti))))
        .catch(() => undefined);
    }
    return seen.has(jti);
  };
};

/**
 * What Postgres knows against a token that is otherwise good. The edge needs Kafka alone: where Postgres does not
 * answer soon, revocations count as last seen, and staging drops what was received before an erasure.
 */
export const createAccess = (deps: AccessDeps): Access => {
  const wasRevoked = createLastSeen(deps);
  const inTimeOnly = inTime(deps.lookup_ms ?? 250);
  const standingOf = deps.standing ?? (async (asked) => (await readStandings(deps.db, [asked]))[0] ?? null);
  return async ({ id, issued_at }, athleteId) => {
    const known = id !== undefined && wasRevoked(id);
    const standing = await inTimeOnly(() => standingOf({ jti: id ?? null, athlete_id: athleteId }));
    if (standing?.revoked ?? known) {
      throw new Problem(401, "the token was revoked: ask whoever gave it to you for another", {
        headers: { "www-authenticate": 'Bearer realm="health-sync"' },
      });
    }
    const erased = standing?.erased_before ?? null;
    // Within one millisecond nobody can say which came first: then the token is refused.
    if (erased !== null && (issued_at ?? Number.NEGATIVE_INFINITY) <= erased) {
      throw new Problem(
        410,
        "this athlete was erased after the token was issued: a token issued from now on begins anew",
      );
    }
  };
};
