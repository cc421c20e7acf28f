import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import yauzl from "yauzl";
import { NotAnExport } from "./broken-export.ts";
import { textCleaner } from "./clean-text.ts";

/** A file's content as a stream, and how long it will be. */
export type Content = { kind: "xml" | "json"; bytes: number; stream: AsyncIterable<Uint8Array>; close(): void };

const EXPECTED = "expected Apple's export.zip or export.xml, or JSON: Health Auto Export's, or native batches";
/** The DTD of an export comes before its root element and takes 12 kB. */
const SNIFF_BYTES = 64 * 1024;

const head = async (path: string): Promise<Buffer> => {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new NotAnExport(error.code === "ENOENT" ? "no such file" : `cannot be read (${error.code})`);
  });
  try {
    if (!(await file.stat()).isFile()) throw new NotAnExport(`not a file; ${EXPECTED}`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

/** The first element's name, or "" where there is none in these bytes. */
const rootName = (bytes: Uint8Array): string => {
  const text = textCleaner()(new TextDecoder().decode(bytes), true);
  const body = text.replaceAll(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, "");
  return /^\s*<([^\s/>]+)/.exec(body)?.[1] ?? "";
};

const firstBytes = async (zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> => {
  const stream = await zip.openReadStreamPromise(entry);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size >= SNIFF_BYTES) break;
  }
  return Buffer.concat(pieces);
};

/** Names are only compared, never used as paths. Apple's own name first; it is localised, so then the largest. */
const candidates = async (zip: yauzl.ZipFile): Promise<yauzl.Entry[]> => {
  const found: { entry: yauzl.Entry; usual: boolean }[] = [];
  let locked = 0;
  for await (const entry of zip.eachEntry()) {
    const name = Buffer.from(entry.fileNameRaw).toString("utf8");
    if (!/\.xml$/i.test(name) || /export_cda\.xml$/i.test(name)) continue;
    if (entry.isEncrypted()) {
      locked += 1;
      continue;
    }
    found.push({ entry, usual: /(?:^|\/)export\.xml$/i.test(name) });
    if (found.length > 1000) break;
  }
  if (found.length === 0 && locked > 0) throw new Error("it needs a password: unpack it first");
  found.sort((a, b) => Number(b.usual) - Number(a.usual) || b.entry.uncompressedSize - a.entry.uncompressedSize);
  return found.slice(0, 20).map(({ entry }) => entry);
};

const openZip = async (path: string): Promise<Content> => {
  // Sizes are counted while inflating: an entry that holds more than it declares ends with an error.
  const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, decodeStrings: false };
  const zip = await yauzl.openPromise(path, options).catch(() => {
    throw new NotAnExport("the zip is damaged or incomplete: export it again");
  });
  try {
    for (const entry of await candidates(zip)) {
      if (rootName(await firstBytes(zip, entry)) !== "HealthData") continue;
      const stream = await zip.openReadStreamPromise(entry);
      return { kind: "xml", bytes: entry.uncompressedSize, stream, close: () => zip.close() };
    }
  } catch (error) {
    zip.close();
    throw new NotAnExport(`the zip cannot be read: ${(error as Error).message}`);
  }
  zip.close();
  throw new NotAnExport("the zip holds no XML file with the root element HealthData (apple_health_export/export.xml)");
};

/** Tells by content, not by name, what a file is. Throws NotAnExport with what was expected. */
export const openFile = async (path: string): Promise<Content> => {
  const bytes = await head(path);
  if (bytes.length === 0) throw new NotAnExport(`the file is empty; ${EXPECTED}`);
  if (bytes.subarray(0, 2).toString("latin1") === "PK") return openZip(path);
  const text = new TextDecoder().decode(bytes.subarray(0, 1024)).trimStart();
  const kind = text.startsWith("<") ? "xml" : text.startsWith("{") ? "json" : null;
  if (kind === null) throw new NotAnExport(`neither XML, zip nor JSON; ${EXPECTED}`);
  const { size } = await stat(path);
  const stream = createReadStream(path, { highWaterMark: 64 * 1024 });
  // Whoever reads it hears of an error as a rejection. Where nobody does, because the content is refused, it must not end the process.
  stream.on("error", () => undefined);
  return { kind, bytes: size, stream, close: () => stream.destroy() };
};
