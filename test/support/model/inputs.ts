import { array, constantFrom, integer, record, uniqueArray, type Arbitrary } from "fast-check";
import type { SampleChunk, SentSample, SentSeries } from "../../../src/domain/sample.ts";
import type { LedgerLine } from "../audit/ledger.ts";
import { ATHLETE } from "./store.ts";

/** Noon of the open day: its window closes at the next midnight and the grace. The day before is long over. */
export const NOON = Date.parse("2026-03-10T12:00:00Z");
const HOUR = 3_600_000;

const uuid = (i: number): string => `0000000${i}-0000-4000-8000-000000000000`;
const made = (i: number): string => `1111111${i}-0000-5000-8000-000000000000`;
const at = (hours: number): number => NOON + hours * HOUR;

/** HealthKit samples are immutable: what an id is, is fixed. Its copies may differ in value and zone (D6, D4). */
type Kept = { id: string; at: number; watch: boolean; steps: boolean; sync: number | null };
const KEPT: Kept[] = [
  { id: uuid(0), at: at(-30), watch: true, steps: true, sync: null },
  // The same record through the other door.
  { id: made(0), at: at(-30), watch: true, steps: true, sync: null },
  { id: uuid(1), at: at(-12), watch: true, steps: true, sync: null },
  { id: made(1), at: at(-12), watch: true, steps: true, sync: null },
  { id: uuid(2), at: at(-12), watch: false, steps: true, sync: null },
  { id: uuid(3), at: at(-11), watch: true, steps: false, sync: null },
  // Days that remember something: a change of the first one reaches the second.
  { id: uuid(6), at: at(-35), watch: true, steps: false, sync: null },
  { id: uuid(4), at: at(1), watch: false, steps: true, sync: 1 },
  { id: uuid(5), at: at(-14), watch: false, steps: true, sync: 2 },
];
/** Sent again with another value only where nothing else hangs on it: deleted ids and twins are known by their value. */
const VARIED = new Set([uuid(2), uuid(3)]);
const DELETABLE = [uuid(0), uuid(1), uuid(4), uuid(5)];
const ZONES = [null, null, "Pacific/Auckland", "America/New_York"];

type Drawn = Kept & { value: number; zone: string | null };

const drawn: Arbitrary<Drawn> = record({
  kept: constantFrom(...KEPT),
  value: constantFrom(60, 60, 90),
  zone: constantFrom(...ZONES),
}).map(({ kept, value, zone }) => Object.assign({}, kept, { value: VARIED.has(kept.id) ? value : 60, zone }));

const sentSample = (d: Drawn): SentSample => ({
  sample_id: d.id,
  synthetic: d.id.startsWith("1"),
  start_at: d.at,
  end_at: d.at + (d.steps ? 20 * 60_000 : 0),
  value: d.value,
  time_zone: d.zone,
  created: null,
  sync_id: d.sync === null ? null : "s",
  sync_version: d.sync,
  user_entered: false,
  count: null,
  min: null,
  max: null,
  aggregated: false,
  group_id: null,
  // Heart rates at rest are what a day remembers.
  metadata: d.steps ? null : JSON.stringify({ HKMetadataKeyHeartRateMotionContext: 1 }),
});

const seriesOf = (d: Drawn): SentSeries => ({
  type: d.steps ? "HKQuantityTypeIdentifierStepCount" : "HKQuantityTypeIdentifierHeartRate",
  unit: d.steps ? "count" : "count/min",
  source_name: d.watch ? "Watch" : "iPhone",
  bundle_id: d.watch ? "com.apple.health.W" : "com.apple.health.P",
  product_type: d.watch ? "Watch7,5" : "iPhone17,1",
  device: null,
  door: "native",
  samples: [sentSample(d)],
});

export type DrawnChunk = { samples: Drawn[]; deletions: string[]; again: boolean };
export const drawnChunks: Arbitrary<DrawnChunk[]> = array(
  record({
    samples: uniqueArray(drawn, { maxLength: 4, selector: (d) => d.id }),
    deletions: array(constantFrom(...DELETABLE), { minLength: 0, maxLength: 1 }),
    again: integer({ min: 0, max: 4 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 6 },
);

/** The log that those chunks make. A repeated one stands twice: a client that got no answer sent it again. */
export const chunksOf = (lane: string, drawnOnes: readonly DrawnChunk[], received: number): SampleChunk[] =>
  drawnOnes.flatMap(({ samples, deletions, again }, i) => {
    const chunk: SampleChunk = {
      athlete_id: ATHLETE,
      provider: "apple_health",
      batch_id: `${lane}-${i}`,
      chunk: 0,
      received_at: received + i * 7,
      batch_time_zone: "UTC",
      series: samples.map(seriesOf),
      deletions: deletions.map((sample_id) => ({ sample_id, type: null })),
      daily: [],
    };
    return again ? [chunk, chunk] : [chunk];
  });

/** What the client that sent these chunks would have in its ledger. */
export const ledgerOf = (chunks: readonly SampleChunk[]): LedgerLine[] =>
  chunks.flatMap((chunk) => [
    ...chunk.series.flatMap((series) =>
      series.samples.map((s): LedgerLine => ({
        kind: "sample",
        athlete_id: ATHLETE,
        batch_id: chunk.batch_id,
        sample_id: s.sample_id,
        type: series.type,
        start: s.start_at,
        end: s.end_at,
        value: s.value,
        unit: series.unit,
        source: { name: series.source_name, bundle_id: series.bundle_id, product_type: series.product_type },
        time_zone: s.time_zone,
        batch_time_zone: chunk.batch_time_zone,
        metadata: s.sync_id === null ? {} : { HKSyncIdentifier: s.sync_id, HKSyncVersion: s.sync_version },
        synthetic: s.synthetic,
        fate: "accepted",
      })),
    ),
    ...chunk.deletions.map((d): LedgerLine => ({
      kind: "deletion",
      athlete_id: ATHLETE,
      batch_id: chunk.batch_id,
      sample_id: d.sample_id,
      fate: "accepted",
    })),
  ]);
