import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { auditEnvironment } from "../audit/environment.ts";
import { listObjects, s3Client } from "../audit/object-files.ts";
import { withClient } from "../stack-database.ts";
import type { Env } from "./processes.ts";

/** Rows of each table as JSON text, all of one snapshot, and where sequences stood afterwards. */
export type Dump = { tables: Map<string, string[]>; sequences: Map<string, string> };

const TABLES =
  "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'";
const SEQUENCES = "select sequencename as name from pg_sequences where schemaname = 'public'";

/** As pg_dump does it, while others write. */
export const dumpDatabase = (databaseUrl: string): Promise<Dump> =>
  withClient(databaseUrl, async (client) => {
    const dump: Dump = { tables: new Map(), sequences: new Map() };
    await client.query("begin isolation level repeatable read, read only");
    for (const { name } of (await client.query<{ name: string }>(TABLES)).rows) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from public.${name} t`);
      dump.tables.set(
        name,
        rows.map(({ row }) => row),
      );
    }
    for (const { name } of (await client.query<{ name: string }>(SEQUENCES)).rows) {
      const { rows } = await client.query<{ at: string }>(`select last_value::text as at from public.${name}`);
      dump.sequences.set(name, rows[0]?.at ?? "1");
    }
    await client.query("commit");
    return dump;
  });

/** Further than anything that was given out after the backup: docs/operations/backup.md. */
export const SEQUENCES_GO_ON =
  "select setval(sequencename::regclass, last_value + 1000000000) from pg_sequences where schemaname = 'public'";

/** Into a database that has the tables and no rows; then what the operator's page says. */
export const restoreDatabase = (databaseUrl: string, { tables, sequences }: Dump): Promise<void> =>
  withClient(databaseUrl, async (client) => {
    // In any order of tables.
    await client.query("set session_replication_role = replica");
    for (const [name, rows] of tables) {
      await client.query(
        `insert into public.${name} overriding system value
         select r.* from unnest($1::text[]) as t(row), jsonb_populate_record(null::public.${name}, t.row::jsonb) as r`,
        [rows],
      );
    }
    for (const [name, at] of sequences) await client.query(`select setval('public.${name}', $1)`, [at]);
    await client.query(SEQUENCES_GO_ON);
  });

/** All objects, one by one, while others write. Answers how many. */
export const copyObjects = async (from: Env, to: Env): Promise<number> => {
  const [source, target] = [auditEnvironment(from).s3, auditEnvironment(to).s3];
  const [reader, writer] = [s3Client(source), s3Client(target)];
  try {
    const listed = await listObjects(reader, source.bucket, "");
    for (const { key: Key } of listed) {
      const { Body } = await reader.send(new GetObjectCommand({ Bucket: source.bucket, Key }));
      const body = await Body?.transformToByteArray();
      if (!body) throw new Error(`${Key} has no body`);
      await writer.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body: body }));
    }
    return listed.length;
  } finally {
    reader.destroy();
    writer.destroy();
  }
};
