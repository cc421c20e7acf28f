import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A file of avro/golden: what one version of a schema wrote. `value` is Avro's JSON encoding, `hex` its bytes. */
export type Golden = {
  schemaName: string;
  version: number;
  schema: object;
  records: { value: unknown; hex: string }[];
};

export const AVRO = join(import.meta.dirname, "..", "..", "avro");
export const GOLDEN = join(AVRO, "golden");

/** By name: the schemas as they are now. */
export function currentSchemas(): Map<string, object> {
  const files = readdirSync(AVRO).filter((file) => file.endsWith(".avsc"));
  return new Map(files.toSorted().map((file) => [file.replace(".avsc", ""), json(join(AVRO, file))]));
}

/** Every recorded version, oldest first within a name. */
export function goldenFiles(): Golden[] {
  const found = readdirSync(GOLDEN).map((file) => /^(.+)\.v(\d+)\.json$/.exec(file));
  return found
    .filter((match) => match !== null)
    .map((match) => {
      const { schema, records }: Pick<Golden, "schema" | "records"> = JSON.parse(
        readFileSync(join(GOLDEN, match[0]), "utf8"),
      );
      return { schemaName: match[1] ?? "", version: Number(match[2]), schema, records };
    })
    .toSorted((a, b) => a.schemaName.localeCompare(b.schemaName) || a.version - b.version);
}

const json = (path: string): object => JSON.parse(readFileSync(path, "utf8"));
