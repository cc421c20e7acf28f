import { expect, test } from "vitest";
import { SETTINGS, duration, readConfig, settingsHelp } from "../../src/config.ts";

const FULL = {
  KAFKA_BROKERS: "one:9092,two:9092",
  SCHEMA_REGISTRY_URL: "http://registry",
  DATABASE_URL: "postgres://db",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
  AUTH_SECRET: "s".repeat(32),
};

test("defaults are those of the list", () => {
  const config = readConfig(FULL);
  expect(config).toMatchObject({ port: 8080, host: "127.0.0.1", logLevel: "info", prefix: "", failpoint: "" });
  expect(config).toMatchObject({ windowGrace: 4 * 3_600_000, sweepGrace: 8 * 86_400_000, failpointStop: "" });
  expect(config).toMatchObject({ earlyEvery: 60_000, lateQuiet: 2000, backfillQuiet: 3000 });
  expect(config.brokers).toEqual(["one:9092", "two:9092"]);
  expect(config.registryUrl).toBe("http://registry");
  expect(config.databaseUrl).toBe("postgres://db");
  expect(config.authSecret).toHaveLength(32);
  expect(config.objects).toEqual({
    endpoint: undefined,
    bucket: "health-sync",
    region: "us-east-1",
    accessKeyId: "id",
    secretAccessKey: "secret",
    ca: undefined,
  });
  expect(config.kafkaSecurity).toEqual({ ssl: false, ca: "", cert: "", key: "", sasl: null });
  expect(config.kafkaClient).toBe("kafkajs");
  expect(readConfig({ KAFKA_CLIENT: "platformatic" }).kafkaClient).toBe("platformatic");
  expect(() => readConfig({ KAFKA_CLIENT: "x" }).kafkaClient).toThrow("KAFKA_CLIENT=x: choose from kafkajs, platf");
  expect(config.authKeys).toBeNull();
  expect(config.limits).toEqual({ per_token: 1000, per_athlete: 100, in_flight: 256 });
  expect(() => readConfig({ RATE_PER_TOKEN: "fast" }).limits).toThrow("RATE_PER_TOKEN=fast: give a number above 0");
});

test("a command fails only for what it needs, and learns how to get it", () => {
  const config = readConfig({});
  expect(config.port).toBe(8080);
  expect(() => config.brokers).toThrow(
    /^KAFKA_BROKERS is not set \(host:port.*\); `health-sync stack up` prints all settings/,
  );
  expect(() => config.objects).toThrow(/AWS_ACCESS_KEY_ID is not set/);
});

test.each(["0", "65535"])("port %s is one", (port) => {
  expect(readConfig({ PORT: port }).port).toBe(Number(port));
});
test.each(["-1", "65536", "http", "1.5"])("port %s is none", (port) => {
  expect(() => readConfig({ PORT: port }).port).toThrow(`PORT=${port} is no port`);
});

test("a secret that can be guessed is refused", () => {
  expect(() => readConfig({ AUTH_SECRET: "s".repeat(31) }).authSecret).toThrow(/at least 32 characters/);
});

test.each([
  ["250ms", 250],
  ["90s", 90_000],
  ["1.5m", 90_000],
  [" 4h ", 14_400_000],
  ["8d", 691_200_000],
])("%s is a duration", (text, ms) => {
  expect(duration(text, "WINDOW_GRACE")).toBe(ms);
});
test.each(["", "4", "h", "-1s", "4 hours"])("a duration of %j is refused with what would be right", (text) => {
  expect(() => readConfig({ WINDOW_GRACE: text })).toThrow(
    `WINDOW_GRACE=${text}: give a number and a unit, for instance 90s, 4h or 8d`,
  );
});

test("the help names every setting, its meaning and its default", () => {
  const lines = settingsHelp().split("\n");
  expect(lines).toHaveLength(SETTINGS.length);
  for (const { name, about } of SETTINGS) expect(lines.some((l) => l.includes(name) && l.includes(about))).toBe(true);
  expect(settingsHelp()).toMatch(/WINDOW_GRACE +.*\(4h\)/);
});

test("rules are the first versions, unless others are named that there are", () => {
  expect(readConfig({}).rules).toEqual({ readiness: "readiness/1" });
  expect(readConfig({ RULES: "readiness/2" }).rules).toEqual({ readiness: "readiness/2" });
  expect(() => readConfig({ RULES: "readiness/9" }).rules).toThrow("RULES=readiness/9: readiness/9 is none of");
});
