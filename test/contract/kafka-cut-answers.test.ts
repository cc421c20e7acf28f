import { expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { tcpLineOn } from "../support/network/lines.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("kafka-cut-answers");
const dice = random(1, "cut answers");
const VALUE = Buffer.alloc(2000, "x");

test("a line that breaks within an answer is opened anew without the half of it", async () => {
  const topic = `${here.prefix}cut`;
  const line = await tcpLineOn(here, "kafka");
  const kafka = createKafka({ brokers: [line.env["KAFKA_BROKERS"] ?? ""], clientId: here.prefix });
  await kafka.topics().create([{ name: topic, partitions: 1, replicas: 1, config: {} }]);
  await kafka.topics().ready(new Map([[topic, 1]]));
  const producer = kafka.producer({ giveUpMs: 3000 });
  const send = () => producer.send([{ topic, key: "k", value: VALUE }]);
  try {
    for (let n = 0; n < 10; n += 1) {
      await expect(send()).resolves.toHaveLength(1);
      // What the client sends is longer than this, what it hears is shorter: answers of every length are cut.
      line.weather({ cutWithin: dice.whole(2, 700) });
      await send().catch(() => undefined);
      line.weather({});
    }
    expect(line.renamed()).toBeGreaterThan(0);
  } finally {
    await producer.close();
    line.close();
  }
});
