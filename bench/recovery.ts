import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import type { Database } from "../src/flow/ports.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { bodyOfNow, startLoad } from "./load.ts";
import { SAMPLES_A_DAY, caughtUp, fillLog } from "./log.ts";
import type { Timed } from "./pass.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { type Service, inService } from "./served.ts";
import { stageAll } from "./stage-all.ts";

export type RecoveryBench = { athletes: number; kills: number; seed: number; stack: string | undefined; say: Say };
export type RecoveryFigures = {
  athletes: number;
  /** Samples that they record in an hour. */
  hour: number;
  drain: Timed;
  /** How many times as fast as it came. */
  real_time: number;
  back_s: Spread;
};

const HOURS_A_DAY = 24;
const BODIES_A_SECOND = 10;
const SAMPLES = 5;
const ATHLETES = 32;
const SETTLE_MS = 5_000;
const EVERY_MS = 20;
const PATIENCE_MS = 120_000;

const committed = async (db: Database): Promise<number> => {
  const [row] = await db.query<{ n: number }>(
    `select coalesce(sum(greatest(position, 0)), 0)::float8 as n from consumer_offsets where group_id = 'staging'`,
  );
  return row?.n ?? 0;
};

/** The process of the worker that stages live samples. */
const stagingPid = ({ served }: Service): number => {
  const live = [...served.workers].find(([name]) => name.includes("live"));
  if (!live) throw new Error(`no worker stages live samples among ${[...served.workers.keys()].join(", ")}`);
  return live[1];
};

/** Seconds from SIGKILL until a position moves again, while samples come in. */
const killed = async (service: Service): Promise<number> => {
  process.kill(stagingPid(service), "SIGKILL");
  const began = performance.now();
  const before = await committed(service.db);
  while ((await committed(service.db)) <= before) {
    if (performance.now() - began > PATIENCE_MS) throw new Error("nothing was committed for two minutes after a kill");
    await sleep(EVERY_MS);
  }
  return (performance.now() - began) / 1000;
};

const kills = (bench: RecoveryBench, place: Place): Promise<{ took: number[]; samples: number }> =>
  inService(place, async (service) => {
    const load = startLoad(service.target, BODIES_A_SECOND, (n) => bodyOfNow(`load-${n % ATHLETES}`, SAMPLES));
    await sleep(SETTLE_MS);
    const took: number[] = [];
    for (let n = 0; n < bench.kills; n += 1) {
      took.push(await killed(service));
      bench.say(`killed: back after ${took.at(-1)?.toFixed(1)} s`);
      await sleep(SETTLE_MS);
    }
    const { samples } = await load.stop();
    await caughtUp(service.connections, service.db);
    return { took, samples };
  });

const run = async (bench: RecoveryBench, place: Place): Promise<RecoveryFigures> => {
  const connections = connect(readConfig(place.env), "bench");
  await setUp(connections, () => undefined);
  const db = connections.openDatabase(2);
  try {
    const hour = Math.round((bench.athletes * SAMPLES_A_DAY) / HOURS_A_DAY);
    const log = await fillLog(connections, { rows: hour, days: 1, seed: bench.seed, say: bench.say });
    const drain = await stageAll(place.env, db, log);
    const { took, samples } = await kills(bench, place);
    const [row] = await db.query<{ n: number }>(
      `select (select count(*) from health_samples_staging)::float8
         + (select coalesce(sum(row_count), 0) from health_streams)::float8 as n`,
    );
    const sent = log.rows + samples;
    if ((row?.n ?? 0) < sent) throw new Error(`${sent} samples were acknowledged, ${row?.n} rows stand`);
    const real_time = 3600 / ((drain.seconds * hour) / drain.rows);
    return { athletes: bench.athletes, hour, drain, real_time, back_s: spreadOf(took) };
  } finally {
    await db.close();
  }
};

/** B9: an hour of many athletes' samples that waited in the topic; and a killed worker until its next commit. */
export const benchRecovery = (bench: RecoveryBench): Promise<RecoveryFigures> =>
  inPlace(bench, (place) => run(bench, place));

export const recoveryText = ({ athletes, hour, drain, real_time, back_s }: RecoveryFigures): string =>
  [
    `an hour of ${athletes.toLocaleString("en")} athletes, ${hour.toLocaleString("en")} samples: ` +
      `${(drain.rows / drain.seconds).toFixed(0)} rows/s, ${real_time.toFixed(0)} × real time (goal 5)`,
    `killed until the first commit: ${back_s.median.toFixed(1)} s (${back_s.min.toFixed(1)}–${back_s.max.toFixed(1)}; goal 10)`,
  ].join("\n");
