import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, setUp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { quantile, type Spread, spreadOf } from "./figures.ts";
import { measure } from "./measure.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { startProbes } from "./probe.ts";
import { inService } from "./served.ts";

export type ClientsBench = { records: number; rounds: number; seconds: number; stack: string | undefined; say: Say };
export type ClientRow = {
  what: string;
  client: string;
  rate: Spread | null;
  cpu_us: Spread | null;
  ms: Latency | null;
  peak_mb: number;
};
export type Latency = { p50: number; p99: number; max: number };

const CLIENTS = ["kafkajs", "platformatic"] as const;
const CHILD = join(import.meta.dirname, `clients-child${extname(import.meta.filename)}`);
const PARTITIONS = 6;
const EVERY_MS = 100;

type Taken = { seconds: number; cpu_us: number; records: number; peak_mb: number };
const now = (): number => performance.timeOrigin + performance.now();
const latency = (ms: readonly number[]): Latency => ({
  p50: quantile(ms, 0.5),
  p99: quantile(ms, 0.99),
  max: Math.max(...ms),
});

const makeTopic = async ({ env }: Place, name: string): Promise<string> => {
  const topics = connect(readConfig(env), "bench").kafka.topics();
  const topic = `${env["TOPIC_PREFIX"]}${name}`;
  const config = { "compression.type": "zstd", "message.timestamp.type": "LogAppendTime" };
  await topics.create([{ name: topic, partitions: PARTITIONS, replicas: 1, config }]);
  await topics.ready(new Map([[topic, PARTITIONS]]));
  return topic;
};

/** Rounds of both in turn, each in a new process; the first goes first as often as the second. */
const inTurn = async (
  { env, say }: Place,
  what: string,
  bench: ClientsBench,
  args: (client: string, round: number) => Promise<string[]>,
): Promise<ClientRow[]> => {
  const taken = new Map<string, Taken[]>(CLIENTS.map((client) => [client, []]));
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const client of round % 2 === 0 ? CLIENTS : CLIENTS.toReversed()) {
      const argv = [CHILD, ...(await args(client, round))];
      const { stdout } = await measure(argv, { ...env, KAFKA_CLIENT: client });
      taken.get(client)?.push(JSON.parse(stdout) as Taken);
    }
    say(`${what}: round ${round + 1} of ${bench.rounds}`);
  }
  return [...taken].map(([client, all]) => ({
    what,
    client,
    rate: spreadOf(all.map(({ records, seconds }) => records / seconds)),
    cpu_us: spreadOf(all.map(({ cpu_us }) => cpu_us)),
    ms: null,
    peak_mb: Math.max(...all.map(({ peak_mb }) => peak_mb)),
  }));
};

type Arrival = { at: number; sent: number };

/** A follower at the end of a topic that now and then gets a record; what it says it has seen. */
const follow = (env: NodeJS.ProcessEnv, topic: string, group: string) => {
  const child = spawn(process.execPath, [CHILD, "follow", topic, group], { env, stdio: ["ignore", "pipe", "inherit"] });
  const seen: Arrival[] = [];
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => {
    const lines = (text + bytes.toString()).split("\n");
    text = lines.pop() ?? "";
    seen.push(...lines.map((line) => JSON.parse(line) as Arrival));
  });
  return { seen, kill: () => void child.kill("SIGKILL") };
};

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await sleep(5);
};

const rowsOf = (what: string, of: ReadonlyMap<string, number[]>): ClientRow[] =>
  [...of].map(([client, ms]) => ({ what, client, rate: null, cpu_us: null, ms: latency(ms), peak_mb: 0 }));

/** Idle: a record every 100 ms from its send to its member; then the member is killed and another one started at once. */
const arrivals = async (place: Place, bench: ClientsBench): Promise<ClientRow[]> => {
  const idle = new Map<string, number[]>(CLIENTS.map((client) => [client, []]));
  const gaps = new Map<string, number[]>(CLIENTS.map((client) => [client, []]));
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const client of round % 2 === 0 ? CLIENTS : CLIENTS.toReversed()) {
      const env = { ...place.env, KAFKA_CLIENT: client };
      const topic = await makeTopic(place, `idle-${client}-${round}`);
      const producer = connect(readConfig(env), "bench").kafka.producer();
      const ticking = setInterval(() => {
        const headers = { at: String(now()) };
        void producer.send([{ topic, key: "athlete", value: Buffer.from("x"), headers }]).catch(() => undefined);
      }, EVERY_MS);
      const first = follow(env, topic, topic);
      await until(() => first.seen.length > 20);
      const from = first.seen.length;
      await sleep(bench.seconds * 1000);
      idle.get(client)?.push(...first.seen.slice(from).map(({ at, sent }) => at - sent));
      const killed = now();
      first.kill();
      const second = follow(env, topic, topic);
      await until(() => second.seen.length > 0);
      gaps.get(client)?.push((second.seen[0]?.at ?? Number.NaN) - killed);
      second.kill();
      clearInterval(ticking);
      await producer.close();
    }
    place.say(`idle and killed: round ${round + 1} of ${bench.rounds}`);
  }
  return [...rowsOf("send to member, idle", idle), ...rowsOf("lone member killed, next record", gaps)];
};

/** The whole service: POST to visible in `today`, two samples a second and nothing else to do. */
const visible = async (place: Place, { rounds, seconds }: ClientsBench): Promise<ClientRow[]> => {
  const rows = new Map<string, ClientRow>();
  await setUp(connect(readConfig(place.env), "bench"), () => undefined);
  for (let round = 0; round < Math.min(rounds, 2); round += 1) {
    for (const client of round % 2 === 0 ? CLIENTS : CLIENTS.toReversed()) {
      const [seen] = await inService({ ...place, env: { ...place.env, KAFKA_CLIENT: client } }, async ({ target }) => {
        const probes = startProbes(target, { a_second: 2, athletes: 4 });
        probes.phase("warm");
        await sleep(10_000);
        probes.phase(client);
        await sleep(seconds * 1000);
        return (await probes.stop()).slice(1);
      });
      if (!seen) continue;
      const what = "POST to visible, idle";
      const best = rows.get(client)?.ms;
      const ms = best && best.p50 < seen.p50 ? best : { p50: seen.p50, p99: seen.p99, max: seen.max };
      rows.set(client, { what, client, rate: null, cpu_us: null, ms, peak_mb: 0 });
      place.say(`${what}: ${client} ${Math.round(seen.p50)} ms`);
    }
  }
  return CLIENTS.flatMap((client) => rows.get(client) ?? []);
};

/** Both clients behind the Kafka port (docs/adr/0025), in processes of the same shape, in turn. */
export const benchClients = (bench: ClientsBench): Promise<ClientRow[]> =>
  inPlace(bench, async (place) => {
    const { records } = bench;
    const rows: ClientRow[] = [];
    for (const aSend of [1, 10, 100]) {
      const topic = await makeTopic(place, `produce-${aSend}`);
      const count = String(aSend === 1 ? Math.ceil(records / 5) : records);
      const args = async () => ["produce", topic, count, String(aSend)];
      rows.push(...(await inTurn(place, `produce, ${aSend} a send`, bench, args)));
    }
    const full = `${place.env["TOPIC_PREFIX"]}produce-100`;
    rows.push(...(await inTurn(place, "consume", bench, async () => ["consume", full, String(records)])));
    rows.push(...(await arrivals(place, bench)), ...(await visible(place, bench)));
    return rows;
  });
