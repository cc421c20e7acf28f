import { beforeEach } from "vitest";
import { editRoutes } from "../../src/edits/routes.ts";
import { settingsRoutes } from "../../src/edits/settings.ts";
import { topicNames } from "../../src/flow/topics.ts";
import { isTransient } from "../../src/io/postgres.ts";
import { type Answer, openEdge, tokenFor } from "./ingest/edge.ts";
import type { Bench } from "./windows/bench.ts";

export type EditRow = {
  value: number | null;
  unit: string;
  locked: boolean;
  synced_value: number | null;
  revision: number;
} & Record<string, unknown>;

/** The edit routes over HTTP beside a windows stage, for the athlete of `test/support/windows/samples.ts`. */
export const openEdits = async (bench: Bench) => {
  const deps = { db: bench.db, clock: { now: () => bench.now }, topic: topicNames(), isTransient };
  const edge = await openEdge([...editRoutes(deps), ...settingsRoutes(deps)]);
  const authorization = `Bearer ${await tokenFor({ athletes: ["anna"], scopes: ["write"], subject: "coach" })}`;
  beforeEach(() => bench.db.query("truncate metric_edits, settings_edits"));
  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    edge.ask(`/v1/athletes/${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return {
    ...edge,
    send,
    /** A request that must succeed; answers its body. */
    done: async (method: string, path: string, body?: unknown): Promise<EditRow> => {
      const answer = await send(method, `anna/${path}`, body);
      if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body as EditRow;
    },
    history: () =>
      bench.db.query<{ action: string; actor: string; before: EditRow | null; after: EditRow | null }>(
        `select action, actor, date, metric, source, before, after, revision from metric_edits order by id`,
      ),
    version: async (): Promise<number> => {
      const [row] = await bench.db.query<{ version: number }>(`select version from athletes where athlete_id = 'anna'`);
      return row?.version ?? 0;
    },
    events: (metric: string) =>
      bench.db.query<{ key: string; value: EditRow | null; headers: Record<string, string> }>(
        `select key, value, headers from outbox where topic = $1 and key like $2 order by id`,
        [topicNames()("metrics"), `%|${metric}|%`],
      ),
  };
};
