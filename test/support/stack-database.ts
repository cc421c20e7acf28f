import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { openDatabase } from "../../src/io/postgres.ts";
import { migrate } from "../../src/ops/migrate.ts";

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** Runs `work` on a connection of its own to one database of the server. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export function onDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.toString();
}

/** Creates the database as a copy of the migrated template and answers its URL. */
export async function cloneTemplate(serverUrl: string, database: string): Promise<string> {
  return withClient(onDatabase(serverUrl, "postgres"), async (admin) => {
    const template = await ensureTemplate(admin, serverUrl);
    await admin.query(`create database "${database}" template "${template}"`);
    return onDatabase(serverUrl, database);
  });
}

/** One template per content of migrations/; test processes make it one at a time. */
async function ensureTemplate(admin: Client, serverUrl: string): Promise<string> {
  const files = readdirSync(MIGRATIONS)
    .filter((file) => /^\d+.*\.sql$/.test(file))
    .toSorted();
  const texts = files.map((file) => readFileSync(join(MIGRATIONS, file), "utf8"));
  const template = `template-${createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 16)}`;
  const exists = async (): Promise<boolean> =>
    ((await admin.query("select from pg_database where datname = $1", [template])).rowCount ?? 0) > 0;
  if (await exists()) return template;
  await admin.query("select pg_advisory_lock(7243001)");
  try {
    if (await exists()) return template;
    // Renamed when whole: an interrupted migration must not pass for the template.
    const making = `making-${template}`;
    await admin.query(`drop database if exists "${making}"`);
    await admin.query(`create database "${making}"`);
    const db = openDatabase({ url: onDatabase(serverUrl, making), statement_timeout_ms: 0 });
    try {
      await migrate(db, { folder: MIGRATIONS });
    } finally {
      await db.close();
    }
    await admin.query(`alter database "${making}" rename to "${template}"`);
    return template;
  } finally {
    await admin.query("select pg_advisory_unlock(7243001)");
  }
}
