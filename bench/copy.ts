import { createReadStream, createWriteStream } from "node:fs";
import { performance } from "node:perf_hooks";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from, to } from "pg-copy-streams";
import type { Timed } from "./pass.ts";

const PIECE = 1 << 20;

const cpuSeconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;

const inClient = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** COPY of a query into a file. */
export const dumpTo = (url: string, query: string, file: string, format = "binary"): Promise<void> =>
  inClient(url, (client) =>
    pipeline(client.query(to(`copy (${query}) to stdout (format ${format})`)), createWriteStream(file)),
  );

const timed = async (rows: number, work: () => Promise<void>): Promise<Timed> => {
  const [at, cpu] = [performance.now(), cpuSeconds()];
  await work();
  const seconds = (performance.now() - at) / 1000;
  return { rows, seconds, cpu_s: cpuSeconds() - cpu, peak_mb: Number.NaN };
};

/** The ceiling of writing: binary COPY of such a file, in one transaction on one connection. */
export const copyFrom = (url: string, table: string, from_: { file: string; rows: number }): Promise<Timed> =>
  inClient(url, (client) =>
    timed(from_.rows, () =>
      pipeline(
        createReadStream(from_.file, { highWaterMark: PIECE }),
        client.query(from(`copy ${table} from stdin (format binary)`)),
      ),
    ),
  );

/** The ceiling of draining: binary COPY of a query to here, where it is thrown away. */
export const copyOutOf = (url: string, query: string, rows: number): Promise<Timed> =>
  inClient(url, (client) =>
    timed(rows, () =>
      pipeline(
        client.query(to(`copy (${query}) to stdout (format binary)`)),
        new Writable({ write: (_bytes, _encoding, done) => done() }),
      ),
    ),
  );
