import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isTransient } from "../../src/app.ts";
import { doorRoutes } from "../../src/ingest/door-routes.ts";
import { openCorner } from "../support/corner.ts";
import { type Answer, openEdge } from "../support/ingest/edge.ts";
import { isolated } from "../support/stack.ts";
import { zip } from "../support/zip.ts";

const here = await isolated("upload");
const corner = await openCorner(here);
const { kafka, db, codec, topics, clock, applyTopics } = corner;
const producer = kafka.producer();
const folder = mkdtempSync(join(tmpdir(), "uploads-"));
const limits = { upload_bytes: 2_000_000, inflated_bytes: 3_000_000 };
const edge = await openEdge(doorRoutes({ producer, codec, topics, db, isTransient, clock, folder, limits }));
beforeAll(applyTopics);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await producer.close();
});

const watch = readFileSync(join(import.meta.dirname, "../samples/apple-export/watch-2024.xml"));
const send = (body: Uint8Array | string, headers: Record<string, string> = {}, query = ""): Promise<Answer> =>
  edge.ask(`/v1/athletes/a1/apple-export${query}`, { method: "POST", headers, body: body as string });

test("an export is told by its bytes, whatever its Content-Type, and sent again it makes the same batches", async () => {
  const archive = zip([{ name: "apple_health_export/导出.xml", text: watch.toString() }]);
  const answers = [
    await send(watch, { "content-type": "application/xml" }, "?time_zone=Europe/Amsterdam"),
    await send(archive, { "content-type": "application/json" }, "?time_zone=Europe/Amsterdam"),
    await send(gzipSync(watch), { "content-encoding": "gzip" }, "?time_zone=Europe/Amsterdam"),
  ];
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 202, body: { state: "accepted", received: 8, accepted: 8, faults: [] } });
    expect(answer.body["batch_ids"]).toEqual(answers[0]?.body["batch_ids"]);
  }
  expect(answers[0]?.body["batch_ids"]).toHaveLength(1);
});

test("an export that breaks off is taken as far as it goes, and the answer says where it broke", async () => {
  const cut = watch.subarray(0, watch.indexOf("HKQuantityTypeIdentifierAppleExerciseTime"));
  expect(await send(cut)).toMatchObject({
    status: 202,
    body: { accepted: 4, faults: [{ line: expect.any(Number) as unknown, detail: expect.any(String) as unknown }] },
  });
});

const xml = (inner: string): string => `<?xml version="1.0"?>${inner}`;
const bomb = `<!DOCTYPE HealthData [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><HealthData><Me x="&b;"/></HealthData>`;

/** An archive whose headers say that a password is needed. */
const encrypted = (): Buffer => {
  const bytes = Buffer.from(zip([{ name: "apple_health_export/export.xml", text: watch.toString() }]));
  for (const [signature, flags] of [
    ["PK\x03\x04", 6],
    ["PK\x01\x02", 8],
  ] as const) {
    const at = bytes.indexOf(signature, 0, "latin1") + flags;
    bytes.writeUInt16LE(bytes.readUInt16LE(at) | 1, at);
  }
  return bytes;
};
const entry = (name: string, text: string, declared?: number) =>
  zip([{ name, text, ...(declared === undefined ? {} : { declared }) }]);
const EXPORT = "apple_health_export/export.xml";
const doctype = (inner: string, root: string): string =>
  xml(`<!DOCTYPE HealthData [${inner}]><HealthData>${root}</HealthData>`);

test.each<[string, string | Uint8Array, Record<string, string>, number, RegExp]>([
  ["a zip with a password", encrypted(), {}, 400, /password/],
  [
    "a zip that holds more than it says",
    entry(EXPORT, xml(`<HealthData>${" ".repeat(900_000)}</HealthData>`), 100),
    {},
    400,
    /./,
  ],
  ["a zip that holds less than it says", entry(EXPORT, "<HealthData/>", 2_000_000), {}, 400, /./],
  ["a zip in a zip", zip([{ name: "export.zip", text: "PK" }]), {}, 400, /HealthData/],
  [
    "a zip of a thousand empty files",
    zip(Array.from({ length: 1100 }, (_, n) => ({ name: `${n}.xml`, text: "" }))),
    {},
    400,
    /HealthData/,
  ],
  ["a zip of an absolute path", entry("/etc/passwd", "root"), {}, 400, /zip/],
  ["a zip of a Windows path", entry("C:\\export.xml", "<html/>"), {}, 400, /zip/],
  ["a zip of a name that is too long", entry(`${"x".repeat(60_000)}.xml`, "<html/>"), {}, 400, /zip/],
  ["a zip of a name with a null character", entry("export.xml\0.exe", "<html/>"), {}, 400, /zip/],
  ["the letters PK", "PK", {}, 400, /damaged/],
  ["a zip's end alone", zip([]).subarray(-10), {}, 400, /expected|zip/],
  [
    "a zip whose middle was lost",
    Buffer.concat([entry(EXPORT, watch.toString()).subarray(0, 90), entry(EXPORT, watch.toString()).subarray(300)]),
    {},
    400,
    /zip/,
  ],
  [
    "a laughing billion",
    doctype(
      '<!ENTITY a "aaaaaaaaaa">' +
        Array.from("bcdefghij", (name, n) => `<!ENTITY ${name} "${`&${"abcdefghi"[n]};`.repeat(10)}">`).join(""),
      '<Me x="&j;"/>',
    ),
    {},
    400,
    /entity|imported/i,
  ],
  [
    "an entity of a file",
    doctype('<!ENTITY f SYSTEM "file:///etc/passwd">', '<Me x="&f;"/>'),
    {},
    400,
    /entity|imported/i,
  ],
  [
    "an entity of another server",
    doctype('<!ENTITY f SYSTEM "http://127.0.0.1:1/x">', "<Me>&f;</Me>"),
    {},
    400,
    /entity|imported/i,
  ],
  ["an entity that is itself", doctype('<!ENTITY a "&a;">', '<Me x="&a;"/>'), {}, 400, /entity|imported/i],
  [
    "an entity for a document type",
    doctype('<!ENTITY % p SYSTEM "file:///etc/passwd">%p;', '<Me x="&p;"/>'),
    {},
    400,
    /entity|imported/i,
  ],
  ["a null character in XML", "<HealthData>\0<Record", {}, 400, /imported/],
  ["an attribute twice", '<HealthData><Record type="a" type="b"/></HealthData>', {}, 400, /imported/],
  ["a character beyond all", '<HealthData><Record type="&#x110000;"/></HealthData>', {}, 400, /imported/],
  ["nothing", "", {}, 400, /export\.zip or export\.xml/],
  ["text", "Hello", {}, 400, /expected Apple's/],
  ["a picture", Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), {}, 400, /expected Apple's/],
  ["zeros", Buffer.alloc(1000), {}, 400, /expected Apple's/],
  ["a native batch", '{"samples":[]}', {}, 400, /not JSON/],
  ["the clinical copy", xml("<ClinicalDocument/>"), {}, 400, /export_cda/],
  ["another document", xml("<html><body/></html>"), {}, 400, /HealthData/],
  ["XML that is none", "<HealthData", {}, 400, /imported/],
  ["a prolog without end", `<!DOCTYPE x [${" ".repeat(1_100_000)}`, {}, 400, /root element|HealthData|imported/],
  ["an entity that is none", bomb, {}, 400, /entity|imported/i],
  ["an attribute that does not end", `<HealthData><Record type="${"x".repeat(1_200_000)}`, {}, 400, /imported/],
  ["elements without end", `<HealthData>${"<a>".repeat(100_000)}`, {}, 400, /nest/],
  ["a zip cut short", zip([{ name: "export.xml", text: watch.toString() }]).subarray(0, 300), {}, 400, /damaged/],
  ["an empty zip", zip([]), {}, 400, /zip/],
  ["a zip of something else", zip([{ name: "a.txt", text: "x" }]), {}, 400, /HealthData/],
  ["a zip with a path that climbs", zip([{ name: "../../export.xml", text: "<html/>" }]), {}, 400, /HealthData|zip/],
  [
    "a zip that holds too much",
    zip([{ name: "export.xml", text: `<HealthData>${" ".repeat(3_100_000)}</HealthData>` }]),
    {},
    400,
    /over/,
  ],
  ["more than may be sent", Buffer.alloc(2_000_001, " "), {}, 413, /over 2000000/],
  ["a gzip that holds too much", gzipSync(Buffer.alloc(2_500_000, " ")), { "content-encoding": "gzip" }, 413, /over/],
  ["what is no gzip", "hello", { "content-encoding": "gzip" }, 400, /gzip/],
  ["a gzip cut short", gzipSync(watch).subarray(0, 500), { "content-encoding": "gzip" }, 400, /gzip|broke/],
  ["another encoding", "hello", { "content-encoding": "br" }, 415, /gzip/],
])("%s is answered by a problem document", async (...[, body, headers, status, detail]) => {
  const answer = await send(body, headers);
  expect(answer).toMatchObject({ status, body: { status, detail: expect.stringMatching(detail) as unknown } });
});

test("a zone that is none and a query that we do not know are refused before anything is read", async () => {
  expect((await send(watch, {}, "?time_zone=Mars")).body).toMatchObject({ errors: [{ path: "time_zone" }] });
  expect((await send(watch, {}, "?zone=UTC")).status).toBe(400);
});

test("no upload stays behind, whatever became of it", async () => {
  await Promise.all([send(watch), send("Hello"), send(Buffer.alloc(2_000_001, " "))]);
  expect(readdirSync(folder)).toEqual([]);
});
