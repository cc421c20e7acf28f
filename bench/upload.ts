import { once } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { json } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { crc32, createDeflateRaw } from "node:zlib";
import { mintToken } from "../src/ops/token.ts";
import { textTable } from "../src/ops/text-table.ts";
import { writeExport } from "./generator/export-xml.ts";
import { listening } from "./listening.ts";
import { usageOf } from "./measure.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { UNLIMITED } from "./served.ts";
import { MAIN } from "./worker.ts";

export type UploadBench = { mb: number; steps: number; seed: number; stack: string | undefined; say: Say };
/** `idle_mb`: what the edge takes before anybody sends; `peak_mb`: the most that it ever took. */
export type UploadRow = {
  xml_mb: number;
  zip_mb: number;
  received: number;
  seconds: number;
  cpu_us: number;
  idle_mb: number;
  peak_mb: number;
};

const NAME = "apple_health_export/export.xml";

/** Lengths and offsets are 32-bit: enough for 4 GB. What is only known afterwards stands behind the data (bit 3). */
const header = (signature: number, fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer => {
  const all = [[4, signature] as const, ...fields];
  const out = Buffer.alloc(all.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of all) at = bytes === 2 ? out.writeUInt16LE(value, at) : out.writeUInt32LE(value, at);
  return out;
};

/** The file as Apple packs it: one deflated entry. */
const zipped = async (file: string, to: string): Promise<void> => {
  const out = createWriteStream(to);
  const [size, name] = [statSync(file).size, Buffer.from(NAME)];
  const first = [
    [2, 20],
    [2, 8],
    [2, 8],
    [4, 0x21_0000],
  ] as const;
  const start = header(0x04034b50, [...first, [4, 0], [4, 0], [4, 0], [2, name.length], [2, 0]]);
  out.write(Buffer.concat([start, name]));
  let [crc, packed] = [0, 0];
  const counted = async function* (bytes: AsyncIterable<Buffer>) {
    for await (const piece of bytes) {
      crc = crc32(piece, crc);
      yield piece;
    }
  };
  const weighed = async function* (bytes: AsyncIterable<Buffer>) {
    for await (const piece of bytes) {
      packed += piece.length;
      yield piece;
    }
  };
  await pipeline(createReadStream(file), counted, createDeflateRaw({ level: 1 }), weighed, out, { end: false });
  const known = [[4, crc] as const, [4, packed] as const, [4, size] as const];
  const entry = header(0x02014b50, [
    [2, 20],
    ...first,
    ...known,
    [2, name.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, 0],
  ]);
  const behind = header(0x08074b50, known);
  const directory = start.length + name.length + packed + behind.length;
  const length = entry.length + name.length;
  const end = header(0x06054b50, [
    [2, 0],
    [2, 0],
    [2, 1],
    [2, 1],
    [4, length],
    [4, directory],
    [2, 0],
  ]);
  out.end(Buffer.concat([behind, entry, name, end]));
  await new Promise<void>((resolve) => out.once("close", () => resolve()));
};

/** A generated day takes 0.8 MB: all of them lie in the past, because samples of the future are refused. */
const firstDateOf = (mb: number): string =>
  new Date(Date.now() - Math.ceil(mb / 0.7 + 2) * 86_400_000).toISOString().slice(0, 10);

/** `fetch` gives up where no answer has begun for five minutes, which a gigabyte may take. */
const posted = async (url: string, file: string, headers: Record<string, string>): Promise<{ received: number }> => {
  const post = request(url, { method: "POST", headers });
  const answered = once(post, "response") as Promise<[IncomingMessage]>;
  await pipeline(createReadStream(file), post);
  const [answer] = await answered;
  const { received, accepted } = (await json(answer)) as { received: number; accepted: number };
  if (answer.statusCode !== 202 || accepted === 0) throw new Error(`the upload was answered ${answer.statusCode}`);
  return { received };
};

/** One upload to an edge that was started for it alone, so that its peak is of this file. */
const uploaded = async (
  { env }: Place,
  zip: string,
  athlete: string,
): Promise<Omit<UploadRow, "xml_mb" | "zip_mb">> => {
  const edge = await listening([MAIN, "serve", "--roles", "edge", "--setup"], { ...env, ...UNLIMITED });
  try {
    const secret = env["AUTH_SECRET"] ?? "";
    const token = await mintToken({ secret, athletes: "*", scopes: ["ingest"], ttl: 86_400 });
    const [idle, busy, started] = [usageOf(edge.pid)?.peak_mb ?? 0, edge.cpu(), performance.now()];
    const to = `${edge.url}/v1/athletes/${athlete}/apple-export`;
    const { received } = await posted(to, zip, { authorization: `Bearer ${token}`, "content-type": "application/zip" });
    const seconds = (performance.now() - started) / 1000;
    const peak_mb = usageOf(edge.pid)?.peak_mb ?? 0;
    return { received, seconds, cpu_us: ((edge.cpu() - busy) * 1e6) / received, idle_mb: idle, peak_mb };
  } finally {
    edge.stop();
  }
};

/** An export.zip of a third of `mb`, two thirds, … through the upload door: does the edge's memory follow the file? */
export const benchUpload = (bench: UploadBench): Promise<UploadRow[]> =>
  inPlace(bench, async (place) => {
    const folder = mkdtempSync(join(tmpdir(), "health-sync-bench-"));
    const rows: UploadRow[] = [];
    try {
      for (let step = 1; step <= bench.steps; step += 1) {
        const mb = Math.round((bench.mb * step) / bench.steps);
        const [file, zip] = [join(folder, "export.xml"), join(folder, "export.zip")];
        bench.say(`generating ${mb} MB, seed ${bench.seed}`);
        writeExport(file, { seed: bench.seed, firstDate: firstDateOf(mb), sprinkle: true, bytes: mb * 1e6 });
        await zipped(file, zip);
        const sizes = { xml_mb: statSync(file).size / 1e6, zip_mb: statSync(zip).size / 1e6 };
        rmSync(file);
        const row = { ...sizes, ...(await uploaded(place, zip, `bench-${step}`)) };
        bench.say(`${mb} MB: ${Math.round(row.seconds)} s, ${Math.round(row.peak_mb)} MB at most`);
        rows.push(row);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return rows;
  });

export const uploadText = (rows: readonly UploadRow[]): string => {
  const head = ["XML MB", "zip MB", "records", "records/s", "CPU µs/record", "MB before", "MB at most"];
  const cells = rows.map(({ xml_mb, zip_mb, received, seconds, cpu_us, idle_mb, peak_mb }) => [
    xml_mb.toFixed(0),
    zip_mb.toFixed(0),
    received.toLocaleString("en"),
    Math.round(received / seconds).toLocaleString("en"),
    cpu_us.toFixed(1),
    idle_mb.toFixed(0),
    peak_mb.toFixed(0),
  ]);
  return textTable([head, ...cells]).join("\n");
};
