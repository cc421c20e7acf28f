import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { interpret } from "../../../src/domain/interpret.ts";
import { localDate } from "../../../src/domain/local-day.ts";
import type { AthleteSettings, Sample } from "../../../src/domain/sample.ts";
import { digest } from "../../../src/flow/digest.ts";
import { decideBatch, type BatchDecision } from "../../../src/ingest/decide.ts";
import { convertHealthAutoExport } from "../../../src/ingest/health-auto-export/door.ts";
import { importFiles } from "../../../src/ingest/import-files.ts";
import { convertOpenMhealth } from "../../../src/ingest/open-mhealth/door.ts";
import { convertOpenWearables } from "../../../src/ingest/open-wearables/door.ts";
import { throughDoor } from "../../support/ingest/doors.ts";

const folder = mkdtempSync(join(tmpdir(), "same-date-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RECEIVED = Date.parse("2026-11-21T12:00:00Z");
const TYPE = "HKQuantityTypeIdentifierHeartRate";

/** A heart rate at a whole second, and what the client and we know about the zone of it. `offset` is how its date is written. */
type Beat = { at: number; offset: string; own: string | null; batch: string | null; settings: AthleteSettings };

/** `2026-03-29T01:30:00+02:00`: the instant on the wall clock of an offset. */
const written = ({ at, offset }: Beat): string => {
  const sign = offset.startsWith("-") ? -1 : 1;
  const ahead = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))) * 60_000;
  return `${new Date(at + ahead).toISOString().slice(0, 19)}${offset}`;
};
const spaced = (text: string): string => text.replace("T", " ").replace(/([+-]\d\d):(\d\d)$/u, " $1$2");

type Door = (beat: Beat) => BatchDecision | Promise<BatchDecision>;

const native: Door = (beat) => {
  const metadata = beat.own === null ? {} : { HKTimeZone: beat.own };
  const uuid = "11111111-1111-4111-8111-111111111111";
  const sample = { uuid, type: TYPE, start: written(beat), end: written(beat), value: 57, unit: "count/min", metadata };
  const body = { provider: "apple_health", time_zone: beat.batch, samples: [sample] };
  const context = { athlete_id: "a1", kind: "http", door: "native", received_at: RECEIVED, body_hash: "00" } as const;
  return decideBatch(body, context, digest);
};

const openWearables: Door = (beat) => {
  const metadata = beat.own === null ? [] : [{ key: "HKTimeZone", value: beat.own }];
  const times = { startDate: written(beat), endDate: written(beat) };
  const record = { id: "r", type: TYPE, ...times, value: 57, unit: "count/min", source: { name: "Watch" }, metadata };
  return throughDoor("open_wearables", {
    ...convertOpenWearables({ data: { records: [record] } }),
    time_zone: beat.batch,
  });
};

const appleExport: Door = async (beat) => {
  const path = join(folder, "export.xml");
  const entry = beat.own === null ? "" : `<MetadataEntry key="HKTimeZone" value="${beat.own}"/>`;
  const date = spaced(written(beat));
  const record = `<Record type="${TYPE}" sourceName="Watch" unit="count/min" startDate="${date}" endDate="${date}" value="57">${entry}</Record>`;
  writeFileSync(path, `<HealthData locale="en_US">${record}</HealthData>`);
  const sent: BatchDecision[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => void sent.push(decision);
  const request = { files: [path], athlete_id: "a1", time_zone: beat.batch, dry_run: false };
  await importFiles(request, { publish, clock: { now: () => RECEIVED } });
  const [decision] = sent;
  if (!decision) throw new Error("the export gave nothing");
  return decision;
};

const healthAutoExport: Door = (beat) => {
  const metric = {
    name: "heart_rate",
    units: "bpm",
    data: [{ date: spaced(written(beat)), Min: 57, Avg: 57, Max: 57 }],
  };
  const reading = { aggregation: null, time_zone: beat.batch };
  return throughDoor("health_auto_export", convertHealthAutoExport({ data: { metrics: [metric] } }, reading));
};

const openMhealth: Door = (beat) => {
  const header = {
    schema_id: { namespace: "omh", name: "heart-rate", version: "1.1" },
    acquisition_provenance: { source_name: "Watch", modality: "sensed" },
  };
  const body = {
    heart_rate: { value: 57, unit: "beats/min" },
    effective_time_frame: { date_time: written(beat) },
  };
  return throughDoor("open_mhealth", { ...convertOpenMhealth([{ header, body }]), time_zone: beat.batch });
};

/** Doors that can say the zone of a sample, and those that cannot. */
const TELLING: Record<string, Door> = { native, openWearables, appleExport };
const DOORS: Record<string, Door> = { ...TELLING, healthAutoExport, openMhealth };

const ZONES = ["Europe/Amsterdam", "America/St_Johns", "Pacific/Auckland", "Asia/Kathmandu", "Pacific/Apia"] as const;
const zone = fc.constantFrom(...ZONES);
const OFFSETS = ["+00:00", "+01:00", "-03:30", "+05:45", "-08:00", "+13:00"];
/** The hours around both changes of the clock, and any other time of that year. */
const instant = fc
  .oneof(
    fc.integer({ min: 0, max: 172_800 }).map((s) => Date.parse("2026-03-28T00:00:00Z") / 1000 + s),
    fc.integer({ min: 0, max: 172_800 }).map((s) => Date.parse("2026-10-24T00:00:00Z") / 1000 + s),
    fc.integer({ min: Date.parse("2026-01-01T00:00:00Z") / 1000, max: Date.parse("2026-11-20T00:00:00Z") / 1000 }),
  )
  .map((seconds) => seconds * 1000);
const settings = fc.option(
  zone.map((z) => ({ zones: [{ from: Date.parse("2026-01-01T00:00:00Z"), zone: z }], source_order: {} })),
  { nil: { zones: [], source_order: {} } },
);
const beats = fc.record<Beat>({
  at: instant,
  offset: fc.constantFrom(...OFFSETS),
  own: fc.option(zone, { nil: null }),
  batch: fc.option(zone, { nil: null }),
  settings,
});

const stored = ({ chunks }: BatchDecision, beat: Beat): Sample => {
  const samples = chunks.flatMap(({ chunk }) =>
    chunk.series.flatMap(({ samples: own, ...series }) =>
      own.map((sample) => {
        const { athlete_id, received_at, batch_time_zone } = chunk;
        return interpret({ series, sample, athlete_id, received_at, batch_time_zone, settings: beat.settings });
      }),
    ),
  );
  const [one] = samples;
  if (samples.length !== 1 || one?.kind !== "ok") throw new Error(JSON.stringify(samples));
  return one.value;
};

test("a sample's local date does not depend on the door nor on how its date is written, given the same zone evidence (D3, D4)", async () => {
  await fc.assert(
    fc.asyncProperty(beats, async (beat) => {
      const evidence = beat.own ?? beat.settings.zones[0]?.zone ?? beat.batch;
      for (const [name, door] of Object.entries(beat.own === null ? DOORS : TELLING)) {
        // Health Auto Export states no zone at all: the offset of its dates stands in for the batch's (docs/adr/0019).
        const zoneOf = evidence ?? (name === "healthAutoExport" ? beat.offset : "UTC");
        const due = { start_at: beat.at, tz: zoneOf, local_date: localDate(beat.at, zoneOf) };
        const { start_at, tz, local_date } = stored(await door(beat), beat);
        expect([name, { start_at, tz, local_date }]).toEqual([name, due]);
      }
    }),
    { numRuns: 300 },
  );
}, 30_000);
