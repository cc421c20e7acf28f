import type { Database } from "../flow/ports.ts";

const ROLE = /^[a-z_][a-z0-9_-]{0,62}$/;

/** Throws where the role is not a plain lower-case name, which needs no thought about quoting. */
const quoted = (role: string): string => {
  if (ROLE.test(role)) return `"${role}"`;
  throw new Error(`--grant ${role}: a role's name of lower-case letters, digits, _ and -`);
};

/**
 * Lets a role do what `serve` and the commands do, and nothing more: rows, no tables. Migrations stay the owner's,
 * and what was migrated cannot be rewritten. Repeating it changes nothing; tables to come are granted too.
 */
export const grantRuntime = async (db: Database, role: string): Promise<void> => {
  const to = quoted(role);
  await db.transaction(async (tx) => {
    await tx.query(`
      grant usage on schema public to ${to};
      grant select, insert, update, delete on all tables in schema public to ${to};
      grant usage, select on all sequences in schema public to ${to};
      revoke insert, update, delete on schema_migrations from ${to};
      alter default privileges in schema public grant select, insert, update, delete on tables to ${to};
      alter default privileges in schema public grant usage, select on sequences to ${to};`);
  });
};
