import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { down, up } from "../stack/stack.ts";
import { startServing, type Serving } from "../src/ops/serving.ts";
import { writeExport } from "./generator/export-xml.ts";
import { measure, usageOf } from "./measure.ts";

export type ImportBench = { mb: number; seed: number; say: (line: string) => void };
export type Row = { what: string; records: number; seconds: number; cpu_s: number; peak_mb: number };

const STACK = "bench";
const root = join(import.meta.dirname, "..");
const extension = extname(import.meta.filename);
const main = join(root, "src", `main${extension}`);

/**
 * A generated export end to end: parsing alone, reading and checking alone, import, and until everything is durable
 * in Parquet and athlete_metrics. The stack is its own, new and removed afterwards. Rates are of records in the file.
 */
export const benchImport = async ({ mb, seed, say }: ImportBench): Promise<{ rows: Row[]; bytes: number }> => {
  const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
  const file = join(folder, "export.xml");
  try {
    say(`generating ${mb} MB, seed ${seed}`);
    const { records } = writeExport(file, { seed, firstDate: "2020-01-01", sprinkle: true, bytes: mb * 1_000_000 });
    const stack = await up({ name: STACK, docker: "never", say });
    const env = { ...process.env, ...stack, PORT: "0", LOG_LEVEL: "info", TOPIC_PREFIX: "" };
    const service = await startServing(main, env);
    try {
      return { rows: await passes({ file, records, env, service, say }), bytes: statSync(file).size };
    } finally {
      await service.stop();
      await down(STACK, false, say);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

type Passes = { file: string; records: number; env: NodeJS.ProcessEnv; service: Serving; say: (line: string) => void };

const passes = async ({ file, records, env, service, say }: Passes): Promise<Row[]> => {
  const flags = [file, "--athlete", "bench", "--time-zone", "Europe/Amsterdam", "--json"];
  const row = (what: string, m: { ms: number; cpu_s: number; peak_mb: number }): Row => ({
    what,
    records,
    seconds: m.ms / 1000,
    cpu_s: m.cpu_s,
    peak_mb: m.peak_mb,
  });
  say("parsing alone");
  const parse = await measure([join(root, "bench", `parse-only${extension}`), file], env);
  say("reading and checking alone");
  const dry = await measure([main, "import", ...flags, "--dry-run"], env);
  say("importing");
  const before = usageOf(service.worker() ?? 0)?.cpu_s ?? 0;
  const started = performance.now();
  const sent = await measure([main, "import", ...flags], env);
  say("waiting until everything is durable");
  await measure([main, "wait", "--athlete", "bench", "--timeout", "3600"], env);
  const worker = usageOf(service.worker() ?? 0) ?? { cpu_s: 0, peak_mb: 0 };
  const all = { ms: performance.now() - started, cpu_s: sent.cpu_s + worker.cpu_s - before, peak_mb: worker.peak_mb };
  return [
    row("parse only (ceiling)", parse),
    row("read and check (--dry-run)", dry),
    row("import, acknowledged by Kafka", sent),
    row("end to end, durable (worker's memory)", all),
  ];
};
