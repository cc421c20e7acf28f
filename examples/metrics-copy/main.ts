import { openCopy } from "./copy.ts";
import { follow } from "./follow.ts";

const env = (name: string, fallback?: string): string => {
  const value = process.env[name] ?? fallback;
  if (value === undefined) throw new Error(`${name} is not set; \`health-sync stack up\` prints it for a local stack`);
  return value;
};

const copy = openCopy(process.argv[2] ?? "metrics.sqlite", Date.now());
const followed = await follow(copy, {
  brokers: env("KAFKA_BROKERS").split(","),
  registryUrl: env("SCHEMA_REGISTRY_URL"),
  topic: `${env("TOPIC_PREFIX", "")}health.metrics.v1`,
  group: env("GROUP", "metrics-copy"),
});
process.once("SIGINT", () => void followed.stop().then(() => copy.close()));
await followed.caughtUp;
console.log(`caught up: ${copy.rows().length} rows; following (Ctrl-C ends)`);
