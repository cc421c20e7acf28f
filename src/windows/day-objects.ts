import type { Sample } from "../domain/sample.ts";
import type { ObjectStore, ParquetFormat } from "../flow/ports.ts";
import { slots } from "../flow/slots.ts";

const CONCURRENCY = 8;
/** Rows kept decoded; neighbouring days of a backfill read each other several times. */
const CACHED_ROWS = 60_000;

/** Reads day objects by key. Objects are immutable, so what is cached needs no invalidation. */
export type DayObjects = {
  /** In the order of the keys. Throws ObjectMissing. */
  rows(keys: readonly string[]): Promise<(readonly Sample[])[]>;
};

export const createDayObjects = (objects: ObjectStore, parquet: ParquetFormat): DayObjects => {
  const cache = new Map<string, readonly Sample[]>();
  let held = 0;
  const keep = (key: string, rows: readonly Sample[]): void => {
    if (cache.has(key)) return;
    cache.set(key, rows);
    held += rows.length;
    for (const [oldest, its] of cache) {
      if (held <= CACHED_ROWS) break;
      cache.delete(oldest);
      held -= its.length;
    }
  };
  const one = async (key: string): Promise<readonly Sample[]> => {
    const known = cache.get(key);
    if (known) {
      cache.delete(key);
      cache.set(key, known);
      return known;
    }
    const rows = parquet.decodeDay(await objects.get(key));
    keep(key, rows);
    return rows;
  };
  const turn = slots(CONCURRENCY);
  return { rows: (keys) => Promise.all(keys.map((key) => turn(() => one(key)))) };
};
