import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { KAFKA_VERSION } from "./artifacts.ts";
import { run, tidyJvm, type Part, type PartInput } from "./part.ts";

/** One node that is broker and controller, tuned to start fast and to carry the many small topics of a test run. */
export function kafka({ state, artifacts, logDir }: PartInput): Part {
  const dir = join(state.dataDir, "kafka");
  const config = join(dir, "kafka.properties");
  const classpath = join(artifacts.kafka, "libs", "*");
  return {
    name: "kafka",
    version: KAFKA_VERSION,
    after: [],
    async prepare() {
      mkdirSync(dir, { recursive: true });
      writeFileSync(config, properties(join(dir, "log"), state.ports));
      if (existsSync(join(dir, "log", "meta.properties"))) return;
      // Written last: without it, what lies there is an interrupted attempt.
      rmSync(join(dir, "log"), { recursive: true, force: true });
      const cluster = clusterId(randomBytes(16));
      const jvm = [...tidyJvm(dir), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
      await run("java", [...jvm, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", config]);
    },
    launch: () => ({
      command: "java",
      args: [
        "-Xms512m",
        "-Xmx512m",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Djava.awt.headless=true",
        ...tidyJvm(dir),
        "-cp",
        classpath,
        "kafka.Kafka",
        config,
      ],
      cwd: dir,
      log: join(logDir, "kafka.log"),
    }),
  };
}

/** A Kafka UUID. The storage tool would take one that begins with a dash for an option. */
export function clusterId(bytes: Buffer): string {
  return bytes.toString("base64url").replace(/^-/, "A");
}

function properties(logDir: string, ports: { kafka: number; controller: number }): string {
  const lines = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${ports.controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${ports.kafka}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": logDir,
    // A topic comes from topics/, never from a typing error.
    "auto.create.topics.enable": false,
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 8,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    // Tests shorten sessions and transactions to see a successor take over.
    "group.min.session.timeout.ms": 1000,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "num.recovery.threads.per.data.dir": 2,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    "log.cleaner.backoff.ms": 5000,
    "log.retention.check.interval.ms": 30_000,
    // Two indexes are mapped for every topic partition: 10 MiB each, the default, adds up over hundreds of them.
    "log.index.size.max.bytes": 1_048_576,
    "log.preallocate": false,
    "log.segment.delete.delay.ms": 1000,
    // A killed broker is let back in only when its old session has run out: 9 s by default. Much shorter fences a busy one.
    "broker.session.timeout.ms": 6000,
    "broker.heartbeat.interval.ms": 1000,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
