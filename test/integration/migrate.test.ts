import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "../../src/flow/ports.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { migrateCommand } from "../../src/ops/migrate-command.ts";
import { migrate, MIGRATIONS, MigrationRefused } from "../../src/ops/migrate.ts";
import { dumpSchema } from "../../src/ops/schema-dump.ts";
import { onDatabase } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("migrate");
const admin = openDatabase({ url: here.databaseUrl, max: 1 });
const fresh = `${here.bucket}-fresh`;
const url = onDatabase(here.databaseUrl, fresh);
let db: Database;
let folder: string;

beforeEach(async () => {
  await admin.query(`create database "${fresh}"`);
  db = openDatabase({ url, statement_timeout_ms: 0 });
  folder = mkdtempSync(join(tmpdir(), "migrations-"));
  cpSync(MIGRATIONS, folder, { recursive: true });
});
afterEach(async () => {
  await db.close();
  await admin.query(`drop database "${fresh}" with (force)`);
  rmSync(folder, { recursive: true });
});
afterAll(() => admin.close());

const add = (file: string, text: string): void => writeFileSync(join(folder, file), text);
const tables = async (): Promise<string[]> =>
  (await db.query<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public'")).map(
    (row) => row.name,
  );

test("migrations/schema.sql is what the migrations add up to", async () => {
  await migrate(db);
  // Stale? On a freshly migrated database: npm run -s health-sync -- migrate --dump > migrations/schema.sql
  expect(await db.snapshot(dumpSchema)).toBe(readFileSync(join(MIGRATIONS, "schema.sql"), "utf8"));
});

test("the test template was made by the same migrations", async () => {
  expect(await admin.snapshot(dumpSchema)).toBe(readFileSync(join(MIGRATIONS, "schema.sql"), "utf8"));
});

test("a second call applies nothing", async () => {
  const first = await migrate(db, { folder });
  expect(first.applied[0]).toBe("0001_tables");
  expect(await migrate(db, { folder })).toEqual({ applied: [], version: first.version, ahead: [] });
});

test("processes that start together apply each migration once", async () => {
  add("0900_once.sql", "create table once (n integer); insert into once values (1);");
  const others = Array.from({ length: 4 }, () => openDatabase({ url, max: 1, statement_timeout_ms: 0 }));
  const results = await Promise.all(others.map((each) => migrate(each, { folder })));
  expect(results.flatMap((each) => each.applied).filter((each) => each === "0900_once")).toHaveLength(1);
  expect(await db.query("select n from once")).toEqual([{ n: 1 }]);
  await Promise.all(others.map((each) => each.close()));
});

test("a migration that fails leaves nothing of itself, and those before it stay", async () => {
  add("0900_good.sql", "create table good (n integer);");
  add("0901_bad.sql", "create table half (n integer); select 1 / 0;");
  await expect(migrate(db, { folder })).rejects.toThrow("division by zero");
  expect(await tables()).toContain("good");
  expect(await tables()).not.toContain("half");
  add("0901_bad.sql", "create table whole (n integer);");
  expect((await migrate(db, { folder })).applied).toEqual(["0901_bad"]);
});

test("history that was changed is refused, with what to do", async () => {
  add("0900_first.sql", "create table first (n integer);");
  await migrate(db, { folder });
  add("0900_first.sql", "create table first (n bigint);");
  await expect(migrate(db, { folder })).rejects.toThrow(
    /0900_first was changed after it had been applied.*new migration/,
  );
  rmSync(join(folder, "0900_first.sql"));
  add("0901_second.sql", "select 1;");
  await expect(migrate(db, { folder })).rejects.toThrow(/0900_first was applied here, but its file is gone/);
  add("0900_first.sql", "create table first (n integer);");
  add("0899_late.sql", "select 1;");
  await expect(migrate(db, { folder })).rejects.toThrow(MigrationRefused);
});

test("line ends do not count as a change", async () => {
  add("0900_lines.sql", "select 1;\nselect 2;\n");
  await migrate(db, { folder });
  add("0900_lines.sql", "select 1;\r\nselect 2;\r\n");
  expect((await migrate(db, { folder })).applied).toEqual([]);
});

test("files that are misnamed or share a number are refused before anything is applied", async () => {
  add("9-typo.sql", "select 1;");
  await expect(migrate(db, { folder })).rejects.toThrow("not named NNNN_name.sql");
  rmSync(join(folder, "9-typo.sql"));
  add("0001_again.sql", "select 1;");
  await expect(migrate(db, { folder })).rejects.toThrow("share a number");
  expect(await tables()).toEqual([]);
});

test("an older build lives with a newer schema", async () => {
  add("0900_newer.sql", "create table newer (n integer);");
  await migrate(db, { folder });
  expect(await migrate(db)).toMatchObject({ applied: [], version: 900, ahead: ["0900_newer"] });
});

const run = async (...args: string[]): Promise<string[]> => {
  const printed: string[] = [];
  const deps = {
    print: (line: string) => void printed.push(line),
    open: async () => openDatabase({ url, statement_timeout_ms: 0 }),
  };
  await migrateCommand(deps).parseAsync(args, { from: "user" });
  return printed;
};

test("the command: a dry run changes nothing, then it applies, then there is nothing to do", async () => {
  expect(await run("--dry-run")).toContain("would apply 0001_tables");
  expect(await tables()).toEqual([]);
  expect(await run()).toContain("applied 0001_tables");
  expect((await run()).at(-1)).toMatch(/^nothing to apply: the schema is at \d+$/);
  expect(JSON.parse((await run("--json")).join(""))).toMatchObject({ applied: [], ahead: [], dry_run: false });
  expect(`${(await run("--dump")).join("\n")}\n`).toBe(readFileSync(join(MIGRATIONS, "schema.sql"), "utf8"));
});
