import { incompatibilities } from "./topics-compatibility.ts";

/** A topic as topics/ and avro/ declare it. */
export type Declared<Schema = object> = {
  name: string;
  subject: string;
  partitions: number;
  config: Record<string, string>;
  compatibility: string;
  schema: Schema;
};
/** What is there. `overrides` are the settings made on the topic itself, `config` what is in force. */
export type ClusterState = {
  brokers: number;
  topics: ReadonlyMap<
    string,
    { partitions: number; replicas: number; overrides: Record<string, string>; config: Record<string, string> }
  >;
  /** `accepts`: the registry's own verdict on the declared schema; null where it was not asked. */
  subjects: ReadonlyMap<string, { compatibility: string | null; versions: object[]; accepts: boolean | null }>;
};

export type Change<Schema = object> =
  | { kind: "create_topic"; topic: string; partitions: number; replicas: number; config: Record<string, string> }
  /** `overrides` is all that will be set on the topic: Kafka replaces them as a whole. */
  | { kind: "configure_topic"; topic: string; differences: Difference[]; overrides: Record<string, string> }
  | { kind: "set_compatibility"; subject: string; from: string | null; to: string }
  | { kind: "register_schema"; subject: string; version: number; compatibility: string; schema: Schema };
export type Difference = { name: string; from: string | null; to: string };
export type Refusal = { of: string; reason: string };
export type Plan<Schema = object> = { changes: Change<Schema>[]; refusals: Refusal[] };

/** What would make the cluster as declared, and what of it must not be done. Pure. */
export function planTopics<Schema extends object>(
  declared: readonly Declared<Schema>[],
  state: ClusterState,
): Plan<Schema> {
  const plan: Plan<Schema> = { changes: [], refusals: [] };
  for (const topic of declared) {
    const wanted = { ...topic.config, ...(state.brokers >= 3 ? { "min.insync.replicas": "2" } : {}) };
    planTopic({ ...topic, config: wanted }, state, plan);
    planSubject(topic, state, plan);
  }
  return plan;
}

function planTopic<Schema>(topic: Declared<Schema>, state: ClusterState, plan: Plan<Schema>): void {
  const { name, partitions, config } = topic;
  const there = state.topics.get(name);
  const replicas = state.brokers >= 3 ? 3 : 1;
  if (!there) {
    plan.changes.push({ kind: "create_topic", topic: name, partitions, replicas, config });
    return;
  }
  const refuse = (reason: string) => plan.refusals.push({ of: name, reason });
  if (there.partitions !== partitions)
    refuse(
      `it has ${there.partitions} topic partitions and ${partitions} are declared: another count would move athletes ` +
        "to other topic partitions, away from their earlier records; declare a new topic and move to it",
    );
  const differences = Object.entries(config)
    .map(([name, to]) => ({ name, from: there.config[name] ?? null, to }))
    .filter(({ from, to }) => from !== to);
  const reasons = differences.map(destructive).filter((reason) => reason !== null);
  for (const reason of reasons) refuse(reason);
  if (differences.length > 0 && reasons.length === 0)
    plan.changes.push({
      kind: "configure_topic",
      topic: name,
      differences,
      overrides: { ...there.overrides, ...config },
    });
}

/** Settings whose decrease removes records, or the time to read them. */
const KEEPING = new Set(["retention.ms", "retention.bytes", "delete.retention.ms", "min.insync.replicas"]);

function destructive({ name, from, to }: Difference): string | null {
  if (from === null) return null;
  if (name === "cleanup.policy")
    return `cleanup.policy would change from ${from} to ${to}, which removes records for good; declare a new topic instead`;
  if (name === "message.timestamp.type")
    return `message.timestamp.type would change from ${from} to ${to}: windows close by broker time, and the log would mix both`;
  if (KEEPING.has(name) && amount(to) < amount(from))
    return `${name} would be lowered from ${from} to ${to}, which removes what consumers may still need; change it by hand if that is meant`;
  return null;
}

/** −1 is no limit. */
const amount = (text: string): number => (text === "-1" ? Infinity : Number(text));

function planSubject<Schema extends object>(topic: Declared<Schema>, state: ClusterState, plan: Plan<Schema>): void {
  const { subject, schema, compatibility } = topic;
  const there = state.subjects.get(subject);
  const versions = there?.versions ?? [];
  const mode = there?.compatibility ?? null;
  const text = canonical(schema);
  const known = versions.some((version) => canonical(version) === text);
  if (!known) {
    const reasons = incompatibilities(compatibility, schema, versions);
    // The registry judges by the mode that is set now: its verdict counts where that is the declared one.
    if (reasons.length === 0 && there?.accepts === false && mode === compatibility)
      reasons.push("the registry calls it incompatible and does not say why");
    if (reasons.length > 0) {
      for (const reason of reasons) plan.refusals.push({ of: subject, reason });
      return;
    }
  }
  if (mode !== compatibility) plan.changes.push({ kind: "set_compatibility", subject, from: mode, to: compatibility });
  if (!known)
    plan.changes.push({ kind: "register_schema", subject, version: versions.length + 1, compatibility, schema });
}

/** The same text for the same schema, whatever the order in which its attributes were written. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}
