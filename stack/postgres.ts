import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { POSTGRES_VERSION } from "./artifacts.ts";
import { run, type Part, type PartInput } from "./part.ts";
import type { User } from "./process.ts";

/** Postgres refuses to run as root: then it runs as `nobody`, whose files lie where it can reach them. */
export function postgres({ state, artifacts, logDir }: PartInput): Part {
  const user = unprivileged();
  const data = join(state.postgresDir, "data");
  const copied = join(state.postgresDir, "programs");
  const programs = isReachable(artifacts.postgres, user) ? artifacts.postgres : copied;
  const options = { user, cwd: "/", env: { LC_ALL: "C", TZ: "UTC" } };
  return {
    name: "postgres",
    version: POSTGRES_VERSION,
    after: [],
    async prepare() {
      mkdirSync(state.postgresDir, { recursive: true, mode: 0o755 });
      if (programs === copied && !existsSync(copied)) {
        cpSync(artifacts.postgres, copied, { recursive: true, verbatimSymlinks: true });
      }
      if (existsSync(join(data, "made"))) return;
      // What an interrupted attempt left is no database.
      rmSync(data, { recursive: true, force: true });
      mkdirSync(data, { mode: 0o700 });
      if (user !== undefined) chownSync(data, user.uid, user.gid);
      const cluster = join(data, "cluster");
      const initdb = ["-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"];
      await run(join(programs, "bin/initdb"), initdb, options);
      // The package holds no psql and no createdb; single-user mode takes SQL from its input.
      const input = "create database registry\ncreate database health_sync\n";
      await run(join(programs, "bin/postgres"), ["--single", "-D", cluster, "postgres"], { ...options, input });
      mkdirSync(join(data, "made"));
    },
    launch: () => ({
      command: join(programs, "bin/postgres"),
      args: [
        "-D",
        join(data, "cluster"),
        "-p",
        String(state.ports.postgres),
        "-h",
        "127.0.0.1",
        "-k",
        "",
        "-c",
        "max_connections=300",
        "-c",
        "shared_buffers=128MB",
        "-c",
        "wal_level=logical",
        "-c",
        "max_wal_size=2GB",
        "-c",
        "timezone=UTC",
      ],
      log: join(logDir, "postgres.log"),
      ...options,
    }),
  };
}

/** `preferred` when the user of Postgres reaches it, else a directory of its own among the temporary ones. */
export function placeForPostgres(preferred: string, fallback: string): string {
  const user = unprivileged();
  if (user === undefined) return preferred;
  mkdirSync(dirname(preferred), { recursive: true });
  if (isReachable(dirname(preferred), user)) return preferred;
  mkdirSync(fallback, { recursive: true });
  chmodSync(fallback, 0o755);
  return fallback;
}

/** The user to drop to; undefined when we are not root. */
function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const account = accounts.find(([name]) => name === "nobody") ?? accounts.find(([name]) => name === "postgres");
  if (account === undefined) {
    throw new Error("Postgres does not run as root and there is no user `nobody` to drop to: run as a normal user");
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** Whether `user` may pass through every directory down to `path`. */
function isReachable(path: string, user: User | undefined): boolean {
  if (user === undefined) return true;
  for (let dir = path; dirname(dir) !== dir; dir = dirname(dir)) {
    const { mode, uid, gid } = statSync(dir);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
  }
  return true;
}
