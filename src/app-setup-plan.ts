import type { Connections } from "./app.ts";
import { statusOf } from "./io/objects-errors.ts";
import { openDatabase } from "./io/postgres.ts";
import { migrate } from "./ops/migrate.ts";
import { compare } from "./ops/topics-apply.ts";
import { sentence } from "./ops/topics-command.ts";

/** What `serve --setup` would do; `refused` keeps it from starting. */
export type SetupPlan = { topics: string[]; refused: string[]; migrations: string[]; bucket: string | null };

const missingMigrations = async ({ config }: Connections): Promise<string[]> => {
  const db = openDatabase({ url: config.databaseUrl, max: 1 });
  try {
    return (await migrate(db, { dryRun: true })).applied;
  } finally {
    await db.close();
  }
};

/** The bucket's name where there is none yet. */
const missingBucket = async ({ config, openObjects }: Connections): Promise<string | null> => {
  const objects = openObjects();
  try {
    for await (const _ of objects.list("health_streams/")) break;
    return null;
  } catch (error) {
    if (statusOf(error) === 404) return config.objects.bucket;
    throw error;
  } finally {
    objects.close();
  }
};

/** Looks and changes nothing. Throws where something is away. */
export const planSetUp = async (connections: Connections): Promise<SetupPlan> => {
  const { kafka, registry, declared } = connections;
  const { changes, refusals } = await compare({ topics: kafka.topics(), subjects: registry }, declared);
  const refused = refusals.map(({ of, reason }) => `${of}: ${reason}`);
  const [migrations, bucket] = [await missingMigrations(connections), await missingBucket(connections)];
  return { topics: changes.map(sentence), refused, migrations, bucket };
};

/** For `serve --setup --dry-run`. */
export const setupPlanText = ({ topics, refused, migrations, bucket }: SetupPlan): string => {
  const lines = [
    ...topics.map((text) => `would ${text}`),
    ...migrations.map((name) => `would apply ${name}`),
    ...(bucket === null ? [] : [`would create the bucket ${bucket}`]),
    ...refused.map((text) => `refused: ${text}`),
  ];
  return lines.length === 0 ? "everything is set up" : lines.join("\n");
};
