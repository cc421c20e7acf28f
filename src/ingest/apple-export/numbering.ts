import { recordId, type RecordParts } from "../../domain/ids.ts";
import type { Digest } from "../../domain/sample.ts";
import { seenKeys } from "./seen-keys.ts";

/** An item waiting for its id. `value` orders equal keys. */
export type Unnumbered<T> = { item: T; key: Omit<RecordParts, "n">; value: number };
export type Numbered<T> = { item: T; uuid: string; n: number };

/** Records that may stand between two with equal keys and still be numbered in order of value. */
const REACH = 1000;

/**
 * Gives export records their ids (D10): n = 0, 1, … among equal keys of one import, in order of value. An export
 * drops milliseconds, so two measurements in one second are equal keys; they are written next to each other. A
 * record is held back until `REACH` newer ones have come, and leaves together with its equals, sorted by value. Equal
 * keys further apart are numbered in order of appearance: never two records under one id. The ids depend on the
 * file alone, not on how it is cut into parts.
 */
export const numbering = <T>(digest: Digest, reach = REACH) => {
  const waiting = new Map<string, Unnumbered<T>[]>();
  const seen = seenKeys();
  let held = 0;

  const release = (first: string, group: Unnumbered<T>[]): Numbered<T>[] => {
    waiting.delete(first);
    held -= group.length;
    const before = seen.add(group[0]?.key.metric ?? "", first, group.length);
    const ordered = group.toSorted((a, b) => a.value - b.value);
    return ordered.map(({ item, key }, index) => {
      const n = before + index;
      return { item, n, uuid: n === 0 ? first : recordId({ ...key, n }, digest) };
    });
  };

  return {
    /** Takes a record in, answers those whose ids are settled. */
    add(record: Unnumbered<T>): Numbered<T>[] {
      const first = recordId({ ...record.key, n: 0 }, digest);
      const group = waiting.get(first);
      if (group) group.push(record);
      else waiting.set(first, [record]);
      held += 1;
      const settled: Numbered<T>[] = [];
      for (const [key, oldest] of waiting) {
        if (held <= reach) break;
        settled.push(...release(key, oldest));
      }
      return settled;
    },
    /** The end of the file: everything that still waits. */
    flush: (): Numbered<T>[] => [...waiting].flatMap(([key, group]) => release(key, group)),
  };
};
