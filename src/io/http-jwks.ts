import { readFile } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";

/** A changed file is noticed so soon; an unknown key makes it read at once, but no more often than this. */
const FRESH_MS = 30_000;
const AT_ONCE_MS = 1_000;
/** A remote set is asked again after so long at the latest, so that a key taken out of it is refused. */
const REMOTE_MS = 600_000;

class KeyFileAway extends Error {}

/** Whether the keys could not be had, rather than the token being wrong. */
export const isKeySourceAway = (error: unknown): boolean =>
  error instanceof KeyFileAway ||
  error instanceof errors.JWKSTimeout ||
  // Neither a verdict on the token nor on its key: a fetch that failed, or an answer that was no key set.
  !(error instanceof errors.JOSEError) ||
  error.code === "ERR_JOSE_GENERIC";

const fileKeys = (path: string): JWTVerifyGetKey => {
  let keys: JWTVerifyGetKey | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async (): Promise<JWTVerifyGetKey> => {
    try {
      keys = createLocalJWKSet(JSON.parse(await readFile(path, "utf8")) as JSONWebKeySet);
      readAt = Date.now();
    } catch (cause) {
      // While the file is being replaced, the keys that were known go on.
      if (keys === null) throw new KeyFileAway(`AUTH_JWKS=${path} is no key set`, { cause });
    }
    return keys;
  };
  return async (header, token) => {
    const known = keys !== null && Date.now() - readAt < FRESH_MS ? keys : await read();
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || Date.now() - readAt < AT_ONCE_MS) throw error;
      return (await read())(header, token);
    }
  };
};

/** Public keys as a JSON Web Key Set in a file or at a URL; rotated by adding the new key before it is used. */
export const jwksKeys = (location: string): JWTVerifyGetKey =>
  /^https?:/.test(location)
    ? createRemoteJWKSet(new URL(location), { cacheMaxAge: REMOTE_MS, timeoutDuration: 3_000 })
    : fileKeys(location);
