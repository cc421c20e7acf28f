import { type Converted, type DoorSample, ignore, type Place, uuidOf } from "../door.ts";
import { isEntry } from "../read-sample.ts";
import { isoOf } from "./dates.ts";
import { sourceOf } from "./points.ts";

type Entry = Readonly<Record<string, unknown>>;

const placeOf = (section: string, index: number, sent: unknown): Place => ({
  path: `data.${section}[${index}]`,
  parent: "data",
  names: { uuid: "id", "source.name": "source" },
  alone: () => ({ data: { [section]: [sent] } }),
});

/** Of a workout we keep the interval, and what it says of itself but its series: heart rates come as a metric too. */
const summaryOf = (workout: Entry, into: Converted): Record<string, unknown> => {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(workout)) {
    if (name === "id" || name === "start" || name === "end" || name === "source") continue;
    if (Array.isArray(value)) ignore(into, `workouts.${/^[A-Za-z]{1,40}$/.test(name) ? name : "other"}`, value.length);
    else kept.push([name === "name" ? "workoutActivityType" : name, value]);
  }
  return Object.fromEntries(kept);
};

/**
 * The app gives HealthKit's id and drops the milliseconds: the sample is HealthKit's own, but no copy of it that may
 * contradict the one with milliseconds, so it counts as synthetic.
 */
const identified = (entry: Entry): Pick<DoorSample, "uuid" | "synthetic"> => ({
  uuid: uuidOf(entry["id"]),
  synthetic: true,
});

const notAnObject = (section: string, index: number, sent: unknown, into: Converted): void =>
  void into.samples.push({ entry: sent as DoorSample, place: placeOf(section, index, sent) });

export const readWorkouts = (workouts: readonly unknown[], into: Converted): void => {
  for (const [index, workout] of workouts.entries()) {
    if (!isEntry(workout)) {
      notAnObject("workouts", index, workout, into);
      continue;
    }
    const entry: DoorSample = {
      ...identified(workout),
      type: "HKWorkoutTypeIdentifier",
      start: isoOf(workout["start"]),
      end: isoOf(workout["end"]),
      value: null,
      unit: null,
      source: sourceOf(workout),
      metadata: summaryOf(workout, into),
    };
    into.samples.push({ entry, place: placeOf("workouts", index, workout) });
  }
};

const MIND_NOTES = ["kind", "labels", "associations", "valenceClassification"] as const;

export const readStatesOfMind = (states: readonly unknown[], into: Converted): void => {
  for (const [index, state] of states.entries()) {
    if (!isEntry(state)) {
      notAnObject("stateOfMind", index, state, into);
      continue;
    }
    const notes = MIND_NOTES.filter((name) => state[name] !== undefined).map((name) => [name, state[name]]);
    const place = placeOf("stateOfMind", index, state);
    const start = isoOf(state["start"] ?? state["date"]);
    const entry: DoorSample = {
      ...identified(state),
      type: "HKStateOfMind",
      start,
      end: state["end"] === undefined ? start : isoOf(state["end"]),
      value: state["valence"],
      unit: null,
      source: sourceOf(state),
      metadata: Object.fromEntries(notes),
    };
    into.samples.push({ entry, place: { ...place, names: { ...place.names, value: "valence" } } });
  }
};
