import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import yauzl from "yauzl";
import type { Sample } from "../../src/domain/sample.ts";
import { digest } from "../../src/flow/digest.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { exportPieces, type ExportDeps, type ManifestFile } from "../../src/ops/export.ts";
import { exportCommand } from "../../src/ops/export-command.ts";
import { exportRoute } from "../../src/ops/export-route.ts";
import { EXPORT_FORMATS, type ExportFormat } from "../../src/ops/export-text.ts";
import { readSeries } from "../../src/query/read.ts";
import { openEdge, tokenFor } from "../support/ingest/edge.ts";
import { isolated } from "../support/stack.ts";
import { openBench, quiesce } from "../support/windows/bench.ts";
import { at, heart, night, steps } from "../support/windows/samples.ts";

const here = await isolated("export");
const bench = openBench(here);
afterAll(() => bench.close());
const duck = await (await DuckDBInstance.create(":memory:")).connect();

const deps: ExportDeps = {
  db: bench.db,
  objects: bench.objects,
  parquet: parquetFormat,
  clock: bench.deps.clock,
  readLive: async (athlete_id, range) =>
    (await readSeries({ ...bench.deps, digest }, { athlete_id, metric: null, ...range })).live,
};

const QUOTED = 'Ada\'s "Watch", and\nanother line';
const kept: Sample[] = [
  ...night("2026-11-18"),
  ...night("2026-11-20"),
  steps("2026-11-20T09:00:00Z", 900, { source: QUOTED }),
  // Either side of midnight, in zones where it is another date than in UTC.
  heart("2026-11-20T23:59:59.500Z", { tz: "Pacific/Kiritimati", local_date: "2026-11-21" }),
  heart("2026-11-19T00:00:00Z", { tz: "Pacific/Pago_Pago", local_date: "2026-11-18" }),
  heart("2026-11-21T11:00:00Z"),
];
const deleted = heart("2026-11-18T09:00:00Z", { name: "deleted" });

beforeAll(async () => {
  await bench.stage([...kept, deleted].slice(0, -2).concat(deleted));
  bench.now = at("2026-11-22T12:00:00Z");
  await quiesce(bench);
  await bench.delete([deleted.sample_id], "HKQuantityTypeIdentifierHeartRate");
  await quiesce(bench);
  await bench.stage([kept.at(-1) as Sample]);
  await bench.db.query(
    `insert into metric_edits (athlete_id, date, metric, source, actor, action, after, edited_at)
     values ('anna', '2026-11-01', 'weight', 'manual', 'coach', 'put', '{"value": 61.5}', now())`,
  );
});

const take = async (format: ExportFormat, out: string): Promise<string[]> => {
  const printed: string[] = [];
  const command = exportCommand({
    print: (line) => void printed.push(line),
    progress: () => undefined,
    open: async () => ({ ...deps, close: async () => undefined }),
  });
  await new Command()
    .exitOverride()
    .addCommand(command)
    .parseAsync(["export", "anna", "--format", format, "--out", out], { from: "user" });
  return printed;
};

const read = async (query: string): Promise<Record<string, unknown>[]> =>
  (await duck.runAndReadAll(query)).getRowObjectsJson();

const READERS: Record<ExportFormat, (folder: string) => string> = {
  parquet: (folder) => `read_parquet('${folder}/samples/*.parquet')`,
  csv: (folder) => `read_csv('${folder}/samples.csv')`,
  json: (folder) => `read_json('${folder}/samples.ndjson')`,
};

test.each(EXPORT_FORMATS)(
  "DuckDB reads an export as %s: live samples, once each, from staging and objects alike",
  async (format) => {
    const folder = join(mkdtempSync(join(tmpdir(), "health-sync-export-")), "out");
    const printed = await take(format, folder);
    const rows = await read(
      `select sample_id::varchar as id, value::double as value, source, epoch_ms(start_at::timestamptz)::double as start_at
     from ${READERS[format](folder)} order by 1`,
    );
    const wanted = kept.map(({ sample_id: id, value, source, start_at }) => ({ id, value, source, start_at }));
    expect(rows).toEqual(wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    const text = (name: string): string => `${folder}/${name}.${format === "csv" ? "csv" : "ndjson"}`;
    const reader = format === "csv" ? "read_csv" : "read_json";
    expect(await read(`select actor from ${reader}('${text("metric_edits")}')`)).toEqual([{ actor: "coach" }]);
    const metrics = await bench.db.query(`select metric from athlete_metrics where athlete_id = 'anna'`);
    expect(await read(`select count(*)::int as n from ${reader}('${text("metrics")}')`)).toEqual([
      { n: metrics.length },
    ]);
    expect(printed.join("")).toContain(folder);
    expect(statSync(join(folder, "manifest.json")).mode & 0o077).toBe(0);
  },
);

test("the manifest gives rows, bytes and hash of every file", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "health-sync-export-")), "out");
  await take("parquet", folder);
  const { files } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as { files: ManifestFile[] };
  const there = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "manifest.json")
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  expect(files.map(({ path }) => path).toSorted()).toEqual(there.toSorted());
  for (const { path, bytes, sha256 } of files) {
    const body = readFileSync(join(folder, path));
    expect([path, body.length, createHash("sha256").update(body).digest("hex")]).toEqual([path, bytes, sha256]);
  }
  const samples = files.filter(({ path }) => path.startsWith("samples/"));
  expect(samples.reduce((sum, { rows }) => sum + rows, 0)).toBe(kept.length);
});

test("a folder with something in it is not written into", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "health-sync-export-")), "out");
  await take("json", folder);
  await expect(take("json", folder)).rejects.toThrow("is not empty");
});

const unzipped = async (bytes: Buffer): Promise<Map<string, Buffer>> => {
  const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true });
  const files = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry()) {
    const stream = await zip.openReadStreamPromise(entry);
    const parts: Buffer[] = [];
    for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
    files.set(entry.fileName, Buffer.concat(parts));
  }
  return files;
};

test("by HTTP the same files come as one archive, as a file of that command does", async () => {
  const edge = await openEdge([exportRoute({ ...deps, isTransient: () => false })]);
  const authorization = `Bearer ${await tokenFor({ athletes: ["anna"], scopes: ["read"] })}`;
  const answer = await fetch(`${edge.url}/v1/athletes/anna/export?format=csv`, { headers: { authorization } });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/zip"]);
  const files = await unzipped(Buffer.from(await answer.arrayBuffer()));
  const pieces = new Map<string, Buffer>();
  for await (const { path, bytes } of exportPieces(deps, "anna", "csv")) {
    pieces.set(path, Buffer.concat([pieces.get(path) ?? Buffer.alloc(0), bytes]));
  }
  expect([...files.keys()]).toEqual([...pieces.keys()]);
  expect(files.get("samples.csv")).toEqual(pieces.get("samples.csv"));
  const out = join(mkdtempSync(join(tmpdir(), "health-sync-export-")), "anna.zip");
  await take("csv", out);
  expect((await unzipped(readFileSync(out))).get("samples.csv")).toEqual(files.get("samples.csv"));
  expect((await edge.ask("/v1/athletes/anna/export?format=xml")).status).toBe(400);
});

test("only a few exports run at once, and readers who leave make room", async () => {
  const held = Promise.withResolvers<readonly Sample[]>();
  let reading = 0;
  // The first day comes at once, so that answers begin; the next one waits.
  const slow: ExportDeps = {
    ...deps,
    readLive: async (athlete, range) => {
      if (range.from < at("2026-11-19T00:00:00Z")) return deps.readLive(athlete, range);
      reading += 1;
      return held.promise;
    },
  };
  const edge = await openEdge([exportRoute({ ...slow, isTransient: () => false })]);
  const authorization = `Bearer ${await tokenFor()}`;
  const leaving = new AbortController();
  const ask = () =>
    fetch(`${edge.url}/v1/athletes/anna/export`, { headers: { authorization }, signal: leaving.signal });
  const running = await Promise.all([ask(), ask(), ask(), ask()]);
  expect(running.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  await expect.poll(() => reading).toBe(4);
  const refused = await edge.ask("/v1/athletes/anna/export");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "60"]);
  leaving.abort();
  held.resolve([]);
  const taken = async (): Promise<number> => {
    const answer = await fetch(`${edge.url}/v1/athletes/anna/export`, { headers: { authorization } });
    await answer.arrayBuffer();
    return answer.status;
  };
  await expect.poll(taken).toBe(200);
});

test("of somebody whom nobody knows there is an empty export, and a store that is away is a 503", async () => {
  const paths: string[] = [];
  for await (const { path } of exportPieces(deps, "nobody", "json")) paths.push(path);
  expect(paths).toEqual(["settings.json", "manifest.json"]);
  const away = { ...deps, db: { ...deps.db, query: () => Promise.reject(new Error("away")) } };
  const edge = await openEdge([exportRoute({ ...away, isTransient: () => true })]);
  expect(await edge.ask("/v1/athletes/anna/export")).toMatchObject({ status: 503 });
});
