import { expect, test } from "vitest";
import { CURRENT_RULES, chooseRules } from "../../../src/domain/history/rules.ts";
import type { Selection } from "../../../src/ops/recompute.ts";
import { type RecomputePorts, recomputeCommand } from "../../../src/ops/recompute-command.ts";
import type { RecomputePreview } from "../../../src/ops/recompute-text.ts";

const NOTHING: RecomputePreview = { objects: [], metrics: [], sessions: 0 };

/** Runs the command with two athletes of 3 and 60 days; answers what it printed, and what it asked its ports for. */
const run = async (args: string[], over: Partial<RecomputePorts> = {}, told = new AbortController()) => {
  const [lines, marked]: [string[], [string, Selection][]] = [[], []];
  const ports: RecomputePorts = {
    rules: CURRENT_RULES,
    select: async () => [
      { athlete_id: "anna", days: 3 },
      { athlete_id: "ben", days: 60 },
    ],
    mark: async (athleteId, selection, { onProgress }) => {
      marked.push([athleteId, selection]);
      const days = athleteId === "anna" ? 3 : 60;
      onProgress?.(days);
      return days;
    },
    wait: async () => void lines.push("waited"),
    preview: async () => NOTHING,
    close: async () => void lines.push("closed"),
    ...over,
  };
  const command = recomputeCommand({
    open: async () => ports,
    print: (line) => lines.push(line),
    progress: () => undefined,
    told: () => told.signal,
  }).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: "user" });
  return { lines, marked };
};

test("it marks everybody's days and says so, waiting where it is asked to", async () => {
  const { lines, marked } = await run(["--all-athletes", "--from", "2026-01-01", "--wait"]);
  expect(marked).toEqual(
    ["anna", "ben"].map((id) => [id, { athletes: null, from: "2026-01-01", to: null, rule: null }]),
  );
  expect(lines).toEqual(["waited", "63 days of 2 athletes are computed", "closed"]);
  const json = await run(["--athlete", "anna,ben", "--json"]);
  expect(JSON.parse(json.lines[0] ?? "")).toEqual({ athletes: 2, days: 63, marked: 63, state: "marked" });
});

test("a dry run marks nothing and prints what would change", async () => {
  const metric = { athlete_id: "anna", date: "2026-01-02", metric: "steps", source: "derived", locked: false };
  const preview = async () => ({ ...NOTHING, metrics: [{ ...metric, before: 7, after: 9 }] });
  const { lines, marked } = await run(["--all-athletes", "--dry-run"], { preview });
  expect(marked).toEqual([]);
  expect(lines[0]).toBe("63 days of 2 athletes would be computed anew; nothing was changed yet:");
  expect(lines.join("\n")).toMatch(/anna +2026-01-02 +steps +derived +7 +9/);
  const quiet = await run(["--all-athletes", "--dry-run"]);
  expect(quiet.lines).toContain("nothing would change");
});

test("a version that is not in force can only be looked at", async () => {
  const args = ["--all-athletes", "--rule", "readiness/2"];
  await expect(run(args)).rejects.toThrow(/readiness\/2 is not in force.*--dry-run, then set RULES=readiness\/2/);
  expect((await run([...args, "--dry-run"])).lines).toContain("nothing would change");
  expect((await run(args, { rules: chooseRules(["readiness/2"]) })).marked).toHaveLength(2);
  expect((await run(["--all-athletes", "--rule", "readiness"])).marked).toHaveLength(2);
});

test("at the signal it stops and says how far it is", async () => {
  const told = new AbortController();
  const mark: RecomputePorts["mark"] = async (_athlete, _selection, { onProgress }) => {
    onProgress?.(2);
    told.abort();
    return 2;
  };
  await expect(run(["--all-athletes"], { mark }, told)).rejects.toThrow(
    "stopped in anna: 2 of 63 days are marked and will be computed",
  );
});

test.each([
  [["--from", "2026-03-28"], /either --athlete ID or --all-athletes/],
  [["--athlete", "anna", "--all-athletes"], /either --athlete ID or --all-athletes/],
  [["--all-athletes", "--from", "2026-03-29", "--to", "2026-03-28"], /--from must not be after --to/],
  [["--all-athletes", "--rule", "steps"], /no such rule; choose from .*steps_merge/],
  [["--all-athletes", "--from", "yesterday"], /write a local date/],
  [["--all-athletes", "--rate", "0"], /days per second, over 0/],
])("recompute %j says what to do instead", async (args, said) => {
  await expect(run(args)).rejects.toThrow(said);
});
