import { createSecretKey } from "node:crypto";
import { jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import { Problem, type Scope, unavailable } from "../flow/route.ts";
import { MIN_SECRET_BYTES, SCOPES, TOKEN, type TokenClaims } from "../flow/token-claims.ts";
import { isKeySourceAway } from "./http-jwks.ts";

export type TokenVerifier = (token: string) => Promise<TokenClaims>;

export const unauthorized = (detail: string): Problem =>
  new Problem(401, detail, { headers: { "www-authenticate": 'Bearer realm="health-sync"' } });

const isClaims = (athletes: unknown, scopes: unknown): boolean =>
  (athletes === "*" || (Array.isArray(athletes) && athletes.every((id) => typeof id === "string"))) &&
  Array.isArray(scopes) &&
  scopes.every((scope) => (SCOPES as readonly unknown[]).includes(scope));

const claimsOf = (payload: JWTPayload): TokenClaims => {
  const { athletes, scopes, sub, jti, iat } = payload as JWTPayload & { athletes?: unknown; scopes?: unknown };
  if (!isClaims(athletes, scopes)) throw unauthorized("the token names no athletes or no scopes");
  return {
    athletes: athletes as TokenClaims["athletes"],
    scopes: scopes as TokenClaims["scopes"],
    ...(sub === undefined ? {} : { subject: sub }),
    ...(jti === undefined ? {} : { id: jti }),
    ...(iat === undefined ? {} : { issued_at: Math.round(iat * 1000) }),
  };
};

const refused = (error: unknown): Problem =>
  isKeySourceAway(error)
    ? unavailable("the keys that tokens are checked with are away: ask again", 2, error)
    : unauthorized("the token is expired or not ours: mint one with `health-sync token`");

/** As long as a key that its issuer withdraws may count on; revocations and erasures are asked for at each request. */
const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 1000;

/** A phone sends many requests with one token: a signature that was good is not computed again for some seconds. */
const verifierWith = (key: JWTVerifyGetKey, pinned: JWTVerifyOptions): TokenVerifier => {
  const options = { ...pinned, requiredClaims: ["exp"] };
  const verified = new Map<string, { claims: TokenClaims; until: number }>();
  return async (token) => {
    const before = verified.get(token);
    if (before !== undefined && Date.now() < before.until) return before.claims;
    const { payload } = await jwtVerify(token, key, options).catch((error: unknown) => {
      throw refused(error);
    });
    const claims = claimsOf(payload);
    if (verified.size >= MOST_REMEMBERED) verified.clear();
    verified.set(token, { claims, until: Math.min(Date.now() + REMEMBERED_MS, (payload.exp ?? 0) * 1000) });
    return claims;
  };
};

/** Verifies what `health-sync token` mints: algorithm, issuer, audience and expiry are pinned. Throws Problem 401. */
export const tokenVerifier = (secret: string): TokenVerifier => {
  const bytes = Buffer.from(secret, "utf8");
  if (bytes.length < MIN_SECRET_BYTES) throw new Error(`AUTH_SECRET needs at least ${MIN_SECRET_BYTES} bytes`);
  // Made once: bytes would be imported as a key again for every request.
  const key = createSecretKey(bytes);
  const { algorithm, issuer, audience } = TOKEN;
  return verifierWith(async () => key, { algorithms: [algorithm], issuer, audience });
};

/** Signatures that a public key checks; never HMAC, which would take a public key for a secret. */
const PUBLIC_KEY_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

/** Verifies what another issuer signs, by its keys (`jwksKeys`). Throws Problem 401, or 503 while the keys are away. */
export const jwksVerifier = (keys: JWTVerifyGetKey, of: { issuer: string; audience: string }): TokenVerifier =>
  verifierWith(keys, { algorithms: PUBLIC_KEY_ALGORITHMS, ...of });

/** The token of an `Authorization: Bearer …` header. Throws Problem 401. */
export const bearerToken = (header: string | undefined): string => {
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(header ?? "")?.[1];
  if (token === undefined) throw unauthorized("send `Authorization: Bearer TOKEN`");
  return token;
};

/** I9: one athlete's token never reaches another's data. Throws Problem 403. */
export const permit = (claims: TokenClaims, scope: Scope, athleteId: string | null): void => {
  if (!claims.scopes.includes(scope)) throw new Problem(403, `this needs a token with the scope ${scope}`);
  if (athleteId !== null && claims.athletes !== "*" && !claims.athletes.includes(athleteId)) {
    throw new Problem(403, "the token may not act for this athlete");
  }
};
