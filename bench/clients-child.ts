import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { connect } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { usageOf } from "./measure.ts";

// One client in a process of its own: KAFKA_CLIENT says which. `produce TOPIC RECORDS A-SEND`, `consume TOPIC RECORDS`, `follow TOPIC GROUP`.
const [mode = "", topic = "", ...rest] = process.argv.slice(2);
const { kafka } = connect(readConfig(process.env), "bench");
const AT_ONCE = 16;

const now = (): number => performance.timeOrigin + performance.now();
const cpu = (): number => process.cpuUsage().user + process.cpuUsage().system;
const say = (figures: object): void => void process.stdout.write(`${JSON.stringify(figures)}\n`);

/** 2 KB of which zstd saves about half, as of encoded chunks. */
const value = (): Buffer => Buffer.from(randomBytes(1024).toString("hex"));

const produce = async (records: number, aSend: number): Promise<void> => {
  const producer = kafka.producer();
  const values = Array.from({ length: 256 }, value);
  let sent = 0;
  const next = () => ({ topic, key: `athlete-${sent % 97}`, value: values[(sent += 1) % values.length] ?? null });
  const until = async (all: number): Promise<void> => {
    for (let left = all - sent; left > 0; left = all - sent) {
      await producer.send(Array.from({ length: Math.min(aSend, left) }, next));
    }
  };
  const together = (all: number) => Promise.all(Array.from({ length: AT_ONCE }, () => until(all)));
  const warm = Math.ceil(records / 10);
  await together(warm);
  const [started, busy] = [now(), cpu()];
  await together(warm + records);
  const done = { seconds: (now() - started) / 1000, cpu_us: (cpu() - busy) / records };
  await producer.close();
  say({ ...done, records, peak_mb: usageOf(process.pid)?.peak_mb ?? 0 });
};

type Seen = { records: number; sent: number | null };

/** Reads as the runner does: a batch is handed off, its topic partition paused, and taken up again after it. */
const read = async (group: string, seen: (batch: Seen) => void): Promise<() => Promise<void>> => {
  const member = kafka.consumer({ group, topics: [topic] });
  await member.start({
    assigned: (partitions) => {
      for (const at of partitions) member.seek(at, 0);
      member.resume(partitions);
    },
    batch: (batch) => {
      member.pause([batch]);
      const last = batch.records.at(-1);
      seen({ records: batch.records.length, sent: Number(last?.headers["at"] ?? Number.NaN) });
      setImmediate(() => {
        member.seek(batch, (last?.offset ?? -1) + 1);
        member.resume([batch]);
      });
    },
    suspect: () => undefined,
    fetched: () => undefined,
    crashed: (error) => {
      throw error;
    },
  });
  return () => member.stop();
};

const consume = async (records: number): Promise<void> => {
  let [count, first, started, busy] = [0, 0, 0, 0];
  const stop = await new Promise<() => Promise<void>>((resolve, reject) => {
    const stopping = read(`${topic}-${process.pid}`, (batch) => {
      if (count === 0) [first, started, busy] = [batch.records, now(), cpu()];
      count += batch.records;
      if (count >= records) resolve(() => stopping.then((end) => end()));
    });
    stopping.catch(reject);
  });
  const all = count - first;
  say({
    seconds: (now() - started) / 1000,
    cpu_us: (cpu() - busy) / all,
    records: all,
    peak_mb: usageOf(process.pid)?.peak_mb ?? 0,
  });
  await stop();
};

if (mode === "produce") await produce(Number(rest[0]), Number(rest[1]));
else if (mode === "consume") await consume(Number(rest[0]));
else await read(rest[0] ?? "", ({ sent }) => say({ at: now(), sent }));
