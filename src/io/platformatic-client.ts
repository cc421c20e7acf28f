import { isIP } from "node:net";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { compressionsAlgorithms } from "@platformatic/kafka";
import type { BaseOptions } from "@platformatic/kafka";
import type { GroupConsumer, Producer, TransactionalProducer } from "../flow/ports.ts";
import type { KafkaOptions } from "./kafka-client.ts";
import { MAX_INFLATED_BYTES } from "./kafka-compression.ts";
import type { ConsumerOptions } from "./kafka-consumer.ts";
import type { KafkaSecurity } from "./kafka-security.ts";
import { securityOptions } from "./kafka-security.ts";
import { createConsumer } from "./platformatic-consumer.ts";
import { gathering } from "./kafka-gather.ts";
import { createWriter } from "./platformatic-producer.ts";
import { createTransactional } from "./platformatic-transaction.ts";

export type PlatformaticClient = {
  producer(giveUpMs: number): Producer;
  transactional(id: string, giveUpMs: number): Promise<TransactionalProducer>;
  consumer(options: ConsumerOptions): GroupConsumer;
};

/** A group may stand still for its rebalance timeout: what is asked of it must outlast that. */
const GROUP_REQUEST_MS = 35_000;
/** A fetch is answered within its longest wait: a line that stays silent for so long is dead. */
const FETCH_REQUEST_MS = 10_000;

/** The same three parts as kafkajs', on @platformatic/kafka by its low-level calls (docs/adr/0025). */
export const createPlatformatic = ({ brokers, clientId, log = () => undefined, security }: KafkaOptions) => {
  registerZstd();
  const at = (requestTimeout: number, retries: number, more: Partial<BaseOptions> = {}) => ({
    clientId,
    bootstrapBrokers: brokers,
    connectTimeout: 3000,
    requestTimeout,
    retries,
    retryDelay: backOff,
    autocreateTopics: false,
    ...(security === undefined ? {} : secured(security, brokers)),
    ...more,
  });
  const client: PlatformaticClient = {
    producer: (giveUpMs) =>
      gathering(createWriter(at(giveUpMs, 8, { timeout: giveUpMs, connectTimeout: 2000 }), giveUpMs), giveUpMs),
    transactional: (id, giveUpMs) => createTransactional(at(giveUpMs, 12, { timeout: 30_000 }), id, giveUpMs),
    consumer: (options) =>
      createConsumer({ group: at(GROUP_REQUEST_MS, 3), fetch: at(FETCH_REQUEST_MS, 0) }, options, log),
  };
  return client;
};

/** The broker answers CONCURRENT_TRANSACTIONS until the markers of the last one are written: the first delay is the latency. */
const backOff = (_client: unknown, _operation: string, attempt: number): number => Math.min(25 * 2 ** attempt, 1000);

/** kafkajs' security settings, in the words of this client. */
export const secured = (
  settings: KafkaSecurity,
  brokers: readonly string[],
  read?: (file: string) => string,
): Pick<BaseOptions, "tls" | "tlsServerName" | "sasl"> => {
  const { ssl, sasl } = securityOptions(settings, read);
  const mechanism = settings.sasl?.mechanism.toUpperCase() as "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  return {
    // An address is no server name.
    ...(ssl
      ? { tls: ssl === true ? {} : ssl, tlsServerName: !brokers.some((broker) => isIP(broker.replace(/:\d+$/, ""))) }
      : {}),
    ...(sasl && settings.sasl
      ? { sasl: { mechanism, username: settings.sasl.username, password: settings.sasl.password } }
      : {}),
  };
};

type Codec = { compressSync(data: unknown): Buffer; decompressSync(data: unknown): Buffer };

/** Its zstd with what ours has (kafka-compression.ts): told the size beforehand, and no bomb is inflated. */
function registerZstd(): void {
  const zstd = compressionsAlgorithms.zstd as unknown as Codec;
  zstd.compressSync = (data) => {
    const bytes = bytesOf(data);
    return zstdCompressSync(bytes, { pledgedSrcSize: bytes.length });
  };
  zstd.decompressSync = (data) => zstdDecompressSync(bytesOf(data), { maxOutputLength: MAX_INFLATED_BYTES });
}

/** It hands over its own chain of buffers, or one. */
const bytesOf = (data: unknown): Buffer => (Buffer.isBuffer(data) ? data : (data as { buffer: Buffer }).buffer);
