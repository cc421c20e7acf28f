import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { down, up } from "../stack/stack.ts";
import { writeExport } from "./generator/export-xml.ts";
import { PEER, type Row, rowOf } from "./import-rows.ts";
import { workersOf } from "./lives.ts";
import { type Measured, measure } from "./measure.ts";
import { type Served, serving } from "./serve.ts";
import { MAIN } from "./worker.ts";

export type ImportBench = {
  mb: number;
  seed: number;
  /** The program to compare with. */
  peer: string;
  /** Parse, compare and import until Kafka has acknowledged everything: no worker runs, and the disk holds the log alone. */
  edgeOnly: boolean;
  say: (line: string) => void;
};

const STACK = `bench-${process.pid}`;
const root = join(import.meta.dirname, "..");
const extension = extname(import.meta.filename);

/** A generated day takes 0.8 MB: all of them lie in the past, because samples of the future are refused. */
const firstDateOf = (mb: number): string =>
  new Date(Date.now() - Math.ceil(mb / 0.7 + 2) * 86_400_000).toISOString().slice(0, 10);

/**
 * A generated export end to end: parsing alone, reading and checking alone, import, and until everything is durable
 * in Parquet and athlete_metrics. The stack is its own, new and removed afterwards. Rates are of records in the file.
 */
export const benchImport = async (bench: ImportBench): Promise<{ rows: Row[]; bytes: number }> => {
  const { mb, seed, say } = bench;
  const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
  const file = join(folder, "export.xml");
  try {
    say(`generating ${mb} MB, seed ${seed}`);
    const { records } = writeExport(file, { seed, firstDate: firstDateOf(mb), sprinkle: true, bytes: mb * 1_000_000 });
    const stack = await up({ name: STACK, docker: "never", say });
    const env = { ...process.env, ...stack, PORT: "0", LOG_LEVEL: "info", TOPIC_PREFIX: "" };
    try {
      const rows = await serving({ env, say }, async (service) => {
        if (bench.edgeOnly) await service.stop();
        return passes({ ...bench, folder, file, records, env, service });
      });
      return { rows, bytes: statSync(file).size };
    } finally {
      await down(STACK, false, say);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

type Passes = ImportBench & {
  folder: string;
  file: string;
  records: number;
  env: NodeJS.ProcessEnv;
  service: Served;
};

const passes = async (given: Passes): Promise<Row[]> => {
  const { file, records, env, say } = given;
  const flags = [file, "--athlete", "bench", "--time-zone", "Europe/Amsterdam", "--json"];
  const row = (what: string, m: Pick<Measured, "ms" | "cpu_s" | "peak_mb">): Row => rowOf(what, records, m);
  say("parsing alone");
  const parse = await measure([join(root, "bench", `parse-only${extension}`), file], env);
  const rows = [row("parse only (ceiling)", parse), ...(await peerPass(given))];
  if (!given.edgeOnly) {
    say("reading and checking alone");
    rows.push(row("read and check (--dry-run)", await measure([MAIN, "import", ...flags, "--dry-run"], env)));
  }
  say("importing");
  const started = performance.now();
  const before = workersOf(given.service.lives.usage()).cpu_s;
  const sent = await measure([MAIN, "import", ...flags], env);
  rows.push(row("import, acknowledged by Kafka", sent));
  if (given.edgeOnly) return rows;
  say("waiting until everything is durable");
  await measure([MAIN, "wait", "--athlete", "bench", "--timeout", "3600"], env);
  const workers = workersOf(given.service.lives.usage());
  const all = { ms: performance.now() - started, cpu_s: sent.cpu_s + workers.cpu_s - before, peak_mb: workers.peak_mb };
  return [...rows, row("end to end, durable (workers' memory)", all)];
};

/** The same file with what a person would run instead; nothing where that is not installed. */
const peerPass = async ({ peer, folder, file, records, env, say }: Passes): Promise<Row[]> => {
  try {
    await measure(["--help"], env, peer);
  } catch {
    say(`${peer} is not installed: python3 -m venv peer && peer/bin/pip install ${PEER}, then --peer peer/bin/${PEER}`);
    return [];
  }
  say(PEER);
  const done = await measure(["--xml", "--silent", file, join(folder, "peer.db")], env, peer);
  return [rowOf(PEER, records, done)];
};
