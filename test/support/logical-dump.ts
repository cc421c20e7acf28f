import { withClient } from "./stack-database.ts";

/** Every row of every table and where every sequence stands, as text: equal dumps are equal databases. */
export const logicalDump = async (databaseUrl: string): Promise<string[]> =>
  withClient(databaseUrl, async (client) => {
    const out: string[] = [];
    const tables = await client.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' order by 1",
    );
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from public.${name} t`);
      out.push(...rows.map(({ row }) => `${name} ${row}`));
    }
    const sequences = await client.query<{ name: string }>(
      "select sequencename as name from pg_sequences where schemaname = 'public' order by 1",
    );
    for (const { name } of sequences.rows) {
      const { rows } = await client.query<{ at: string }>(`select last_value::text as at from public.${name}`);
      out.push(`${name} ${rows[0]?.at}`);
    }
    return out.toSorted();
  });
