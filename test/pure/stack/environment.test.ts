import { createServer } from "node:net";
import { expect, test } from "vitest";
import { environmentLines, environmentOf, namedStack } from "../../../stack/environment.ts";
import { pickPorts, USUAL_PORTS } from "../../../stack/ports.ts";
import { statusLines } from "../../../stack/status.ts";
import { firstVersion } from "../../../stack/tools.ts";

const named = {
  KAFKA_BROKERS: "a:1,b:2",
  SCHEMA_REGISTRY_URL: "http://r",
  DATABASE_URL: "postgres://d/x",
  S3_ENDPOINT: "http://s",
};
const unused = (): string => {
  throw new Error("no secret should be made");
};

test("an environment with all four addresses names a stack; what it leaves out has the contract's default", () => {
  expect(namedStack({ ...named, AUTH_SECRET: "given" }, unused)).toEqual({
    ...named,
    S3_BUCKET: "health-sync",
    S3_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AUTH_SECRET: "given",
  });
  expect(namedStack(named, (brokers) => `for ${brokers}`)?.AUTH_SECRET).toBe("for a:1,b:2");
});

test("an environment without any address names none; one with some of them is refused with the missing names", () => {
  expect(namedStack({ S3_BUCKET: "x" }, unused)).toBeUndefined();
  expect(() => namedStack({ ...named, DATABASE_URL: "" }, unused)).toThrow("set DATABASE_URL too");
});

test("the lines are KEY=VALUE and nothing else, all that serve and token need", () => {
  const lines = environmentLines(environmentOf({ ports: USUAL_PORTS, secret: "s3cret" })).split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.map((line) => /^([A-Z0-9_]+)=\S+$/.exec(line)?.[1])).toEqual([
    "KAFKA_BROKERS",
    "SCHEMA_REGISTRY_URL",
    "DATABASE_URL",
    "S3_ENDPOINT",
    "S3_BUCKET",
    "S3_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AUTH_SECRET",
  ]);
});

test("a port that is taken is replaced, the others stay, and no two are the same", async () => {
  const server = createServer();
  const taken = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const free = await pickPorts({ kafka: 0, controller: 0, registry: 0, postgres: 0, objects: 0 });
  const picked = await pickPorts({ ...free, registry: taken, objects: free.kafka });
  server.close();
  expect(picked).toMatchObject({ kafka: free.kafka, controller: free.controller, postgres: free.postgres });
  expect(picked.registry).not.toBe(taken);
  expect(new Set(Object.values(picked)).size).toBe(5);
});

test("versions are read from what the programs print", () => {
  expect(firstVersion('openjdk version "17.0.15" 2025-04-15')).toEqual([17, 0]);
  expect(firstVersion('openjdk version "25" 2025-09-16')).toEqual([25, 0]);
  expect(firstVersion('java version "1.8.0_392"')).toEqual([1, 8]);
  expect(firstVersion("go version go1.26.8 linux/amd64")).toEqual([1, 26]);
  expect(firstVersion("\u001B[1mApache Maven 3.8.7\u001B[m\nMaven home: /x")).toEqual([3, 8]);
});

test("the status is a line a part, with the reason for what is down", () => {
  const up = { part: "kafka", up: true, version: "4.4.0", port: 19092, pid: 7, problem: null } as const;
  const down = { part: "postgres", up: false, version: null, port: null, pid: null, problem: "not started" } as const;
  expect(statusLines({ stack: "dev", mode: "local", parts: [up, down] })).toEqual([
    "part      state  port   version  pid",
    "kafka     up     19092  4.4.0    7",
    "postgres  down   -      -        -    not started",
  ]);
  expect(statusLines({ stack: "dev", mode: "none", parts: [] })).toEqual([
    "stack dev is not there: health-sync stack up",
  ]);
});
