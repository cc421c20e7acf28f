import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Database, Reader } from "../flow/ports.ts";

/** migrations/ of the checkout or of the installed package: both have it two levels above this file's folder. */
export const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** One file `NNNN_name.sql`. The checksum is SHA-256 of its text, line ends as LF. */
export type Migration = { version: number; name: string; checksum: string; text: string };
export type AppliedMigration = Pick<Migration, "version" | "name" | "checksum">;
export type MigrationResult = {
  /** What this call applied, or with a dry run would have. */
  applied: string[];
  /** The highest version in the database, 0 when it is empty. */
  version: number;
  /** Applied by a newer build and unknown to this one: allowed, because additions do not stop an older build. */
  ahead: string[];
};

/** Files and database contradict each other: nothing was changed, and the text says what to do. */
export class MigrationRefused extends Error {}

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;
/** Of the advisory lock that lets one process migrate at a time. */
const LOCK = 7_243_002;

const label = (migration: Pick<Migration, "version" | "name">): string =>
  `${String(migration.version).padStart(4, "0")}_${migration.name}`;

/** The migrations of a folder in order; schema.sql is their dumped result and not one of them. */
export const readMigrations = (folder: string): Migration[] => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql") && file !== "schema.sql");
  const migrations = files.map((file) => {
    const [, digits, name] = FILE.exec(file) ?? [];
    if (digits === undefined || name === undefined) {
      throw new MigrationRefused(`migrations/${file} is not named NNNN_name.sql: rename it`);
    }
    const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n");
    return { version: Number(digits), name, checksum: hash("sha256", text, "hex"), text };
  });
  const sorted = migrations.toSorted((a, b) => a.version - b.version);
  for (const [index, each] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next?.version === each.version) {
      throw new MigrationRefused(
        `${label(each)} and ${label(next)} share a number: give the newer one the next number`,
      );
    }
  }
  return sorted;
};

/** What is still to be applied, in order. Throws MigrationRefused where history was changed. */
export const pendingMigrations = (
  files: readonly Migration[],
  applied: readonly AppliedMigration[],
): { pending: Migration[]; ahead: AppliedMigration[] } => {
  const byVersion = new Map(files.map((file) => [file.version, file]));
  const newestFile = files.at(-1)?.version ?? 0;
  const newestApplied = Math.max(0, ...applied.map((each) => each.version));
  for (const each of applied) {
    const file = byVersion.get(each.version);
    if (file === undefined && each.version < newestFile) {
      throw new MigrationRefused(`${label(each)} was applied here, but its file is gone: restore it`);
    }
    if (file !== undefined && file.checksum !== each.checksum) {
      throw new MigrationRefused(
        `${label(each)} was changed after it had been applied here: restore the file, and put the change into a new migration`,
      );
    }
  }
  const done = new Set(applied.map((each) => each.version));
  const pending = files.filter((file) => !done.has(file.version));
  const late = pending.find((file) => file.version < newestApplied);
  if (late) {
    throw new MigrationRefused(
      `${label(late)} is older than ${newestApplied}, which is applied already: give it the next free number`,
    );
  }
  return { pending, ahead: applied.filter((each) => !byVersion.has(each.version)) };
};

/** What the database says was applied; empty when it was never migrated. */
export const appliedMigrations = async (reader: Pick<Reader, "query">): Promise<AppliedMigration[]> => {
  const [there] = await reader.query<{ exists: boolean }>(
    "select to_regclass('schema_migrations') is not null as exists",
  );
  if (!there?.exists) return [];
  return reader.query<AppliedMigration>("select version, name, checksum from schema_migrations order by version");
};

/** Applies the next migration in a transaction of its own; undefined when there is none. */
const applyNext = (db: Database, files: readonly Migration[]): Promise<Migration | undefined> =>
  db.transaction(async (tx) => {
    await tx.query("set local statement_timeout = 0");
    await tx.query("select pg_advisory_xact_lock($1)", [LOCK]);
    // While a migration waits for a table, everybody else waits behind it: give up before that hurts.
    await tx.query("set local lock_timeout = '10s'");
    await tx.query(
      `create table if not exists schema_migrations (
         version integer primary key, name text not null, checksum text not null,
         applied_at timestamptz not null default now())`,
    );
    // Read under the lock: another process may just have applied it.
    const [next] = pendingMigrations(files, await appliedMigrations(tx)).pending;
    if (!next) return undefined;
    await tx.query(next.text);
    await tx.query("insert into schema_migrations (version, name, checksum) values ($1, $2, $3)", [
      next.version,
      next.name,
      next.checksum,
    ]);
    return next;
  });

/**
 * Brings the schema up to the files of `folder`, forward only, one transaction a file. Any number of processes may
 * call it at once. Open the database with `statement_timeout_ms: 0`, because a migration may take long.
 */
export const migrate = async (
  db: Database,
  options: { folder?: string; dryRun?: boolean; progress?: (line: string) => void } = {},
): Promise<MigrationResult> => {
  const files = readMigrations(options.folder ?? MIGRATIONS);
  const applied: string[] = [];
  if (options.dryRun) {
    applied.push(...pendingMigrations(files, await appliedMigrations(db)).pending.map(label));
  } else {
    for (let next = await applyNext(db, files); next; next = await applyNext(db, files)) {
      applied.push(label(next));
      options.progress?.(`applied ${label(next)}`);
    }
  }
  const all = await appliedMigrations(db);
  const version = Math.max(0, ...all.map((each) => each.version));
  return { applied, version, ahead: pendingMigrations(files, all).ahead.map(label) };
};
