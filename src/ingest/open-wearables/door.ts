import { Type } from "typebox";
import { isKnownType } from "../../domain/catalogue.ts";
import { type Converted, type DoorSample, ignore, nothing, type Place, uuidOf } from "../door.ts";
import { isEntry } from "../read-sample.ts";
import { stageReader } from "../sleep-stage.ts";

const lists = Type.Optional(Type.Array(Type.Unknown()));

/** The envelope; records are checked one by one. `deleted` and `anchor` are ours: the SDK has no deletions. */
export const openWearablesSchema = Type.Object(
  {
    provider: Type.Optional(Type.Union([Type.Literal("apple_health"), Type.Literal("apple")])),
    sdkVersion: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    syncTimestamp: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    data: Type.Object({ records: lists, sleep: lists, workouts: lists }),
    deleted: lists,
    anchor: Type.Optional(Type.Union([Type.String({ maxLength: 8192 }), Type.Null()])),
  },
  {
    examples: [
      {
        provider: "apple_health",
        sdkVersion: "0.1.0",
        data: {
          records: [
            {
              id: "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11",
              type: "HKQuantityTypeIdentifierHeartRate",
              startDate: "2026-11-21T06:00:00Z",
              endDate: "2026-11-21T06:00:00Z",
              zoneOffset: "+01:00",
              value: 57,
              unit: "count/min",
              source: { name: "Watch", bundleIdentifier: "com.apple.health.1", productType: "Watch7,5" },
            },
          ],
        },
        deleted: [{ id: "0b8a5f0e-7a51-4d6e-9b43-3b3a1f1f0c22" }],
      },
    ],
  },
);

type Section = "records" | "sleep" | "workouts";
export type OpenWearablesBody = {
  data: { [Name in Section]?: unknown[] };
  deleted?: unknown[];
  anchor?: string | null;
};

type Entry = Readonly<Record<string, unknown>>;

/** A list of {key, value} or a map; of anything else nothing, as it is no sample's fault. */
const metadataOf = (sent: unknown): Record<string, unknown> => {
  if (isEntry(sent)) return { ...sent };
  if (!Array.isArray(sent)) return {};
  return Object.fromEntries(
    sent.filter(isEntry).flatMap((item) => {
      const { key, value } = item;
      return typeof key === "string" ? [[key, value] as const] : Object.entries(item);
    }),
  );
};

const SOURCE_NAMES = {
  "source.name": "source.name",
  "source.bundle_id": "source.bundleIdentifier",
  "source.product_type": "source.productType",
  "source.device": "source.deviceModel",
} as const;

const sourceOf = (sent: unknown): unknown => {
  if (!isEntry(sent)) return sent ?? {};
  return {
    name: sent["name"] ?? sent["deviceName"],
    bundle_id: sent["bundleIdentifier"] ?? sent["appId"],
    product_type: sent["productType"] ?? sent["deviceModel"],
    device: sent["deviceModel"] ?? sent["deviceName"],
  };
};

/** What a person typed in counts as such (D11), whichever of the two ways it is said in. */
const enteredBy = (source: unknown): Record<string, unknown> =>
  isEntry(source) && source["recordingMethod"] === "manual" ? { HKWasUserEntered: 1 } : {};

const NAMES = {
  uuid: "id",
  start: "startDate",
  end: "endDate",
  time_zone: "zoneOffset",
  group_id: "parentId",
  ...SOURCE_NAMES,
};

/** `light` is HealthKit's core. */
const stageOf = stageReader({ sleeping: 1, light: 3 });

const sampleOf = (sent: Entry, own: Pick<DoorSample, "type" | "value" | "unit" | "metadata">): DoorSample => ({
  uuid: uuidOf(sent["id"]),
  start: sent["startDate"],
  end: sent["endDate"],
  time_zone: sent["zoneOffset"] ?? null,
  source: sourceOf(sent["source"]),
  group_id: sent["parentId"] ?? null,
  ...own,
  metadata: { ...(own.metadata as object), ...enteredBy(sent["source"]) },
});

const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";
const WORKOUT = "HKWorkoutTypeIdentifier";
/** Of a workout we keep the interval and what it says of itself; segments, laps, route and samples are left out. */
const WORKOUT_NOTES = ["title", "notes", "values"] as const;
const WORKOUT_SERIES = ["segments", "laps", "route", "samples"] as const;

const READERS: Readonly<Record<Section, (sent: Entry, into: Converted) => DoorSample | null>> = {
  records: (sent) => {
    const { type, value, unit = null } = sent;
    return sampleOf(sent, { type, value, unit, metadata: metadataOf(sent["metadata"]) });
  },
  sleep: (sent, into) => {
    // Neither asleep nor awake: it tells nothing that a session could use.
    if (sent["stage"] === "unknown") {
      ignore(into, "sleep.unknown");
      return null;
    }
    const value = stageOf(sent["stage"]);
    return sampleOf(sent, { type: SLEEP, value, unit: null, metadata: metadataOf(sent["metadata"]) });
  },
  workouts: (sent, into) => {
    for (const name of WORKOUT_SERIES) {
      const series = sent[name];
      if (Array.isArray(series)) ignore(into, `workouts.${name}`, series.length);
    }
    const notes = WORKOUT_NOTES.flatMap((name) => (sent[name] == null ? [] : [[name, sent[name]] as const]));
    const said = { ...metadataOf(sent["metadata"]), ...Object.fromEntries(notes), workoutActivityType: sent["type"] };
    return sampleOf(sent, { type: WORKOUT, value: null, unit: null, metadata: said });
  },
};

const FIELDS: Readonly<Record<Section, Record<string, string>>> = {
  records: NAMES,
  sleep: { ...NAMES, value: "stage" },
  workouts: { ...NAMES, type: "type" },
};

const readDeletions = (deleted: readonly unknown[], into: Converted): void => {
  for (const [index, sent] of deleted.entries()) {
    const place: Place = {
      path: `deleted[${index}]`,
      parent: "",
      names: { uuid: "id" },
      alone: () => ({ data: {}, deleted: [sent] }),
    };
    const id = isEntry(sent) ? (sent["id"] ?? sent["uuid"]) : sent;
    const type = isEntry(sent) && typeof sent["type"] === "string" && isKnownType(sent["type"]) ? sent["type"] : null;
    into.deleted.push({ entry: { uuid: id, type }, place });
  }
};

/** A payload of the Open Wearables SDK (healthkit.md §7.1). Total. */
export const convertOpenWearables = (body: OpenWearablesBody): Converted => {
  const into = nothing();
  for (const section of ["records", "sleep", "workouts"] as const) {
    for (const [index, sent] of (body.data[section] ?? []).entries()) {
      const place: Place = {
        path: `data.${section}[${index}]`,
        parent: `data.${section}`,
        names: FIELDS[section],
        alone: () => ({ data: { [section]: [sent] } }),
      };
      const entry = isEntry(sent) ? READERS[section](sent, into) : (sent as DoorSample);
      if (entry !== null || !isEntry(sent)) into.samples.push({ entry: entry as DoorSample, place });
    }
  }
  readDeletions(body.deleted ?? [], into);
  into.anchor = body.anchor ?? null;
  return into;
};
