import type { Stored, TopicRecord } from "./stored.ts";
import type { Verdict, Violation } from "./verdict.ts";

const day = (text: string): number => Math.round(Date.parse(`${text}T00:00:00Z`) / 86_400_000);

type Named = { object_key: string; bytes: number; content_hash: string; row_count: number };
const ofPointer = (id: string, pointer: Named, stored: Stored): Violation[] => {
  const found = stored.objects.get(pointer.object_key);
  if (!found) return [{ kind: "pointer to nothing", id, detail: pointer.object_key }];
  const wrong = [
    ...(found.bytes === pointer.bytes ? [] : ["bytes"]),
    ...(found.content_hash === pointer.content_hash ? [] : ["content_hash"]),
    ...(found.readable && found.rows === pointer.row_count ? [] : ["row_count"]),
  ];
  if (wrong.length === 0) return [];
  return [
    { kind: "different object", id, detail: `${wrong.join(", ")} of ${pointer.object_key} not as the pointer says` },
  ];
};

/** Objects that no pointer names are the sweeper's; after its grace they must be gone. */
const orphans = (stored: Stored, graceMs: number): Violation[] => {
  const pointed = new Set([...stored.pointers, ...stored.sleepPointers].map((p) => p.object_key));
  return stored.listed
    .filter((o) => !pointed.has(o.key) && stored.now - (stored.intents.get(o.key) ?? o.modified_at) > graceMs)
    .map((o) => ({
      kind: "orphan",
      id: o.key,
      detail: stored.intents.has(o.key) ? "its intent is older than the grace" : "no pointer, no intent",
    }));
};

/** The last record a key, which compaction would leave. A key in two topic partitions has no last record. */
export const lastPerKey = (records: readonly TopicRecord[]): { last: Map<string, TopicRecord>; split: string[] } => {
  const last = new Map<string, TopicRecord>();
  const split = new Set<string>();
  for (const record of records) {
    const key = record.key ?? "";
    const had = last.get(key);
    if (had && had.topic_partition !== record.topic_partition) split.add(key);
    if (!had || record.offset > had.offset) last.set(key, record);
  }
  return { last, split: [...split] };
};

type Table = Map<string, Record<string, unknown>>;

const sorted = (value: unknown): unknown =>
  value === null || typeof value !== "object"
    ? value
    : Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, inner]) => [name, sorted(inner)]);

/** Scalars as they are; an object, or JSON text of one, as text with sorted keys. */
const plain = (value: unknown): unknown => {
  const inner: unknown = typeof value === "string" && value.startsWith("{") ? JSON.parse(value) : value;
  return inner !== null && typeof inner === "object" ? JSON.stringify(sorted(inner)) : inner;
};

const against = (topic: string, records: readonly TopicRecord[], table: Table): Violation[] => {
  const { last, split } = lastPerKey(records);
  const out: Violation[] = split.map((id) => ({ kind: "key in two topic partitions", id, detail: topic }));
  for (const [id, row] of table) {
    const value = last.get(id)?.value;
    if (!value) {
      out.push({
        kind: "topic lags",
        id,
        detail: `${topic} ${last.has(id) ? "ends in a tombstone" : "has no record"}`,
      });
      continue;
    }
    const wrong = Object.keys(row).filter((field) => plain(row[field]) !== plain(value[field]));
    if (wrong.length > 0) {
      const values = wrong.map((f) => `${f}: ${String(value[f])} ≠ ${String(row[f])}`).join("; ");
      out.push({ kind: "topic lags", id, detail: `${topic}: ${wrong.join(", ")} differ from the table`, values });
    }
  }
  for (const [id, record] of last) {
    if (record.value && !table.has(id))
      out.push({ kind: "no tombstone", id, detail: `${topic}, but not in the table` });
  }
  return out;
};

const metricTable = (stored: Stored): Table =>
  new Map(
    stored.metrics.map((m) => [`${m.athlete_id}|${m.date}|${m.metric}|${m.source}`, { ...m, date: day(m.date) }]),
  );
const pointerTable = (stored: Stored): Table =>
  new Map(
    stored.pointers.map((p) => [
      `${p.athlete_id}|${p.period_start}`,
      { ...p, period_start: day(p.period_start), period_end: day(p.period_end) },
    ]),
  );

const sessionTable = (stored: Stored): Table =>
  new Map(stored.sessions.map((s) => [`${s.athlete_id}|${s.session_id}`, { ...s, date: day(s.date) }]));

/** I6: pointers and objects agree, orphans are gone after `graceMs`, the compacted topics end in the tables. */
export const checkPointers = (stored: Stored, graceMs: number): Verdict => {
  const compacted = [
    ["metrics", metricTable(stored)],
    ["day-partitions", pointerTable(stored)],
    ["sleep-sessions", sessionTable(stored)],
  ] as const;
  const violations = [
    ...stored.pointers.flatMap((p) => ofPointer(`${p.athlete_id} ${p.period_start}`, p, stored)),
    ...stored.sleepPointers.flatMap((p) => ofPointer(`${p.athlete_id} ${p.session_id}`, p, stored)),
    ...orphans(stored, graceMs),
  ];
  let [topics, records] = [0, 0];
  for (const [topic, table] of compacted) {
    const found = stored.topics.get(topic);
    if (!found) {
      violations.push({ kind: "topic missing", id: topic, detail: "cannot be compared" });
      continue;
    }
    topics += 1;
    records += found.length;
    violations.push(...against(topic, found, table));
  }
  if (stored.outbox > 0) violations.push({ kind: "not quiet", id: "outbox", detail: `${stored.outbox} rows unsent` });
  return {
    invariant: "I6",
    checked: {
      pointers: stored.pointers.length + stored.sleepPointers.length,
      objects: stored.listed.length,
      topics,
      "topic records": records,
    },
    violations,
  };
};
