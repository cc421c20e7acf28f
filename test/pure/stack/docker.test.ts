import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KAFKA_VERSION, OBJECTS_VERSION, POSTGRES_VERSION, REGISTRY_VERSION } from "../../../stack/artifacts.ts";
import { COMPOSE_FILE, composeEnvironment, whyNotDocker } from "../../../stack/docker.ts";
import { packageRoot, stackDir } from "../../../stack/layout.ts";
import { USUAL_PORTS } from "../../../stack/ports.ts";
import { up } from "../../../stack/stack.ts";

const path = process.env["PATH"];
let dir = "";

/** A stand-in for the Docker command line: what is asked here is what follows from its answers. */
function docker(script: string): void {
  writeFileSync(join(dir, "docker"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, "docker"), 0o755);
}
const ENGINE = 'case "$*" in info|"compose version") exit 0;; *"config --images") echo some/image:1; exit 0;; esac';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "health-sync-docker-"));
  mkdirSync(join(dir, "empty"));
  process.env["PATH"] = `${dir}:${path}`;
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(dir, { recursive: true, force: true });
});

test("Docker serves when its engine answers and every image is there or can be pulled", async () => {
  const said: string[] = [];
  docker(`${ENGINE}\n[ "$1 $2" = "image inspect" ]`);
  expect(await whyNotDocker((line) => said.push(line))).toBeUndefined();
  expect(said).toEqual([]);
  docker(`${ENGINE}\n[ "$1" = pull ]`);
  expect(await whyNotDocker((line) => said.push(line))).toBeUndefined();
  expect(said).toEqual(["pulling some/image:1"]);
});

test("without engine, Compose or image the reason is given", async () => {
  docker("exit 1");
  expect(await whyNotDocker(() => undefined)).toContain("no Docker engine");
  docker('[ "$1" = info ]');
  expect(await whyNotDocker(() => undefined)).toContain("no Compose plugin");
  docker(`${ENGINE}\nexit 1`);
  expect(await whyNotDocker(() => undefined)).toContain("some/image:1 is not there and cannot be pulled");
});

test("Docker that is asked for and cannot serve is an error, and nothing is started in its place", async () => {
  docker("exit 1");
  const name = `forced-${process.pid}`;
  await expect(up({ name, docker: "force", say: () => undefined })).rejects.toThrow(/--docker: no Docker engine/);
  expect(existsSync(stackDir(name))).toBe(false);
});

test("docker-compose.yml and the pom name the versions and ports of the stack without containers", () => {
  const compose = readFileSync(COMPOSE_FILE, "utf8");
  const images = [...compose.matchAll(/^ {4}image: (\S+)$/gm)].map(([, image]) => image);
  expect(images).toEqual([
    `apache/kafka:${KAFKA_VERSION}`,
    `postgres:${POSTGRES_VERSION.split(".")[0]}`,
    `apicurio/apicurio-registry:${REGISTRY_VERSION}`,
    `versity/versitygw:v${OBJECTS_VERSION}`,
  ]);
  expect(compose.match(/^ {4}healthcheck:$/gm)).toHaveLength(4);
  for (const [name, port] of Object.entries(composeEnvironment(USUAL_PORTS))) {
    expect(compose).toContain(`\${${name}:-${port}}:`);
  }
  expect(readFileSync(join(packageRoot, "stack/kafka-pom.xml"), "utf8")).toContain(
    `<version>${KAFKA_VERSION}</version>`,
  );
});
