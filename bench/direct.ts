import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Database } from "../src/flow/ports.ts";
import { quantile } from "./figures.ts";

export type Direct = { phase: string; n: number; p50: number; p99: number; max: number };

/** The peer of freshness: a row inserted and read back, in the same Postgres, as often as samples are looked for. */
export const startDirect = async (db: Database, a_second: number) => {
  await db.query(`create table bench_direct (like health_samples_staging including all)`);
  const took = new Map<string, number[]>();
  const underWay = new Set<Promise<void>>();
  let phase = "";
  const once = async (): Promise<void> => {
    const into = took.get(phase);
    const [began, id, athlete] = [performance.now(), randomUUID(), `direct-${Math.floor(Math.random() * 8)}`];
    await db.query(
      `insert into bench_direct (athlete_id, sample_id, metric, start_at, end_at, value, unit, source, tz, local_date,
         received_at, rev) values ($1, $2, 'heart_rate', now(), now(), $3, 'count/min', 'Watch', 'Etc/UTC', now()::date, now(), 1)`,
      [athlete, id, 55 + Math.random() * 60],
    );
    const seen = await db.query(`select value from bench_direct where athlete_id = $1 and sample_id = $2`, [
      athlete,
      id,
    ]);
    if (seen.length === 1) into?.push(performance.now() - began);
  };
  const timer = setInterval(() => {
    const one = once().finally(() => underWay.delete(one));
    underWay.add(one);
  }, 1000 / a_second);
  return {
    phase: (name: string): void => {
      phase = name;
      took.set(name, []);
    },
    stop: async (): Promise<Direct[]> => {
      clearInterval(timer);
      await Promise.all(underWay);
      return [...took].map(([name, ms]) => ({
        phase: name,
        n: ms.length,
        p50: quantile(ms, 0.5),
        p99: quantile(ms, 0.99),
        max: Math.max(...ms),
      }));
    },
  };
};
