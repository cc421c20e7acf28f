import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { typeOf } from "../../src/io/avro-codec.ts";
import { GOLDEN, currentSchemas, goldenFiles } from "./golden.ts";
import { GOLDEN_VALUES } from "./golden-values.ts";

// After a schema changed: add the new fields to golden-values.ts, then `node test/support/record-golden.ts`.
// Writes the next version of each schema that has none for its present text. Recorded files are never changed or removed.
const recorded = goldenFiles();
for (const [name, schema] of currentSchemas()) {
  const versions = recorded.filter(({ schemaName }) => schemaName === name);
  if (versions.some((golden) => isDeepStrictEqual(golden.schema, schema))) continue;
  const type = typeOf(schema);
  const records = (GOLDEN_VALUES[name] ?? []).map((value) => ({
    value: JSON.parse(type.toString(value)) as unknown,
    hex: type.toBuffer(value).toString("hex"),
  }));
  if (records.length === 0) throw new Error(`golden-values.ts has no values for ${name}`);
  const file = join(GOLDEN, `${name}.v${versions.length + 1}.json`);
  writeFileSync(file, `${JSON.stringify({ schema, records }, undefined, 1)}\n`, { flag: "wx" });
  process.stdout.write(`recorded ${file}\n`);
}
