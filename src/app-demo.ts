import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { writeExport } from "../bench/generator/export-xml.ts";
import { runImport, waitForAthlete } from "./app-import.ts";
import { demoReport } from "./app-demo-report.ts";
import { connect } from "./app.ts";
import { readConfig } from "./config.ts";
import type { DemoOptions } from "./ops/demo-command.ts";
import { progressLine, summaryLines } from "./ops/import-text.ts";
import { startServing } from "./ops/serving.ts";
import { mintToken } from "./ops/token.ts";

const STACK = "demo";
const DAY_MS = 86_400_000;
const WAIT_MS = 10 * 60_000;
const samples = join(import.meta.dirname, "..", "test", "samples", "apple-export");

/** What the demo imports: real exports with their licences in test/samples, and four generated weeks of Watch and iPhone. */
type Story = { athlete: string; about: string; files: string[]; zone: string };

const say = (line = ""): void => void process.stdout.write(`${line}\n`);
const note = (line: string): void => void process.stderr.write(`${line}\n`);

const stories = (own: string[], folder: string): Story[] => {
  if (own.length > 0) return [{ athlete: "you", about: "your export", files: own, zone: "UTC" }];
  const generated = join(folder, "four-weeks.xml");
  const firstDate = new Date(Date.now() - 29 * DAY_MS).toISOString().slice(0, 10);
  const { home } = writeExport(generated, { seed: 7, firstDate, days: 28, sprinkle: true });
  const real = ["iphone6s-2014-v3.xml", "watch-2024.xml"].map((file) => join(samples, file));
  return [
    {
      athlete: "real",
      about: "two real exports (an iPhone of 2014, a Watch of 2024)",
      files: real,
      zone: "Europe/Amsterdam",
    },
    {
      athlete: "generated",
      about: "four generated weeks, nights included, Watch and iPhone overlapping",
      files: [generated],
      zone: home,
    },
  ];
};

const runStory = async (story: Story, env: NodeJS.ProcessEnv): Promise<void> => {
  const connections = connect(readConfig(env), "demo");
  say(`\n▸ ${story.athlete}: ${story.about}`);
  const request = { files: story.files, athlete_id: story.athlete, time_zone: story.zone, dry_run: false };
  const report = await runImport(connections, request, (progress) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progressLine(progress)}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const line of summaryLines(report, false)) say(`  ${line}`);
  await waitForAthlete(connections, story.athlete, WAIT_MS);
  say("  durable   staging, Parquet, athlete_metrics, topics");
};

const pageToken = (env: NodeJS.ProcessEnv, athlete: string): Promise<string> =>
  mintToken({ secret: readConfig(env).authSecret, athletes: [athlete], scopes: ["read", "write"], ttl: 86_400 });

/** Two minutes on a stack of its own, which it brings up; `files` instead of the kept exports. */
export const demo = async (files: string[], { keep, docker }: DemoOptions): Promise<void> => {
  const { up, down } = await import("../stack/stack.ts");
  const { foreignStack } = await import("../stack/foreign.ts");
  const foreign = foreignStack(process.env) !== undefined;
  const wish = docker === undefined ? "auto" : docker ? "force" : "never";
  const stack = await up({ ...(foreign ? {} : { name: STACK }), docker: wish, say: note });
  const folder = mkdtempSync(join(tmpdir(), "health-sync-demo-"));
  const main = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
  const env = { ...process.env, ...stack, LOG_LEVEL: "info", ...(keep ? {} : { PORT: "0" }) };
  let left = false;
  try {
    const serving = await startServing(main, env);
    note(`serving at ${serving.url}`);
    try {
      const told = stories(files, folder);
      for (const story of told) await runStory(story, env);
      const athletes = told.map((story) => story.athlete);
      for (const line of await demoReport(connect(readConfig(env), "demo"), athletes)) say(line);
      if (keep) {
        const athlete = athletes.at(-1) ?? "";
        const token = await pageToken(env, athlete);
        for (const line of furtherLines(serving.url, { foreign, pid: serving.pid, athlete, token })) say(line);
        serving.leave();
        left = true;
      }
    } finally {
      if (!left) await serving.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (!left && !foreign) await down(STACK, false, note);
  }
  if (!left)
    say("\nEverything that was started is stopped. `npm run demo -- --keep` leaves it running, to look further.");
};

type Left = { foreign: boolean; pid: number; athlete: string; token: string };

const furtherLines = (url: string, { foreign, pid, athlete, token }: Left): string[] => [
  "\nStill running. To look further, the page (this address holds a token for a day):",
  `  ${url}/#athlete=${athlete}&token=${token}`,
  `  ${url}/openapi.json   ${url}/metrics   ${url}/readyz`,
  ...(foreign
    ? []
    : [`  npm run -s health-sync -- stack up --name ${STACK} > stack.env; set -a; . ./stack.env; set +a`]),
  "  TOKEN=$(npm run -s health-sync -- token --all-athletes --scope ingest,read)",
  `  curl -H "authorization: Bearer $TOKEN" "${url}/v1/athletes/${athlete}/metrics"`,
  `To stop: kill ${pid}${foreign ? "" : `; npm run -s health-sync -- stack down --name ${STACK}`}`,
];
