import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchArtifacts } from "../../../stack/artifacts.ts";

const path = process.env["PATH"];
let dir = "";
let cache = "";

/** Puts a stand-in for a program of the system first on the PATH: these tests are about what happens around it. */
function program(name: string, script: string): void {
  const file = join(dir, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const JAVA = "echo 'openjdk version \"17.0.1\"' >&2";
const GO = 'if [ "$1" = version ]; then echo go1.26.0; else touch "$GOBIN/versitygw"; fi';
const MVN = [
  'for a in "$@"; do case "$a" in -v) echo 3.9.1; exit;; -DoutputDirectory=*) out="${a#-DoutputDirectory=}";; esac; done',
  'mkdir -p "$out"; touch "$out/some.jar"',
  'tar -czf "$out/apicurio-registry-app-3.0.9-all.tar.gz" -C "$out" some.jar',
].join("\n");

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "health-sync-artifacts-"));
  cache = join(dir, "cache");
  mkdirSync(join(dir, "bin"));
  process.env["PATH"] = `${join(dir, "bin")}:${path}`;
  program("java", JAVA);
  program("mvn", MVN);
  program("go", GO);
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(dir, { recursive: true, force: true });
});

test("artifacts are fetched once, each into a directory of its version", async () => {
  const said: string[] = [];
  const first = await fetchArtifacts(cache, (line) => said.push(line));
  expect(existsSync(join(first.kafka, "libs/some.jar"))).toBe(true);
  expect(existsSync(join(first.registry, "some.jar"))).toBe(true);
  expect(existsSync(join(first.objects, "versitygw"))).toBe(true);
  expect(readdirSync(cache).toSorted()).toEqual(["apicurio-registry-3.0.9", "kafka-4.4.0", "versitygw-1.8.0"]);
  expect(said.filter((line) => line.startsWith("fetched"))).toHaveLength(3);
  rmSync(join(dir, "bin", "mvn"));
  program("go", "exit 1");
  expect(await fetchArtifacts(cache, () => expect.unreachable("fetched again"))).toEqual(first);
});

test("a fetch that fails half-way leaves nothing that counts as there, and says what failed and why", async () => {
  program(
    "go",
    'if [ "$1" = version ]; then echo go1.26.0; else touch "$GOBIN/versitygw"; echo no route >&2; exit 1; fi',
  );
  await expect(fetchArtifacts(cache, () => undefined)).rejects.toThrow(/could not fetch versitygw[\s\S]*no route/);
  expect(readdirSync(cache).toSorted()).toEqual(["apicurio-registry-3.0.9", "kafka-4.4.0"]);
  program("go", GO);
  mkdirSync(join(cache, `.partial-${2 ** 22 + 1}-versitygw-1.8.0-killed`));
  await fetchArtifacts(cache, () => undefined);
  expect(readdirSync(cache).filter((name) => name.startsWith("."))).toEqual([]);
  expect(readdirSync(cache)).toContain("versitygw-1.8.0");
});

test("a program that is missing or too old is named with what needs it and what to do, before anything is fetched", async () => {
  program("java", "echo 'java version \"1.8.0_392\"' >&2");
  await expect(fetchArtifacts(cache, () => undefined)).rejects.toThrow(/`java` is 1\.8\. .*Java 17 or newer.*install/);
  program("java", JAVA);
  program("go", "exit 127");
  await expect(fetchArtifacts(cache, () => undefined)).rejects.toThrow(/`go` does not run here.*versitygw.*Go 1\.25/);
  expect(existsSync(cache)).toBe(false);
});
