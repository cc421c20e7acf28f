import type { Instant } from "../domain/sample.ts";
import type { Scope } from "./route.ts";

/** What a token is pinned to: `health-sync token` signs it so, the edge accepts nothing else. */
export const TOKEN = { algorithm: "HS256", issuer: "health-sync", audience: "health-sync" } as const;

export const SCOPES: readonly Scope[] = ["ingest", "read", "write", "ops"];

/** Who a token may act for and what it may do. `athletes` is a list of ids, or "*" for everyone. */
export type TokenClaims = {
  athletes: readonly string[] | "*";
  scopes: readonly Scope[];
  /** Who holds it (`sub`): stands in the history of what they edit. */
  subject?: string;
  /** `jti`: what a revocation names. */
  id?: string;
  /** `iat` in ms. A token that does not say when it was issued counts as older than everything. */
  issued_at?: Instant;
};

/** HMAC-SHA-256 needs a key of its own size; a shorter secret can be guessed. */
export const MIN_SECRET_BYTES = 32;
