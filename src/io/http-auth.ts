import { jwtVerify } from "jose";
import { Problem, type Scope } from "../flow/route.ts";
import { MIN_SECRET_BYTES, SCOPES, TOKEN, type TokenClaims } from "../flow/token-claims.ts";

export type TokenVerifier = (token: string) => Promise<TokenClaims>;

const unauthorized = (detail: string): Problem =>
  new Problem(401, detail, { headers: { "www-authenticate": 'Bearer realm="health-sync"' } });

const isClaims = (athletes: unknown, scopes: unknown): boolean =>
  (athletes === "*" || (Array.isArray(athletes) && athletes.every((id) => typeof id === "string"))) &&
  Array.isArray(scopes) &&
  scopes.every((scope) => (SCOPES as readonly unknown[]).includes(scope));

/** Verifies what `health-sync token` mints: algorithm, issuer, audience and expiry are pinned. Throws Problem 401. */
export const tokenVerifier = (secret: string): TokenVerifier => {
  const key = new TextEncoder().encode(secret);
  if (key.length < MIN_SECRET_BYTES) throw new Error(`AUTH_SECRET needs at least ${MIN_SECRET_BYTES} bytes`);
  return async (token) => {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [TOKEN.algorithm],
      issuer: TOKEN.issuer,
      audience: TOKEN.audience,
      requiredClaims: ["exp"],
    }).catch(() => {
      throw unauthorized("the token is expired or not ours: mint one with `health-sync token`");
    });
    const { athletes, scopes } = payload as { athletes?: unknown; scopes?: unknown };
    if (!isClaims(athletes, scopes)) throw unauthorized("the token names no athletes or no scopes");
    return { athletes, scopes, ...(payload.sub === undefined ? {} : { subject: payload.sub }) } as TokenClaims;
  };
};

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
