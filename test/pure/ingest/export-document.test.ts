import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BrokenExport, NotAnExport } from "../../../src/ingest/apple-export/broken-export.ts";
import { readDocument } from "../../../src/ingest/apple-export/document.ts";

/** The document cut into pieces of `size` bytes, through characters and tags alike. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Short names of what was read, and the error that ended it. */
const read = async (text: string, size = 7): Promise<{ items: string[]; error: unknown }> => {
  const items: string[] = [];
  try {
    for await (const list of readDocument(pieces(text, size))) {
      for (const item of list) {
        if (item.kind === "skipped") items.push(item.name);
        else
          items.push(
            `${item.line}:${item.attributes["n"] ?? "?"}:${item.metadata.map((pair) => pair.join("=")).join(",")}`,
          );
      }
    }
  } catch (error) {
    return { items, error };
  }
  return { items, error: null };
};

const root = (inner: string, before = ""): string => `${before}<HealthData locale="en">${inner}</HealthData>`;
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
/** As version 12 has it: an ATTLIST that is not closed, and a stray bracket. */
const MALFORMED = `<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 12 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation)*)>
<!ATTLIST Record
  type CDATA #REQUIRED
  unit CDATA #IMPLIED
<!ELEMENT Me EMPTY>
>
>
<!-- Note: it's here: ]> <!ELEMENT -->
]>`;

test.each<[string, string, string[]]>([
  ["records and their metadata", root('<Record n="1"><MetadataEntry key="a" value="b"/></Record>'), ["1:1:a=b"]],
  ["a malformed DTD", root('<Record n="1"/>', `${DECLARATION}\n${MALFORMED}\n`), ["13:1:"]],
  ["a DTD without subset", root('<Record n="1"/>', '<!DOCTYPE HealthData SYSTEM "x.dtd">'), ["1:1:"]],
  ["comments that look like tags", root('<!-- <Record n="0"/> --><Record n="1"/>', "<!-- <HealthData> -->"), ["1:1:"]],
  ["a byte order mark", `\uFEFF${root('<Record n="1"/>', DECLARATION)}`, ["1:1:"]],
  [
    "the children of a correlation once",
    root('<Correlation><Record n="0"/></Correlation><Record n="1"/>'),
    ["Correlation", "1:1:"],
  ],
  [
    "a workout and its own metadata",
    root('<Workout n="w"><MetadataEntry key="a" value="b"/><x><y/></x></Workout>'),
    ["1:w:a=b"],
  ],
  [
    "a record with beats",
    root(
      '<Record n="1"><HeartRateVariabilityMetadataList><InstantaneousBeatsPerMinute bpm="60"/></HeartRateVariabilityMetadataList></Record>',
    ),
    ["1:1:"],
  ],
  ["vertical tabs", root('<Record n="a\u000Bb\u0000c"/>'), ["1:abc:"]],
  ["control characters as references", root('<Record n="a&#11;b&#x1F;c&#x0000C;d&#10;e"/>'), ["1:abcd\ne:"]],
  ["the five entities and numbers", root('<Record n="&lt;&gt;&amp;&quot;&apos;&#233;&#x1F3C3;"/>'), ["1:<>&\"'é🏃:"]],
  ["single quotes, spaces and long tags", root("<Record   n = '1'\n></Record >"), ["1:1:"]],
  ["CDATA and text between records", root('x<![CDATA[<Record n="0"/>]]><Record n="1"/>'), ["1:1:"]],
  ["an empty export", root(""), []],
])("reads %s", async (_, text, expected) => {
  for (const size of [1, 7, 1 << 16]) expect(await read(text, size)).toEqual({ items: expected, error: null });
});

test.each<[string, string, string[], RegExp]>([
  ["a truncated file", '<HealthData><Record n="1"/>\n<Record n="2', ["1:1:"], /line 2: unclosed tag|unexpected end/],
  ["an open element", '<HealthData><Record n="1"/>', ["1:1:"], /unclosed tag/],
  [
    "a custom entity",
    root('<Record n="1"/><Record n="&x;"/>', '<!DOCTYPE HealthData [<!ENTITY x "y">]>'),
    ["1:1:"],
    /undefined entity/,
  ],
  [
    "a bomb of entities",
    root("<Record n='1'/>&b;", '<!DOCTYPE HealthData [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'),
    ["1:1:"],
    /undefined entity/,
  ],
  ["a bare ampersand", root('<Record n="1"/><Record n="a & b"/>'), ["1:1:"], /entity|unclosed tag/],
  ["a doubled attribute", root('<Record n="1"/><Record n="1" n="2"/>'), ["1:1:"], /duplicate attribute/],
  ["a wrong end tag", root('<Record n="1"/><Record n="2"></Rekord>'), ["1:1:", "1:2:"], /close tag/],
  ["a second root", `${root('<Record n="1"/>')}<HealthData/>`, ["1:1:"], /one root/],
  ["elements that nest without end", root('<Record n="1"/>' + "<a>".repeat(100)), ["1:1:"], /nest too deep/],
])("stops at %s, after what came before it", async (_, text, items, message) => {
  const got = await read(text, 1 << 16);
  expect(got.items.filter((item) => item !== "a")).toEqual(items);
  expect(got.error).toBeInstanceOf(BrokenExport);
  expect((got.error as Error).message).toMatch(message);
});

test.each([
  ["export_cda.xml", '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>', /export_cda/],
  ["a web page", "<html><body></body></html>", /html/],
  ["text", "Hello", /expected/],
  ["nothing", "", /expected/],
  ["a DTD alone", "<!-- x --><!ELEMENT HealthData ANY>", /expected/],
])("%s is no export", async (_, text, message) => {
  const { items, error } = await read(text);
  expect(items).toEqual([]);
  expect(error).toBeInstanceOf(NotAnExport);
  expect((error as Error).message).toMatch(message);
});

test.each([
  ["attribute", `<HealthData><Record n="1"/><Record n="`],
  ["comment", `<HealthData><Record n="1"/><!--`],
  ["run of text", `<HealthData><Record n="1"/>`],
  ["prolog", `<!DOCTYPE HealthData [`],
])("an endless %s ends the reading, not the memory", async (_, start) => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(start);
    for (;;) yield Buffer.alloc(1 << 16, "x");
  }
  const drain = async (): Promise<void> => {
    for await (const list of readDocument(endless())) expect(list.length).toBeLessThan(2);
  };
  await expect(drain()).rejects.toThrow(/megabyte/);
});

test("a million metadata entries of one record are not all kept", async () => {
  const entry = `<MetadataEntry key="k" value="${"v".repeat(1000)}"/>`;
  const { items, error } = await read(root(`<Record n="1">${entry.repeat(2000)}</Record>`), 1 << 16);
  expect(error).toBeNull();
  expect(items[0]?.length).toBeGreaterThan(256 * 1024);
  expect(items[0]?.length).toBeLessThan(400 * 1024);
});

test("how the bytes are cut makes no difference", async () => {
  const text = root(
    '<Record n="a&#11;é">\n<MetadataEntry key="k" value="&amp;"/>\n</Record>\r\n<Me/>',
    `${DECLARATION}${MALFORMED}`,
  );
  const whole = await read(text, 1 << 20);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (size) => {
      expect(await read(text, size)).toEqual(whole);
    }),
  );
});
