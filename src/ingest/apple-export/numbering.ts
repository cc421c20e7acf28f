import { recordId, type RecordParts } from "../../domain/ids.ts";
import type { Digest } from "../../domain/sample.ts";
import { seenKeys } from "./seen-keys.ts";

/** An item waiting for its id: the key is that of the first among its equals, `value` orders them. */
export type Unnumbered<T> = { item: T; key: RecordParts; value: number };
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
export const numbering = <T>(digest: Digest, settle: (numbered: Numbered<T>) => void, reach = REACH) => {
  const waiting = new Map<string, Unnumbered<T>[]>();
  // Kept: an iterator made anew walks over everything that has left since the map was last rebuilt.
  const oldest = waiting.entries();
  const seen = seenKeys();
  let held = 0;

  const release = (first: string, group: Unnumbered<T>[]): void => {
    waiting.delete(first);
    held -= group.length;
    const before = seen.add(group[0]?.key.metric ?? "", first, group.length);
    const ordered = group.length === 1 ? group : group.toSorted((a, b) => a.value - b.value);
    let n = before;
    for (const { item, key } of ordered) {
      settle({ item, n, uuid: n === 0 ? first : recordId({ ...key, n }, digest) });
      n += 1;
    }
  };

  const isFull = (): boolean => held > reach;

  return {
    /** Takes a record in, and settles those whose ids are known by now. */
    add(record: Unnumbered<T>): void {
      const first = recordId(record.key, digest);
      const group = waiting.get(first);
      if (group) group.push(record);
      else waiting.set(first, [record]);
      held += 1;
      while (isFull()) {
        const next = oldest.next();
        if (next.done) return;
        release(...next.value);
      }
    },
    /** The end of the file: everything that still waits. */
    flush(): void {
      for (const [key, group] of waiting) release(key, group);
    },
  };
};
