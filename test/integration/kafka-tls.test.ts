import { afterAll, beforeAll, expect, test } from "vitest";
import { openDoctor } from "../../src/app-doctor.ts";
import { connect } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { pause } from "../../src/flow/retry.ts";
import { createKafka } from "../../src/io/kafka-client.ts";
import { examineAll } from "../../src/ops/doctor.ts";
import { CLIENTS } from "../support/kafka-corner.ts";
import { makeMember, until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";
import { CERTIFICATE, LOGIN, type SecureBroker, startSecureBroker } from "../support/tls/broker.ts";

const here = await isolated("kafka-tls");
let broker: SecureBroker;
const TLS = { KAFKA_SSL: "true", KAFKA_SSL_CA: CERTIFICATE };
const login = (mechanism: string, password = LOGIN.password) => ({
  ...TLS,
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: LOGIN.username,
  KAFKA_SASL_PASSWORD: password,
});
type Listener = "ssl" | "sasl" | "plain";
type Settings = Record<string, string>;

/** What `doctor` says of Kafka under these settings. */
const found = async (listener: Listener, settings: Settings) => {
  const env = { ...here.env, ...settings, KAFKA_BROKERS: broker[listener] };
  const doctor = openDoctor(() => connect(readConfig(env), "doctor"));
  const [kafka] = await examineAll(doctor.all.filter(({ part }) => part === "kafka"));
  await doctor.close();
  return kafka;
};

beforeAll(async () => {
  broker = await startSecureBroker();
  for (let tries = 0; tries < 30 && (await found("plain", {}))?.state !== "fine"; tries += 1) await pause(500);
  const kafka = createKafka({ brokers: [broker.plain], clientId: "first" });
  await kafka.topics().create([{ name: "first", partitions: 1, replicas: 1, config: {} }]);
  // The first group of a new broker finds no coordinator ready, and its member crashes as one does in `serve`.
  for (let joined = false; !joined;) {
    const member = makeMember(kafka, { group: "first", topics: ["first"] });
    await member.begin().catch(() => undefined);
    await until("a group to form", () => member.assignments.length + member.crashes.length > 0);
    joined = member.assignments.length > 0;
    await member.stop();
  }
}, 120_000);
afterAll(() => broker.stop());

const WAYS: [string, Listener, Settings][] = [
  ["TLS alone", "ssl", TLS],
  ["TLS and a password", "sasl", login("plain")],
  ["TLS and SCRAM", "sasl", login("scram-sha-512")],
];

test.each(CLIENTS.flatMap((client) => WAYS.map((way) => [client, ...way] as const)))(
  "%s writes and reads by %s",
  async (client, _, listener, settings) => {
    const security = readConfig(settings).kafkaSecurity;
    const name = `${client}-${settings["KAFKA_SASL_MECHANISM"] ?? "none"}`;
    const kafka = createKafka({ brokers: [broker[listener]], clientId: name, security, client });
    await kafka.topics().create([{ name, partitions: 1, replicas: 1, config: {} }]);
    await kafka.topics().ready(new Map([[name, 1]]));
    const producer = kafka.producer();
    await producer.send([{ topic: name, key: "k", value: Buffer.from("sent by TLS") }]);
    await producer.close();
    const member = makeMember(kafka, { group: name, topics: [name] });
    member.on.assigned = (partitions) => {
      for (const partition of partitions) member.seek(partition, 0);
      member.resume(partitions);
    };
    await member.begin();
    await until("the record to come back", () => member.batches.some(({ records }) => records.length > 0));
    await member.stop();
    expect(member.batches[0]?.records[0]?.value?.toString()).toBe("sent by TLS");
  },
  60_000,
);

test.each<[string, Listener, Settings, [says: RegExp, advice: RegExp]]>([
  ["a certificate of somebody else's", "ssl", { KAFKA_SSL: "true" }, [/self-signed certificate/, /set KAFKA_SSL_CA/]],
  ["TLS where there is none", "plain", TLS, [/before secure TLS/, /leave KAFKA_SSL out/]],
  ["no TLS where there is", "ssl", {}, [/Closed connection/, /set KAFKA_SSL=true/]],
  ["a wrong password", "sasl", login("plain", "wrong"), [/authentication failed/, /KAFKA_SASL_PASSWORD/]],
  [
    "a wrong password by SCRAM",
    "sasl",
    login("scram-sha-512", "wrong"),
    [/authentication failed/, /KAFKA_SASL_PASSWORD/],
  ],
  ["a mechanism not offered", "sasl", login("scram-sha-256"), [/SASL mechanism/, /another KAFKA_SASL_MECHANISM/]],
  ["no login where one is asked for", "sasl", TLS, [/Closed connection/, /a login KAFKA_SASL_MECHANISM/]],
])("%s: nothing is sent, and doctor says what to do", async (_, listener, settings, [says, advice]) => {
  const security = readConfig(settings).kafkaSecurity;
  const sends = CLIENTS.map(async (client) => {
    const secured = createKafka({ brokers: [broker[listener]], clientId: "refused", security, client });
    const producer = secured.producer({ giveUpMs: 1_500 });
    const sent = producer.send([{ topic: "any", key: "k", value: null }]);
    expect(await sent.catch((error: unknown) => error), client).toBeInstanceOf(Error);
    await producer.close();
  });
  await Promise.all(sends);
  const kafka = await found(listener, settings);
  expect(kafka?.state).toBe("bad");
  expect(kafka?.says).toMatch(says);
  expect(kafka?.advice).toMatch(advice);
});
