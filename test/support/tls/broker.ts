import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchArtifacts } from "../../../stack/artifacts.ts";
import { clusterId } from "../../../stack/kafka.ts";
import { artifactsDir } from "../../../stack/layout.ts";
import { run, tidyJvm } from "../../../stack/part.ts";
import { end, launch } from "../../../stack/process.ts";

/** Of tests only, made for localhost and 127.0.0.1: it protects nothing. Its own authority. */
export const CERTIFICATE = fileURLToPath(new URL("cert.pem", import.meta.url));
const KEY = fileURLToPath(new URL("key.pem", import.meta.url));

/** Who may log in by SASL, with either mechanism. */
export const LOGIN = { username: "sync", password: "right" };

export type SecureBroker = {
  /** host:port of each listener. */
  ssl: string;
  sasl: string;
  plain: string;
  /** What it wrote so far. */
  log(): string;
  stop(): Promise<void>;
};

const freePorts = async (count: number): Promise<number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    (server) =>
      new Promise<number>((resolve) => {
        server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
      }),
  );
  const free = await Promise.all(ports);
  for (const server of servers) server.close();
  return free;
};

const LISTENERS = ["PLAINTEXT", "SSL", "SASL_SSL"];

const properties = (dir: string, [controller = 0, ...ports]: readonly number[]): string => {
  const module = "org.apache.kafka.common.security";
  const listeners = LISTENERS.map((name, at) => `${name}://127.0.0.1:${ports[at]}`).join(",");
  const lines = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": `CONTROLLER:PLAINTEXT,${LISTENERS.map((name) => `${name}:${name}`).join(",")}`,
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": join(dir, "log"),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": join(dir, "keystore.pem"),
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": `${module}.plain.PlainLoginModule required user_${LOGIN.username}="${LOGIN.password}";`,
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": `${module}.scram.ScramLoginModule required;`,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
};

/** A broker of its own with a listener in the clear, one by TLS and one that asks for a login as well. */
export const startSecureBroker = async (): Promise<SecureBroker> => {
  const { kafka } = await fetchArtifacts(artifactsDir(), () => undefined);
  const dir = mkdtempSync(join(tmpdir(), "health-sync-tls-"));
  mkdirSync(join(dir, "log"));
  copyFileSync(KEY, join(dir, "keystore.pem"));
  writeFileSync(join(dir, "keystore.pem"), readFileSync(KEY, "utf8") + readFileSync(CERTIFICATE, "utf8"));
  const [config, log] = [join(dir, "kafka.properties"), join(dir, "kafka.log")];
  const ports = await freePorts(4);
  writeFileSync(config, properties(dir, ports));
  const jvm = [...tidyJvm(dir), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
  const java = (main: string): string[] => [...jvm, "-cp", join(kafka, "libs", "*"), main];
  const scram = `SCRAM-SHA-512=[name=${LOGIN.username},password=${LOGIN.password}]`;
  const storage = ["format", "-t", clusterId(randomBytes(16)), "-c", config, "--add-scram", scram];
  await run("java", [...java("kafka.tools.StorageTool"), ...storage]);
  const id = launch({ command: "java", args: [...java("kafka.Kafka"), config], log, cwd: dir });
  const at = (name: string): string => `127.0.0.1:${ports[LISTENERS.indexOf(name) + 1]}`;
  return {
    plain: at("PLAINTEXT"),
    ssl: at("SSL"),
    sasl: at("SASL_SSL"),
    log: () => readFileSync(log, "utf8"),
    stop: async () => {
      await end(id, "SIGKILL");
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
