import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { random } from "../../bench/generator/random.ts";
import { SEED, slices } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { openService, type Service } from "../support/service/service.ts";
import type { LedgerLine } from "../support/audit/ledger.ts";
import { withClient } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("query-during-panes");
const RANGE = "from=2026-09-01&to=2026-09-05&resolution=raw&limit=50000";
/** The point's last column (src/query/samples-answer.ts, documented in /openapi.json). */
const ID = 4;

type Answer = { points: unknown[][] };

const ask = async (service: Service, athlete: string, metric: string): Promise<string[] | null> => {
  const url = `${service.url}/v1/athletes/${athlete}/samples?metric=${metric}&${RANGE}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${service.token}` } });
  if (answer.status === 503) return null;
  if (answer.status !== 200) throw new Error(`the api answers ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as Answer).points.map((point) => String(point[ID]));
};

const LOCKED = 123_456;

/** A person's hand on a day that later panes will write again (I7); the athlete's version says that something changed. */
const lockSteps = async (athlete_id: string): Promise<LedgerLine> => {
  const date = "2026-09-02";
  await withClient(here.databaseUrl, async (client) => {
    await client.query("begin");
    await client.query("update athletes set version = version + 1 where athlete_id = $1", [athlete_id]);
    const { rowCount } = await client.query(
      `update athlete_metrics set locked = true, synced_value = value, value = $3
       where athlete_id = $1 and date = $2 and metric = 'steps' and source = 'derived'`,
      [athlete_id, date, LOCKED],
    );
    await client.query("commit");
    expect(rowCount).toBe(1);
  });
  return { kind: "lock", athlete_id, date, metric: "steps", source: "derived", value: LOCKED };
};

test(
  `a query in a loop while panes fire never shows a gap or a double (I8), and a locked value stays (I7, seed ${SEED})`,
  async () => {
    const plan = { seed: SEED, athletes: 1, days: 4, firstDate: "2026-09-01", size: 40, density: 0.6 };
    // Nothing is deleted or replaced here, so what was seen once must be seen for ever.
    const all = sendings(plan).map(({ athlete_id, body }) => {
      const samples = body.samples.filter((s) => s.metadata["HKMetadataKeySyncIdentifier"] === undefined);
      return { athlete_id, body: { ...body, samples, deleted: [] } };
    });
    const parts = slices(random(SEED, "order").shuffled(all), 6);
    const athlete = all[0]?.athlete_id ?? "";
    const service = await openService(here);
    const counts = { queries: 0, again: 0 };
    const ending = new AbortController();
    const watch = async (metric: string): Promise<Set<string>> => {
      let seen = new Set<string>();
      while (!ending.signal.aborted) {
        const ids = await ask(service, athlete, metric);
        if (ids === null) {
          counts.again += 1;
          continue;
        }
        const now = new Set(ids);
        expect(ids.length, "a double").toBe(now.size);
        expect(
          [...seen].filter((id) => !now.has(id)),
          "a gap",
        ).toEqual([]);
        seen = now;
        counts.queries += 1;
        await sleep(5);
      }
      return seen;
    };
    try {
      service.worker();
      const watching = Promise.all(["heart_rate", "steps"].map(watch));
      for (const [i, part] of parts.entries()) {
        await sendAll(service, part);
        await service.wait();
        if (i === 0) service.client.ledger.push(await lockSteps(athlete));
      }
      ending.abort();
      const seen = (await watching).map((ids) => ids.size);
      const { report } = await service.audit();
      expect(report).not.toContain("FAIL");
      const accepted = new Set(
        service.client.ledger.flatMap((l) => (l.kind === "sample" && l.fate === "accepted" ? [l.sample_id] : [])),
      );
      expect(seen[0] ?? 0).toBeGreaterThan(100);
      expect((seen[0] ?? 0) + (seen[1] ?? 0)).toBe(accepted.size);
      expect(counts.queries).toBeGreaterThan(50);
    } finally {
      ending.abort();
      await service.close();
    }
  },
  5 * 60_000,
);
