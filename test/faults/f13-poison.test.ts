import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { topicNames } from "../../src/flow/topics.ts";
import { createCodec } from "../../src/io/avro-codec.ts";
import { declaredTopics } from "../../src/io/avro-declared.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { createRegistry } from "../../src/io/registry.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { keptWorker } from "../support/service/kept-worker.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";
import { heartRates } from "../support/staging/chunks.ts";

const ROUNDS = WHOLE_MATRIX ? 4 : 1;
const POISON = 12;
const [calmCorner, here] = [await isolated("poison-calm"), await isolated("poison")];
const topics = topicNames(here.prefix);
/** What cannot be read here is set aside. A wake-up that cannot be read is nothing. The auditor reads the others. */
const STAGED = ["samples", "sleep", "backfill"] as const;
const input = faultInput();
const dice = random(SEED, "poison");

const framed = (id: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, payload]);
};
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, () => dice.whole(0, 255)));
const MILLIONS = Buffer.from([0x80, 0x88, 0xde, 0xbe, 0x01]);

/** What no reader can make anything of; `good` is a record that it could. */
const KINDS: readonly ((good: Buffer) => Buffer | null)[] = [
  () => null,
  () => Buffer.alloc(0),
  () => framed(0, Buffer.alloc(0)),
  (good) => Buffer.concat([Buffer.of(dice.whole(1, 255)), good.subarray(1)]),
  (good) => framed(2_000_000_000 + dice.whole(0, 9), good.subarray(5)),
  (good) => framed(-dice.whole(1, 9), good.subarray(5)),
  (good) => good.subarray(0, dice.whole(5, good.length - 1)),
  (good) => Buffer.concat([good, noise(dice.whole(1, 2000))]),
  // Lists that claim 200 million items in six bytes.
  (good) => Buffer.concat([good.subarray(0, 5), Buffer.of(2, 0x61, 2, 0x62), MILLIONS]),
  () => Buffer.from('{"a":'.repeat(50_000)),
  () => noise(dice.whole(1, 900_000)),
];

const staged = (): (typeof STAGED)[number][] => Array.from({ length: POISON }, () => dice.pick(STAGED));
const withoutLetters = (state: FinalState): FinalState => ({ ...state, dead_letters: [] });

test(
  `F13 poison on the topics of samples and wake-ups beside good records and kills: each is set aside once, neighbours notice nothing (seed ${SEED})`,
  { timeout: 20 * 60_000 },
  async (context) => {
    const calm = undisturbed(calmCorner, input);
    const service = await openService(here);
    const kafka = createKafka({ brokers: here.env.KAFKA_BROKERS.split(","), clientId: here.prefix });
    const codec = createCodec(createRegistry(here.env.SCHEMA_REGISTRY_URL), declaredTopics({ prefix: here.prefix }));
    const producer = kafka.producer();
    const good = await codec.encode(topics("samples"), heartRates([{}]));
    const poison = (names: readonly Parameters<typeof topics>[0][]) =>
      names.map((name) => ({
        topic: topics(name),
        key: `gen-${SEED}-${dice.whole(0, 3)}`,
        value: dice.pick(KINDS)(good),
      }));
    let put = 0;
    try {
      for (const slice of slices(input, ROUNDS)) {
        put += POISON;
        const worker = keptWorker(service, "poison");
        try {
          if (dice.chance(0.7)) await worker.ready();
          const sent = sendAll(service, slice);
          for (const record of [...poison(staged()), ...poison(["windows", "windows"])]) {
            await producer.send([record]);
            await sleep(dice.whole(0, 200));
          }
          worker.kill();
          await sent;
          await service.wait();
        } finally {
          await worker.stop();
        }
        await service.audit();
        const aside = "select count(*)::int as n from dead_letters where origin->>'kind' = 'topic'";
        expect(await service.sql(aside)).toEqual([{ n: put }]);
        judged(context);
      }
      expect(differences(withoutLetters(await calm), withoutLetters(await finish(service)))).toEqual([]);
    } finally {
      await producer.close();
      await service.close();
    }
  },
);
