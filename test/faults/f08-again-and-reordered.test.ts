import { expect, test } from "vitest";
import type { Sending } from "../../bench/generator/batches.ts";
import { random, type Random } from "../../bench/generator/random.ts";
import { answerLost, httpLine, requestLost } from "../support/network/http-line.ts";
import { createClient } from "../support/service/client.ts";
import { SEED, WHOLE_MATRIX, faultInput } from "../support/service/fault-input.ts";
import { judged } from "../support/service/judged.ts";
import { keptWorker } from "../support/service/kept-worker.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const ROUNDS = WHOLE_MATRIX ? 4 : 1;
const SENDERS = 4;
const here = await isolated("again");

/** Each athlete's samples in other batches and in another order: what was sent with a batch besides them stays. */
const dealtAnew = (input: readonly Sending[], dice: Random): Sending[] =>
  [...Map.groupBy(input, (s) => s.athlete_id).values()].flatMap((sent) => {
    // The generator's clients send some batches twice: those must stay the same batches.
    const own = [...new Map(sent.map((s) => [s.body.batch_id, s])).values()];
    const pool = dice.shuffled(own.flatMap(({ body }) => body.samples));
    return own.map(({ athlete_id, body }, i) => {
      const [from, to] = [i, i + 1].map((n) => Math.floor((n * pool.length) / own.length));
      return { athlete_id, body: { ...body, samples: pool.slice(from, to) } };
    });
  });

/** Every batch once to ten times, anywhere among the others. */
const repeated = (input: readonly Sending[], dice: Random): Sending[] =>
  dice.shuffled(
    input.flatMap((sending) => {
      const times = dice.chance(0.1) ? dice.whole(4, 10) : dice.whole(1, 3);
      return Array.from({ length: times }, () => sending);
    }),
  );

test(
  `F8 batches 1 to 10 times, in any order, samples dealt anew, a third of the answers lost (seed ${SEED})`,
  { timeout: 20 * 60_000 },
  async (context) => {
    const dice = random(SEED, "again");
    const service = await openService(here);
    const line = await httpLine(new URL(service.url).host);
    const worker = keptWorker(service, "repetition");
    const client = createClient(() => `http://${line.address}`, service.token);
    try {
      line.script(() => (dice.chance(0.25) ? answerLost : dice.chance(0.1) ? requestLost : null));
      for (let round = 0; round < ROUNDS; round += 1) {
        const sendings = repeated(dealtAnew(faultInput(SEED * 100 + round), dice), dice);
        const sender = async (n: number): Promise<void> => {
          for (const sending of sendings.filter((_, i) => i % SENDERS === n)) await client.send(sending);
        };
        await Promise.all(Array.from({ length: SENDERS }, (_, n) => sender(n)));
        await service.wait();
        await service.audit(client.ledger);
        judged(context);
      }
      expect(line.hits()).toBeGreaterThan(0);
    } finally {
      await worker.stop();
      await service.close();
      line.close();
    }
  },
);
