import { Command, InvalidArgumentError } from "commander";
import { decodeJwt } from "jose";
import type { Database } from "../flow/ports.ts";

/** What is revoked: `expires_at` in ms, null where only the id is known. */
export type Revocation = { jti: string; expires_at: number | null };

const JTI = /^[A-Za-z0-9._-]{1,128}$/;

/** A token, or its id (`jti`). Throws what is wrong with it. */
export const parseRevocation = (text: string): Revocation => {
  if (JTI.test(text) && text.split(".").length !== 3) return { jti: text, expires_at: null };
  try {
    const { jti, exp } = decodeJwt(text);
    if (jti !== undefined && JTI.test(jti)) return { jti, expires_at: exp === undefined ? null : exp * 1000 };
  } catch {
    throw new InvalidArgumentError("neither a token nor the id of one");
  }
  throw new InvalidArgumentError(
    "a token without an id (jti) cannot be revoked: change AUTH_SECRET to refuse them all",
  );
};

/** Refuses the token from now on. Revocations of tokens that have expired meanwhile are forgotten. */
export const revokeToken = async (db: Database, { jti, expires_at }: Revocation): Promise<void> => {
  await db.query(`delete from revoked_tokens where expires_at < now() - interval '1 day'`);
  await db.query(
    `insert into revoked_tokens (jti, expires_at) values ($1, coalesce($2::timestamptz, 'infinity'))
     on conflict (jti) do nothing`,
    [jti, expires_at === null ? null : new Date(expires_at)],
  );
};

type Deps = { print: (line: string) => void; open: () => Promise<Database> };

/** `health-sync token revoke`. */
export const revokeCommand = (deps: Deps): Command =>
  new Command("revoke")
    .description("refuse a token from now on, before it expires")
    .argument("<token>", "the token, or its id (jti)", parseRevocation)
    .option("--dry-run", "only say which token is meant")
    .option("--json", "print JSON")
    .action(async (revocation: Revocation, options: { dryRun?: true; json?: true }) => {
      if (!options.dryRun) {
        const db = await deps.open();
        try {
          await revokeToken(db, revocation);
        } finally {
          await db.close();
        }
      }
      const { jti, expires_at } = revocation;
      const until = expires_at === null ? "for ever" : `until it expires at ${new Date(expires_at).toISOString()}`;
      const done = { jti, expires_at, revoked: !options.dryRun };
      deps.print(
        options.json ? JSON.stringify(done) : `${options.dryRun ? "would refuse" : "refused"} ${jti} ${until}`,
      );
    });
