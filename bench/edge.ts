import { extname, join } from "node:path";
import { connect, type Connections } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { mintToken } from "../src/ops/token.ts";
import { type Body, bodiesFrom, NOTHING, sumOf } from "./edge-bodies.ts";
import { type Contender, contendersFor, type Took } from "./edge-contenders.ts";
import { endsOf, rangesBetween, readBack, recordsIn, type Run } from "./edge-proof.ts";
import { type Spread, spreadOf } from "./figures.ts";
import { listening } from "./listening.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { UNLIMITED } from "./served.ts";
import { MAIN } from "./worker.ts";

export type EdgeBench = {
  /** Folder with the jars of Kafka's own producer-perf-test; absent: without it. */
  jars?: string;
  samples: number;
  rounds: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};

/**
 * `cpu_us` a sample is CPU seconds a million samples. `records` of one round; `lost` is how many of what was sent in all
 * rounds the log does not hold (negative: more than once), `as_sent` whether the checksum says that it holds just that.
 */
export type EdgeRow = {
  size: number;
  what: string;
  samples_s: Spread;
  cpu_us: Spread;
  peak_mb: number;
  records: number;
  lost: number;
  as_sent: boolean;
};

const SIZES = [1, 100, 1000];
/** Bodies of one sample cost a request each: of those fewer are sent. */
const MOST_BODIES = 2000;

type Lap = { took: Took; run: Run };
type Cell = { contenders: readonly Contender[]; size: number; rounds: number; connections: Connections };

const lap = async (connections: Connections, { what, topics, sent, read, run }: Contender): Promise<Lap> => {
  const before = await endsOf(connections, topics);
  const took = await run();
  return { took, run: { what, sent, read, ranges: rangesBetween(before, await endsOf(connections, topics)) } };
};

const rowOf = async (
  { size, connections }: Cell,
  { what, samples }: Contender,
  laps: readonly Lap[],
): Promise<EdgeRow> => {
  const runs = laps.map(({ run }) => run);
  const stands = await readBack(connections, `proof-${size}-${what.replaceAll(/\W+/g, "-")}`, runs);
  const [sent, found] = [sumOf(runs.map((run) => run.sent)), sumOf(stands.values())];
  const unchanged = runs.every((run) => (stands.get(run) ?? NOTHING).checksum === run.sent.checksum);
  return {
    size,
    what,
    samples_s: spreadOf(laps.map(({ took }) => samples / took.seconds)),
    cpu_us: spreadOf(laps.map(({ took }) => (took.cpu_s * 1e6) / samples)),
    peak_mb: Math.max(...laps.map(({ took }) => took.peak_mb)),
    records: recordsIn(runs.at(-1)?.ranges ?? []),
    lost: sent.count - found.count,
    as_sent: unchanged && sent.count === found.count,
  };
};

/** Rounds of all in turn; only then is read back what they left, so that reading costs none of them anything. */
const interleaved = async (cell: Cell): Promise<EdgeRow[]> => {
  const { contenders, rounds, connections } = cell;
  const laps = new Map<Contender, Lap[]>(contenders.map((contender) => [contender, []]));
  for (const { warm } of contenders) await warm();
  for (let round = 0; round < rounds; round += 1) {
    // Each goes first as often as the others.
    const order = contenders.map((_, at) => contenders[(at + round) % contenders.length] as Contender);
    for (const contender of order) laps.get(contender)?.push(await lap(connections, contender));
  }
  const rows: EdgeRow[] = [];
  for (const [contender, all] of laps) rows.push(await rowOf(cell, contender, all));
  return rows;
};

const measureAll = async ({ env, say }: Place, bench: EdgeBench): Promise<EdgeRow[]> => {
  const { samples, rounds, seed, jars } = bench;
  const edge = await listening([MAIN, "serve", "--roles", "edge", "--setup"], { ...env, ...UNLIMITED });
  const naive = await listening([join(import.meta.dirname, `edge-naive${extname(import.meta.filename)}`)], env);
  const connections = connect(readConfig(env), "bench");
  const producer = connections.kafka.producer();
  try {
    const scopes = ["ingest"] as const;
    const token = await mintToken({ secret: env["AUTH_SECRET"] ?? "", athletes: "*", scopes, ttl: 86_400 });
    const bodiesOf = bodiesFrom(seed, connections.clock.now());
    const contest = { connections, producer, edge, naive, token, ...(jars === undefined ? {} : { jars }) };
    const rows: EdgeRow[] = [];
    for (const size of SIZES) {
      const bodies: Body[] = bodiesOf(size, Math.min(MOST_BODIES, Math.ceil(samples / size)));
      say(`bodies of ${size}: ${bodies.length}, ${rounds} rounds`);
      const contenders = await contendersFor(contest, bodies);
      rows.push(...(await interleaved({ contenders, size, rounds, connections })));
    }
    return rows;
  } finally {
    await producer.close();
    for (const child of [edge, naive]) child.stop();
  }
};

/** B1: JSON, checked, Avro, acknowledged by all replicas, in bodies of 1, 100 and 1,000 samples. Rounds are interleaved. */
export const benchEdge = (bench: EdgeBench): Promise<EdgeRow[]> => inPlace(bench, (place) => measureAll(place, bench));
