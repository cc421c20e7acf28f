import avro from "avsc";
import type { Type } from "avsc";

/**
 * Why `next` may not follow `versions` (oldest first) under a registry mode, in words; empty when it may.
 * BACKWARD: `next` reads what was written with the former. FORWARD: the former read what `next` writes. FULL: both.
 * Only the last version counts unless the mode is transitive. The registry's own answer gives no reasons.
 */
export function incompatibilities(mode: string, next: object, versions: readonly object[]): string[] {
  const first = mode.endsWith("_TRANSITIVE") ? 0 : Math.max(0, versions.length - 1);
  const [direction] = mode.split("_");
  const type = typeOf(next);
  const reasons: string[] = [];
  for (const [index, version] of versions.entries()) {
    if (index < first || direction === "NONE") continue;
    const former = typeOf(version);
    if (direction !== "FORWARD") {
      const fault = cannotRead(type, former);
      if (fault) reasons.push(`it cannot read what was written with version ${index + 1}: ${fault}`);
    }
    if (direction !== "BACKWARD") {
      const fault = cannotRead(former, type);
      if (fault) reasons.push(`who reads with version ${index + 1} could not read what it writes: ${fault}`);
    }
  }
  return reasons;
}

const typeOf = (schema: object): Type =>
  avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: "never" });

function cannotRead(reader: Type, writer: Type): string | null {
  try {
    reader.createResolver(writer);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
