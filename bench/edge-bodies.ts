import { hash } from "node:crypto";
import type { Connections } from "../src/app.ts";
import { digest, sha256Hex } from "../src/flow/digest.ts";
import type { OutgoingRecord } from "../src/flow/ports.ts";
import { decideBatch } from "../src/ingest/decide.ts";
import { type NativeSample, sendings } from "./generator/batches.ts";
import { random, type Random } from "./generator/random.ts";

/** So many of something, and a sum over it that does not depend on its order: loss, repetition and change all show. */
export type Sum = { count: number; checksum: number };

export const NOTHING: Sum = { count: 0, checksum: 0 };
const MODULUS = 2 ** 48;

export const sumOf = (sums: Iterable<Sum>): Sum => {
  let { count, checksum } = NOTHING;
  for (const one of sums) {
    count += one.count;
    checksum = (checksum + one.checksum) % MODULUS;
  }
  return { count, checksum };
};

const one = (content: string | Uint8Array): Sum => ({
  count: 1,
  checksum: hash("sha1", content, "buffer").readUIntBE(0, 6),
});

export const sampleSum = (id: string, start: number, value: number): Sum => one(`${id}|${start}|${value}`);
export const bytesSum = (bytes: Uint8Array): Sum => one(bytes);

/** As it goes over the wire, and what must stand in the log for it. */
export type Body = { athlete: string; text: Buffer; samples: Sum };

const ATHLETES = 8;

/** The generator spoils some on purpose, and some are of ignored types; here every sample must count with every contender. */
const cleanSamples = (seed: number, now: number): NativeSample[] => {
  const firstDate = new Date(now - 3 * 86_400_000).toISOString().slice(0, 10);
  const samples = sendings({ seed, athletes: 2, days: 2, firstDate }).flatMap(({ body }) => body.samples);
  const context = { athlete_id: "bench", received_at: now, door: "native", kind: "http", body_hash: "" } as const;
  return samples.filter((sample) => decideBatch({ samples: [sample] }, context, digest).answer.accepted === 1);
};

/** Bodies of so many samples each, every one under an id of its own. */
export const bodiesFrom = (seed: number, now: number): ((size: number, count: number) => Body[]) => {
  const clean = cleanSamples(seed, now);
  const dice: Random = random(seed, "bodies");
  return (size, count) =>
    Array.from({ length: count }, (_, n) => {
      const samples = Array.from({ length: size }, (_all, at) => ({
        ...(clean[(n * size + at) % clean.length] as NativeSample),
        uuid: dice.uuid(),
      }));
      return {
        athlete: `bench-${n % ATHLETES}`,
        text: Buffer.from(JSON.stringify({ time_zone: "UTC", samples })),
        samples: sumOf(samples.map(({ uuid, start, value }) => sampleSum(uuid, Date.parse(start), value))),
      };
    });
};

/** The edge's own records of a body, without its receipt. */
export const encodedBody = async ({ codec, topics, clock }: Connections, body: Body): Promise<OutgoingRecord[]> => {
  const context = { athlete_id: body.athlete, received_at: clock.now(), door: "native", kind: "http" } as const;
  const sent = JSON.parse(body.text.toString()) as { time_zone: string; samples: NativeSample[] };
  const { chunks } = decideBatch(sent, { ...context, body_hash: sha256Hex(body.text) }, digest);
  return Promise.all(
    chunks.map(async ({ topic, chunk }) => ({
      topic: topics(topic),
      key: body.athlete,
      value: await codec.encode(topics(topic), chunk),
      headers: { batch_id: chunk.batch_id },
    })),
  );
};
