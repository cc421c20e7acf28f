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
};

/** Throws Problem 401 for a revoked token, 410 for one from before the athlete's erasure. */
export type Access = (claims: TokenClaims, athleteId: string | null) => Promise<void>;

const LIST_MS = 5_000;
type Standing = { revoked: boolean; erased_before: Instant | null };

const readStanding = async (db: Database, jti: string | null, athleteId: string | null): Promise<Standing> => {
  const rows = await db.query<Standing>(
    `select exists (select 1 from revoked_tokens where jti = $1) as revoked,
       (select erased_before from athletes where athlete_id = $2) as erased_before`,
    [jti, athleteId],
  );
  return rows[0] ?? { revoked: false, erased_before: null };
};

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
  const asked = inTime(deps.lookup_ms ?? 250);
  return async ({ id, issued_at }, athleteId) => {
    const known = id !== undefined && wasRevoked(id);
    const standing = await asked(() => readStanding(deps.db, id ?? null, athleteId));
    if (standing?.revoked ?? known) {
      throw new Problem(401, "the token was revoked: ask whoever gave it to you for another", {
        headers: { "www-authenticate": 'Bearer realm="health-sync"' },
      });
    }
    const erased = standing?.erased_before ?? null;
    if (erased !== null && (issued_at ?? Number.NEGATIVE_INFINITY) < erased) {
      throw new Problem(
        410,
        "this athlete was erased after the token was issued: a token issued from now on begins anew",
      );
    }
  };
};
