import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chunks, replayed } from "../../support/staging/chunks.ts";
import { Tables } from "../../support/staging/tables.ts";
import type { SampleChunk } from "../../../src/domain/sample.ts";

const after = (batches: readonly (readonly SampleChunk[])[]): Tables => {
  const tables = new Tables();
  for (const batch of batches) tables.apply(batch);
  return tables;
};

test("the final state depends on the set of what was received, not on order, repetition or split into batches", () => {
  fc.assert(
    fc.property(
      chunks.chain((all) => fc.tuple(fc.constant(all), replayed(all))),
      ([all, batches]) => {
        expect(after(batches).state()).toEqual(after([all]).state());
      },
    ),
    { numRuns: 3000 },
  );
}, 60_000);

test("a replay of everything dirties no day, writes no row and no tombstone", () => {
  fc.assert(
    fc.property(chunks, (all) => {
      const tables = after(all.map((chunk) => [chunk]));
      tables.apply(all);
      const { rows } = tables.apply(all);
      const { windows, inserts, removals, tombstones, syncs, daily, athletes } = rows;
      expect({ windows, inserts, removals, tombstones, syncs, daily, athletes }).toEqual({
        windows: [],
        inserts: [],
        removals: [],
        tombstones: [],
        syncs: [],
        daily: [],
        athletes: [],
      });
    }),
    { numRuns: 1000 },
  );
}, 60_000);

test("no live row stands on a day that was never touched, and every touched day wakes somebody", () => {
  fc.assert(
    fc.property(chunks, (all) => {
      const tables = new Tables();
      for (const chunk of all) {
        const { rows } = tables.apply([chunk]);
        const woken = new Set(
          rows.wakes.flatMap(({ athlete_id, dates }) => dates.map((date) => `${athlete_id}|${date}`)),
        );
        expect(rows.windows.filter((w) => !woken.has(`${w.athlete_id}|${w.local_date}`))).toEqual([]);
        expect(rows.tombstones.filter((t) => !rows.wakes.some((w) => w.athlete_id === t.athlete_id))).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);

test("each sample of a chunk has one fate", () => {
  fc.assert(
    fc.property(chunks, (all) => {
      const { tally } = new Tables().apply(all);
      const samples = all.flatMap(({ series }) => series.flatMap((one) => one.samples)).length;
      const counted = ["stored", "replaced", "duplicate", "tombstoned", "superseded", "erased", "dead", "ignored"];
      const fates = counted.reduce((sum, fate) => sum + (tally[fate] ?? 0), 0);
      expect(fates).toBe(samples);
    }),
    { numRuns: 1000 },
  );
}, 60_000);
