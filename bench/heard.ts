import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A part that was started again: why, as its supervisor says, and the last that it said itself. */
export type Restart = { part: string; reason: string; lines: readonly string[] };

type Line = { event?: unknown; role?: unknown; part?: unknown; reason?: unknown };

const KEPT = 6;
/** Said so often that they would push out what tells something. */
const OFTEN: ReadonlySet<unknown> = new Set(["applied", "http_request"]);

const read = (line: string): Line => {
  try {
    return (JSON.parse(line) as Line | null) ?? {};
  } catch {
    return {};
  }
};

/** Finds restarts in the log of a service. What every batch says tells nothing; a line that is not JSON is V8's or Node's own. */
export const restartsIn = () => {
  const last = new Map<string, string[]>();
  const found: Restart[] = [];
  const keep = (role: string, line: string): void => {
    const lines = [...(last.get(role) ?? []), line].slice(-KEPT);
    last.set(role, lines);
  };
  return {
    found: (): readonly Restart[] => found,
    hear: (line: string): void => {
      const { event, role, part, reason } = read(line);
      // What the supervisor says of a part belongs to the part.
      const of = part ?? role;
      if (event === "worker.restarting") {
        const name = String(part);
        found.push({ part: name, reason: String(reason), lines: [...(last.get(name) ?? []), ...(last.get("") ?? [])] });
        last.delete("");
      } else if (!OFTEN.has(event) && line !== "") keep(typeof of === "string" ? of : "", line);
    },
  };
};

const told = ({ part, reason, lines }: Restart): string[] => [
  `${part} was started again: ${reason}`,
  ...lines.map((line) => `  ${line}`),
];

/** Keeps what a service says in a file, which stays when something went wrong. */
export const keepLog = (say: (line: string) => void) => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-log-")), "serve.log");
  const into = openSync(file, "w");
  const restarts = restartsIn();
  return {
    hear: (line: string): void => {
      writeSync(into, `${line}\n`);
      restarts.hear(line);
    },
    restarts: restarts.found,
    /** `whole`: what it was started for was done. Tells of restarts, and where the log is when it stays. */
    end: (whole: boolean): void => {
      closeSync(into);
      for (const line of restarts.found().flatMap(told)) say(line);
      if (whole && restarts.found().length === 0) rmSync(dirname(file), { recursive: true });
      else say(`the log of the service and its parts: ${file}`);
    },
  };
};
