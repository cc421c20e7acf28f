import { Type } from "typebox";
import { type Converted, type DoorSample, ignore, nothing, type Place, uuidOf } from "../door.ts";
import { isEntry } from "../read-sample.ts";
import { mappingOf, schemaName, SLEEP_TOTALS, unitValue } from "./schemas.ts";
import { frameOf } from "./time-frame.ts";

/** Data points, each checked on its own. */
export const openMhealthSchema = Type.Array(Type.Unknown(), {
  examples: [
    [
      {
        header: {
          id: "243c773b-8936-407e-9c23-270d0ea49cc4",
          schema_id: { namespace: "omh", name: "heart-rate", version: "2.0" },
          creation_date_time: "2026-11-21T06:00:05Z",
          acquisition_provenance: { source_name: "Watch", modality: "sensed" },
        },
        body: {
          heart_rate: { value: 57, unit: "beats/min" },
          effective_time_frame: { date_time: "2026-11-21T07:00:00+01:00" },
        },
      },
    ],
  ],
});

type Entry = Readonly<Record<string, unknown>>;
const SLEEP = "HKCategoryTypeIdentifierSleepAnalysis";

const objectIn = (entry: Entry, name: string): Entry => (isEntry(entry[name]) ? entry[name] : {});

/** What a person reported counts as typed in; of the body what is no value and no time stays as metadata. */
const metadataOf = (body: Entry, members: readonly string[], provenance: Entry): Record<string, unknown> => ({
  ...Object.fromEntries(
    Object.entries(body).filter(([name]) => name !== "effective_time_frame" && !members.includes(name)),
  ),
  ...(provenance["modality"] === "self-reported" ? { HKWasUserEntered: 1 } : {}),
});

type Point = { header: Entry; body: Entry; provenance: Entry; place: Place };

/** HealthKit's own measures may hold several values: only the first keeps the point's id. */
const readValues = ({ header, body, provenance, place }: Point, name: string, into: Converted): void => {
  // A schema that is none of these stays a type that is none: the point is refused.
  const { values } = mappingOf(name) ?? { values: [["", ""] as const] };
  const frame = frameOf(body);
  const members = values.map(([member]) => member);
  for (const [n, [member, type]] of values.entries()) {
    const sent = objectIn(body, member);
    const entry: DoorSample = {
      uuid: n === 0 && values.length === 1 ? uuidOf(header["id"]) : null,
      type,
      start: frame.start,
      end: frame.end,
      created: header["creation_date_time"] ?? null,
      ...unitValue(sent["value"], sent["unit"]),
      source: { name: provenance["source_name"] ?? null },
      metadata: metadataOf(body, members, provenance),
    };
    const names = {
      uuid: "^header.id",
      type: "^header.schema_id.name",
      created: "^header.creation_date_time",
      "source.name": "^header.acquisition_provenance.source_name",
      start: frame.path.start,
      end: frame.path.end,
      value: `${member}.value`,
      unit: `${member}.unit`,
    };
    into.samples.push({ entry, place: { ...place, names } });
  }
};

/** A night is dated by its waking, in the zone that the time is written in. */
const readNight = ({ body, place }: Point, member: string, into: Converted): void => {
  if (body["is_main_sleep"] === false) {
    ignore(into, "sleep-episode");
    return;
  }
  const frame = frameOf(body);
  const sent = objectIn(body, member);
  const date = typeof frame.end === "string" ? frame.end.slice(0, 10) : frame.end;
  const names = { date: frame.path.end, value: `${member}.value`, unit: `${member}.unit` };
  into.daily.push({
    entry: { date, type: SLEEP, ...unitValue(sent["value"], sent["unit"]) },
    place: { ...place, names },
  });
};

/** Open mHealth data points as far as HealthKit has their measures (healthkit.md §7.3). Total. */
export const convertOpenMhealth = (points: readonly unknown[]): Converted => {
  const into = nothing();
  for (const [index, sent] of points.entries()) {
    const parent = `[${index}]`;
    const place: Place = { path: `${parent}.body`, parent, names: {}, alone: () => [sent] };
    if (!isEntry(sent)) {
      into.samples.push({ entry: sent as DoorSample, place: { ...place, path: parent } });
      continue;
    }
    const header = objectIn(sent, "header");
    const point = {
      header,
      body: objectIn(sent, "body"),
      provenance: objectIn(header, "acquisition_provenance"),
      place,
    };
    const name = schemaName(objectIn(header, "schema_id")["name"]);
    const total = SLEEP_TOTALS.get(name);
    if (total === undefined) readValues(point, name, into);
    else readNight(point, total, into);
  }
  return into;
};
