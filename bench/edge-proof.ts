import kafkajs from "kafkajs";
import type { Connections } from "../src/app.ts";
import type { SampleChunk } from "../src/domain/sample.ts";
import { registerZstd } from "../src/io/kafka-compression.ts";
import { typeOf } from "../src/io/avro-codec.ts";
import { bytesSum, NOTHING, sampleSum, type Sum, sumOf } from "./edge-bodies.ts";
import { NAIVE_SCHEMA, type NaiveSample } from "./edge-naive-schema.ts";

/** What a record holds, as its contender sent it. */
export type ReadRecord = (topic: string, value: Buffer) => Promise<Sum>;

/** Where the records of one run stand: from `low` to before `high`, by topic and topic partition. */
type Range = { topic: string; partition: number; low: number; high: number };

/** One run of one contender, and what the log must hold of it. */
export type Run = { what: string; sent: Sum; read: ReadRecord; ranges: Range[] };

const FRAME_BYTES = 5;

/** Each sample of a chunk by its id, start and value. */
export const readChunk =
  ({ codec }: Connections): ReadRecord =>
  async (topic, value) => {
    const decoded = await codec.decode(topic, value);
    if (decoded.kind !== "ok") throw new Error(`a record in ${topic} cannot be read`);
    const { series } = decoded.value as SampleChunk;
    return sumOf(
      series.flatMap(({ samples }) =>
        samples.map((sample) => sampleSum(sample.sample_id, sample.start_at, sample.value)),
      ),
    );
  };

const naive = typeOf(NAIVE_SCHEMA);

export const readNaive: ReadRecord = async (_topic, value) => {
  const sample = naive.fromBuffer(value.subarray(FRAME_BYTES)) as NaiveSample;
  return sampleSum(sample.uuid, Date.parse(sample.start), sample.value);
};

/** The very bytes. */
export const readBytes: ReadRecord = async (_topic, value) => bytesSum(value);

/** Of records that say nothing: that they are there. */
export const readNothing: ReadRecord = async () => ({ count: 1, checksum: 0 });

type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

export const endsOf = async ({ kafka }: Connections, topics: readonly string[]): Promise<Ends> => {
  const ends = new Map<string, Map<number, number>>();
  for (const topic of topics) {
    const bounds = await kafka.logInfo().bounds(topic);
    ends.set(topic, new Map([...bounds].map(([partition, { high }]) => [partition, high])));
  }
  return ends;
};

export const rangesBetween = (before: Ends, after: Ends): Range[] =>
  [...after].flatMap(([topic, ends]) =>
    [...ends].flatMap(([partition, high]) => {
      const low = before.get(topic)?.get(partition) ?? 0;
      return low < high ? [{ topic, partition, low, high }] : [];
    }),
  );

export const recordsIn = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { low, high }) => sum + high - low, 0);

type Reading = { run: Run; range: Range; next: number };

/** Every record of these ranges once, though a rebalance fetches some again. */
const readAll = async (
  { config }: Connections,
  group: string,
  readings: readonly Reading[],
  take: (reading: Reading, value: Buffer) => Promise<void>,
): Promise<void> => {
  registerZstd();
  const client = new kafkajs.Kafka({ brokers: config.brokers, logLevel: kafkajs.logLevel.ERROR });
  const consumer = client.consumer({ groupId: `${config.prefix}${group}`, maxWaitTimeInMs: 100 });
  let left = recordsIn(readings.map(({ range }) => range));
  if (left === 0) return;
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...new Set(readings.map(({ range }) => range.topic))], fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        const here = readings.filter(({ range }) => range.topic === topic && range.partition === partition);
        for (const { offset, value } of messages) {
          const at = Number(offset);
          const reading = here.find(({ range, next }) => next <= at && at < range.high);
          if (!reading) continue;
          reading.next = at + 1;
          await take(reading, value ?? Buffer.alloc(0));
          left -= 1;
        }
        if (left <= 0) done.resolve();
      },
    });
    await done.promise;
  } finally {
    await consumer.disconnect();
  }
};

/**
 * What the log holds of each run, read back when no clock runs. `group` is the reader's, new each time.
 */
export const readBack = async (
  connections: Connections,
  group: string,
  runs: readonly Run[],
): Promise<Map<Run, Sum>> => {
  const found = new Map<Run, Sum>(runs.map((run) => [run, NOTHING]));
  const readings = runs.flatMap((run) => run.ranges.map((range) => ({ run, range, next: range.low })));
  await readAll(connections, group, readings, async ({ run, range }, value) => {
    found.set(run, sumOf([found.get(run) ?? NOTHING, await run.read(range.topic, value)]));
  });
  return found;
};
