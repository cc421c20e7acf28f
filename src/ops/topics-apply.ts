import type { Change, ClusterState, Declared, Plan } from "./topics.ts";
import { planTopics } from "./topics.ts";

type Topics = {
  brokers(): Promise<number>;
  describe(names: readonly string[]): Promise<ClusterState["topics"]>;
  create(
    topics: readonly { name: string; partitions: number; replicas: number; config: Record<string, string> }[],
  ): Promise<void>;
  configure(name: string, overrides: Record<string, string>): Promise<void>;
  ready(partitions: ReadonlyMap<string, number>): Promise<void>;
};
type Subjects<Schema> = {
  subject(subject: string): Promise<{ compatibility: string | null; versions: object[] } | null>;
  accepts(subject: string, schema: Schema): Promise<boolean>;
  setCompatibility(subject: string, mode: string): Promise<void>;
  register(subject: string, schema: Schema, mode: string): Promise<number>;
};
/** Kafka's topics and the registry's subjects. */
export type TopicPorts<Schema> = { topics: Topics; subjects: Subjects<Schema> };

/** Reads the cluster and compares. Changes nothing. */
export async function compare<Schema extends object>(
  ports: TopicPorts<Schema>,
  declared: readonly Declared<Schema>[],
): Promise<Plan<Schema>> {
  const [brokers, topics, subjects] = await Promise.all([
    ports.topics.brokers(),
    ports.topics.describe(declared.map(({ name }) => name)),
    Promise.all(declared.map((topic) => subjectState(ports.subjects, topic))),
  ]);
  return planTopics(declared, { brokers, topics, subjects: new Map(subjects.filter((entry) => entry !== null)) });
}

async function subjectState<Schema>(
  subjects: Subjects<Schema>,
  { subject, schema }: Declared<Schema>,
): Promise<[string, { compatibility: string | null; versions: object[]; accepts: boolean | null }] | null> {
  const state = await subjects.subject(subject);
  if (!state) return null;
  return [subject, { ...state, accepts: await subjects.accepts(subject, schema) }];
}

/** Makes the cluster as planned. A plan with refusals is not carried out at all. Returns once every topic can be written to. */
export async function carryOut<Schema extends object>(
  ports: TopicPorts<Schema>,
  plan: Plan<Schema>,
  done: (change: Change<Schema>) => void = () => undefined,
): Promise<void> {
  if (plan.refusals.length > 0)
    throw new Error(`nothing was changed: ${plan.refusals.map(({ of, reason }) => `${of}: ${reason}`).join("; ")}`);
  const created = plan.changes.filter((change) => change.kind === "create_topic");
  if (created.length > 0) {
    await ports.topics.create(created.map((change) => ({ ...change, name: change.topic })));
    await ports.topics.ready(new Map(created.map((change) => [change.topic, change.partitions])));
    for (const change of created) done(change);
  }
  for (const change of plan.changes) {
    if (change.kind === "create_topic") continue;
    if (change.kind === "configure_topic") await ports.topics.configure(change.topic, change.overrides);
    else if (change.kind === "set_compatibility") await ports.subjects.setCompatibility(change.subject, change.to);
    else await ports.subjects.register(change.subject, change.schema, change.compatibility);
    done(change);
  }
}

/** Compare and carry out: for `serve --setup` and tests. Throws with the reasons when something is refused. */
export async function applyTopics<Schema extends object>(
  ports: TopicPorts<Schema>,
  declared: readonly Declared<Schema>[],
): Promise<Plan<Schema>> {
  const plan = await compare(ports, declared);
  await carryOut(ports, plan);
  return plan;
}
