import { setTimeout as sleep } from "node:timers/promises";
import type { Connections } from "../src/app.ts";
import type { SampleChunk } from "../src/domain/sample.ts";
import { digest } from "../src/flow/digest.ts";
import type { Database, OutgoingRecord } from "../src/flow/ports.ts";
import { decideBatch } from "../src/ingest/decide.ts";
import { partitionOfKey } from "../src/io/kafka-records.ts";
import { STAGING_GROUP } from "../src/ops/wait.ts";
import { athlete } from "./generator/athlete.ts";
import { type NativeSample, native } from "./generator/batches.ts";
import { dayOf } from "./generator/calendar.ts";
import { generatedDay, generatedNight } from "./generator/day.ts";
import type { Say } from "./place.ts";

/** About this many samples a generated day has, night and vitals included. */
export const SAMPLES_A_DAY = 610;
const BODY = 1000;
const SENT_AT_ONCE = 40;
const DAY = 86_400_000;
/** Long enough over that no day is open, whatever the zone. */
const DAYS_AGO = 4;

/** Which topic of the product; live samples unless told. */
export type LogOptions = {
  into?: "samples" | "backfill";
  rows: number;
  days: number;
  seed: number;
  say: Say;
  /** Records that are sent beside each chunk's, to topics of others. */
  beside?: (chunk: SampleChunk) => OutgoingRecord[];
};

/** What was written to a topic before the clock runs. */
export type FilledLog = {
  topic: string;
  rows: number;
  records: number;
  bytes: number;
  athletes: string[];
  /** Rows that these positions (next offset to apply, by topic partition) have behind them. */
  behind(positions: ReadonlyMap<number, number>): number;
};

type Made = { record: OutgoingRecord; rows: number; chunk: SampleChunk };
type Chunked = { partition: number; offset: number; rows: number };

const samplesOf = (seed: number, n: number, first: string, days: number): NativeSample[] => {
  const who = athlete(seed, n, first);
  return Array.from({ length: days }, (_, at) => dayOf(first) + at)
    .flatMap((day) => [...generatedDay(who, day), ...generatedNight(who, day)])
    .map(native);
};

/** The edge's own chunks of clean samples, whatever their age, for this topic. Throws where one is refused. */
const recordsOf = async (
  { codec, clock }: Connections,
  { topic, athlete_id, samples }: { topic: string; athlete_id: string; samples: NativeSample[] },
): Promise<Made[]> => {
  const at = { athlete_id, received_at: clock.now(), door: "native", kind: "import" } as const;
  const context = { ...at, body_hash: digest.sha256(`${samples[0]?.uuid}`) };
  const { chunks, answer } = decideBatch({ time_zone: "Etc/UTC", samples }, context, digest);
  const [refused] = answer.rejected;
  if (refused) throw new Error(`the generator's sample was refused: ${refused.reason}, ${refused.detail}`);
  return Promise.all(
    chunks.map(async ({ chunk }) => ({
      record: {
        topic,
        key: athlete_id,
        value: await codec.encode(topic, chunk),
        headers: { batch_id: chunk.batch_id },
      },
      rows: chunk.series.reduce((sum, series) => sum + series.samples.length, 0),
      chunk,
    })),
  );
};

const rowsBehind =
  (sent: readonly Chunked[]) =>
  (positions: ReadonlyMap<number, number>): number =>
    sent.reduce((sum, { partition, offset, rows }) => sum + ((positions.get(partition) ?? 0) > offset ? rows : 0), 0);

/** Sends records and notes at which offset each stands: nobody else may write to the topic meanwhile. */
const openNoting = async ({ kafka }: Connections, topic: string) => {
  const producer = kafka.producer();
  const bounds = await kafka.logInfo().bounds(topic);
  const ends = new Map([...bounds].map(([partition, { high }]) => [partition, high]));
  const noted: Chunked[] = [];
  return {
    noted,
    send: async (made: readonly Made[]): Promise<void> => {
      for (let at = 0; at < made.length; at += SENT_AT_ONCE) {
        await producer.send(made.slice(at, at + SENT_AT_ONCE).map(({ record }) => record));
      }
      for (const { record, rows } of made) {
        const partition = partitionOfKey(record.key ?? "", ends.size);
        const offset = ends.get(partition) ?? 0;
        ends.set(partition, offset + 1);
        noted.push({ partition, offset, rows });
      }
    },
    sendBeside: (records: readonly OutgoingRecord[]): Promise<unknown> => producer.send(records),
    close: () => producer.close(),
  };
};

const firstDateOf = (days: number): string => new Date(Date.now() - (days + DAYS_AGO) * DAY).toISOString().slice(0, 10);
const athletesOf = ({ rows, days }: LogOptions): number => Math.max(1, Math.round(rows / (days * SAMPLES_A_DAY)));

/** Past days of as many athletes as it takes for about `rows` samples, encoded, a body of 1,000 samples at a time. */
async function* encoded(connections: Connections, options: LogOptions): AsyncGenerator<Made[]> {
  const topic = connections.topics(options.into ?? "samples");
  const first = firstDateOf(options.days);
  options.say(`generating ${athletesOf(options)} athletes × ${options.days} days, seed ${options.seed}`);
  for (let n = 0; n < athletesOf(options); n += 1) {
    const { athlete_id } = athlete(options.seed, n, first);
    const samples = samplesOf(options.seed, n, first, options.days);
    for (let at = 0; at < samples.length; at += BODY) {
      yield await recordsOf(connections, { topic, athlete_id, samples: samples.slice(at, at + BODY) });
    }
  }
}

/** The records of a history, to be sent later. */
export const encodeHistory = async (connections: Connections, options: LogOptions): Promise<OutgoingRecord[]> => {
  const records: OutgoingRecord[] = [];
  for await (const made of encoded(connections, options)) records.push(...made.map(({ record }) => record));
  return records;
};

/** A history sent before the clock runs: each sample becomes a row. */
export const fillLog = async (connections: Connections, options: LogOptions): Promise<FilledLog> => {
  const topic = connections.topics(options.into ?? "samples");
  const out = await openNoting(connections, topic);
  const athletes = new Set<string>();
  let bytes = 0;
  try {
    for await (const made of encoded(connections, options)) {
      for (const { record, chunk } of made) {
        athletes.add(chunk.athlete_id);
        bytes += record.value?.length ?? 0;
      }
      await out.send(made);
      if (options.beside) await out.sendBeside(made.flatMap(({ chunk }) => options.beside?.(chunk) ?? []));
    }
  } finally {
    await out.close();
  }
  const rows = out.noted.reduce((sum, one) => sum + one.rows, 0);
  return { topic, rows, records: out.noted.length, bytes, athletes: [...athletes], behind: rowsBehind(out.noted) };
};

/** Where staging is in a topic, by topic partition: next offset to apply. */
export const positionsIn = async (db: Database, topic: string): Promise<Map<number, number>> => {
  const rows = await db.query<{ topic_partition: number; position: number }>(
    `select topic_partition, position from consumer_offsets where group_id = $1 and topic = $2`,
    [STAGING_GROUP, topic],
  );
  return new Map(rows.map(({ topic_partition, position }) => [topic_partition, position]));
};

/** Resolves when staging has applied the live topic of samples to where it ended at the call. */
export const caughtUp = async ({ kafka, topics }: Connections, db: Database): Promise<void> => {
  const topic = topics("samples");
  const bounds = await kafka.logInfo().bounds(topic);
  for (;;) {
    const at = await positionsIn(db, topic);
    if ([...bounds].every(([partition, { low, high }]) => high === low || (at.get(partition) ?? 0) >= high)) return;
    await sleep(20);
  }
};
