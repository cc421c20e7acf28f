import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { AvroSchema } from "./registry.ts";

/** A file of topics/ with the schema it names, under the names of one environment. */
export type DeclaredTopic = {
  name: string;
  /** Where the schema of its values is registered. */
  subject: string;
  partitions: number;
  config: Record<string, string>;
  compatibility: string;
  schema: AvroSchema;
};
type TopicFile = Omit<DeclaredTopic, "subject" | "schema"> & { schema: string };

const ROOT = join(import.meta.dirname, "..", "..");

/**
 * All topics as declared in topics/ and avro/. `prefix` goes before topic and subject names, so that several environments
 * (and tests) share a cluster; `partitions` is for tests only, because the count stays for life.
 */
export function declaredTopics({
  prefix = "",
  partitions,
}: { prefix?: string; partitions?: number } = {}): DeclaredTopic[] {
  const files = readdirSync(join(ROOT, "topics")).filter((file) => file.endsWith(".json"));
  return files.toSorted().map((file) => {
    const declared: TopicFile = JSON.parse(text("topics", file));
    const schema: AvroSchema = JSON.parse(text("avro", `${declared.schema}.avsc`));
    const name = prefix + declared.name;
    return {
      name,
      subject: `${name}-value`,
      partitions: partitions ?? declared.partitions,
      config: declared.config,
      compatibility: declared.compatibility,
      schema,
    };
  });
}

const text = (folder: string, file: string): string => readFileSync(join(ROOT, folder, file), "utf8");
