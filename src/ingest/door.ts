import { metricOfType } from "../domain/catalogue.ts";
import { aggregateId, isUuid, recordId } from "../domain/ids.ts";
import type { Digest, Instant } from "../domain/sample.ts";
import type { BatchBody } from "./batch-body.ts";
import { type BatchContext, type BatchDecision, batchId, decideBatch, type EntryList } from "./decide.ts";
import { Problem } from "../flow/route.ts";
import { isEntry } from "./read-sample.ts";
import { recordKey, type Unkeyed } from "./record-key.ts";

/**
 * Where an entry stands in what the client sent, in its own words. `names` says what it calls the fields of a native
 * sample; a name that begins with ^ stands in the object around it. `alone` is a body of the same door with this
 * entry only: what a dead letter keeps.
 */
export type Place = { path: string; parent: string; names: Readonly<Record<string, string>>; alone: () => unknown };

/** A native sample as a door's converter writes it. Fields hold what was sent where that cannot be read: it is refused. */
export type DoorSample = Unkeyed & {
  /** The client's own id, where it is HealthKit's; else null, and D10 gives it one. */
  uuid: string | null;
  /** True where the id is not enough to call two copies one moment: the client drops milliseconds, or has no id. */
  synthetic?: boolean;
  aggregated?: boolean;
  created?: unknown;
  time_zone?: unknown;
  group_id?: unknown;
  min?: unknown;
  max?: unknown;
};
export type DoorDaily = { date: unknown; type: string; value: unknown; unit: unknown };
export type DoorDeletion = { uuid: unknown; type?: unknown };
export type Placed<T> = { entry: T; place: Place };

/** The one shape inside, of any client's body. */
export type Converted = {
  samples: Placed<DoorSample>[];
  daily: Placed<DoorDaily>[];
  deleted: Placed<DoorDeletion>[];
  /** By type, or by the client's own name of what we do not take. */
  ignored: Map<string, number>;
  time_zone: string | null;
  anchor?: string | null;
};

export const nothing = (): Converted => ({
  samples: [],
  daily: [],
  deleted: [],
  ignored: new Map(),
  time_zone: null,
});

export const ignore = (into: Converted, name: string, by = 1): void => {
  if (by > 0) into.ignored.set(name, (into.ignored.get(name) ?? 0) + by);
};

/** Entries a request may hold: clients that have no batches of their own send a day of seconds at once. */
const MAX_DOOR_ENTRIES = 20_000;
/** Of these refused at most: a receipt lists them, with the paths of the client, and is one Kafka record. */
const MAX_REFUSED = 3000;

type Numbered = { entry: DoorSample; key: NonNullable<ReturnType<typeof recordKey>> };

/**
 * Gives every sample that came without an id its own (D10): a record's among equal keys in order of value, an aggregate's
 * without value, so that a re-sent window replaces. Where one request holds several aggregates of one window, the first
 * by value keeps the window's id and the others are numbered: none is lost.
 */
export const identify = (
  samples: readonly Placed<DoorSample>[],
  from: { athlete_id: string; door: string },
  digest: Digest,
) => {
  const groups = new Map<string, Numbered[]>();
  for (const { entry } of samples) {
    const key = isEntry(entry) ? recordKey(entry, from) : null;
    if (key === null) continue;
    const group = metricOfType(entry.type as string)?.correlation ?? null;
    if (group !== null) entry.group_id ??= aggregateId({ ...key.key, metric: group }, digest);
    if (entry.uuid !== null) continue;
    entry.synthetic = true;
    const first = entry.aggregated ? aggregateId(key.key, digest) : recordId({ ...key.key, n: 0 }, digest);
    const equals = groups.get(first);
    if (equals) equals.push({ entry, key });
    else groups.set(first, [{ entry, key }]);
  }
  for (const [first, equals] of groups) {
    const ordered = equals.length === 1 ? equals : equals.toSorted((a, b) => a.key.value - b.key.value);
    for (const [n, { entry, key }] of ordered.entries()) {
      entry.uuid = n === 0 ? first : recordId({ ...key.key, n }, digest);
    }
  }
};

const pathOf = ({ path, parent, names }: Place, field: string): string => {
  if (field === "") return path;
  const name = names[field] ?? field;
  if (name.startsWith("^")) return `${parent}.${name.slice(1)}`;
  return path === "" ? name : `${path}.${name}`;
};

type Lists = { [List in EntryList]: readonly Placed<unknown>[] };

/** Where entries stand and what is kept of them, as `decideBatch` asks for it. */
export const placesOf = (lists: Lists): Required<Pick<BatchContext, "sent" | "place">> => ({
  sent: (list, index) => JSON.stringify(lists[list][index]?.place.alone()),
  place: (list, index, field) => {
    const place = lists[list][index]?.place;
    return place ? pathOf(place, field) : list;
  },
});

export type DoorRequest = { athlete_id: string; received_at: Instant; door: BatchContext["door"]; body_hash: string };

/** Throws Problem 413 where the batch is too large for one receipt. */
export const decideConverted = (
  converted: Converted,
  request: DoorRequest & Pick<BatchContext, "kind">,
  digest: Digest,
): BatchDecision => {
  const { samples, deleted, daily } = converted;
  const count = samples.length + deleted.length + daily.length;
  if (count > MAX_DOOR_ENTRIES) {
    throw new Problem(413, `the body holds ${count} entries, ${MAX_DOOR_ENTRIES} are the most: send shorter periods`);
  }
  identify(samples, request, digest);
  const lists = { samples, deleted, daily };
  const body: BatchBody = {
    time_zone: converted.time_zone,
    anchor: converted.anchor ?? null,
    samples: samples.map(({ entry }) => entry),
    deleted: deleted.map(({ entry }) => entry),
    daily: daily.map(({ entry }) => entry),
    batch_id: batchId(request, digest),
  };
  const context: BatchContext = {
    ...request,
    ignored: Object.fromEntries(converted.ignored),
    ...placesOf(lists),
  };
  const decision = decideBatch(body, context, digest);
  if (decision.dead_letters.length > MAX_REFUSED) {
    const first = decision.answer.rejected[0];
    throw new Problem(413, `over ${MAX_REFUSED} entries would be refused, so none was taken: ${first?.detail}`, {
      errors: first ? [{ path: first.path, detail: first.detail }] : [],
    });
  }
  return decision;
};

/** The client's id where it is a UUID: HealthKit's own. */
export const uuidOf = (id: unknown): string | null => (typeof id === "string" && isUuid(id) ? id.toLowerCase() : null);
