import type { DuckDBConnection } from "@duckdb/node-api";
import type { ObjectsOptions } from "../src/io/objects.ts";

export type Span = { name: string; athlete: string; from: string; to: string };
type Daily = { min: number; max: number }[];
export type Duck = (files: readonly string[], span: Span) => Promise<Daily>;

/** Daily figures of a metric from these files. */
const queryOn =
  (connection: DuckDBConnection, metric: string): Duck =>
  async (files, span) => {
    const list = files.map((file) => `'${file}'`).join(",");
    const reader = await connection.runAndReadAll(
      `select local_date, count(*), avg(value), min(value) as min, max(value) as max from read_parquet([${list}])
       where metric = '${metric}' and local_date between '${span.from}' and '${span.to}' group by 1 order by 1`,
    );
    return reader.getRowObjects().map(({ min, max }) => ({ min: Number(min), max: Number(max) }));
  };

const connected = async (config: Record<string, string>): Promise<DuckDBConnection> => {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  return (await DuckDBInstance.create(":memory:", { threads: "2", ...config })).connect();
};

/** DuckDB on local files. Throws where it is not installed. */
export const localDuck = async (metric: string): Promise<Duck> => queryOn(await connected({}), metric);

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

type Remote = { extension: string; objects: ObjectsOptions; endpoint: URL; cached: boolean };

/** DuckDB on the object store, by its own httpfs; `cached`: what it has read stays in its memory. */
export const remoteDuck = async (metric: string, { extension, objects, endpoint, cached }: Remote): Promise<Duck> => {
  const connection = await connected({ enable_external_file_cache: String(cached) });
  await connection.run(`load ${text(extension)}`);
  await connection.run(`set enable_http_metadata_cache = ${cached}`);
  await connection.run(
    `create secret (type s3, provider config, key_id ${text(objects.accessKeyId)}, secret ${text(objects.secretAccessKey)},
       region ${text(objects.region)}, endpoint ${text(endpoint.host)}, url_style 'path',
       use_ssl ${endpoint.protocol === "https:"})`,
  );
  const query = queryOn(connection, metric);
  return (keys, span) =>
    query(
      keys.map((key) => `s3://${objects.bucket}/${key}`),
      span,
    );
};
