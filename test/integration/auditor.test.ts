import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../support/audit/audit.ts";
import { readLedger } from "../support/audit/ledger.ts";
import { passed, render, type Verdict } from "../support/audit/verdict.ts";
import { ATHLETE, DAYS, TODAY, deletedRow, ledgerLines, metricRows, rowsOf } from "../support/clean-state/content.ts";
import { openPlace, type Place } from "../support/clean-state/place.ts";
import {
  letterEvent,
  letterId,
  metricEvent,
  metricKey,
  pointTo,
  stage,
  writeCleanState,
} from "../support/clean-state/store.ts";

let place: Place;
const keys: Record<string, string> = {};
const ledger = readLedger(ledgerLines);
const look = (): Promise<Verdict[]> => audit(place.env, ledger, { graceMs: 60_000 });
const kinds = (verdicts: Verdict[]): string[] => [
  ...new Set(verdicts.flatMap((v) => v.violations.map((x) => `${v.invariant} ${x.kind}`))),
];

beforeAll(async () => {
  place = await openPlace(process.env);
  await writeCleanState(place);
  const pointers = (await place.sql("select period_start::text as day, object_key as key from health_streams")) as {
    day: string;
    key: string;
  }[];
  for (const p of pointers) keys[p.day] = p.key;
});
afterAll(() => place.close());

const [first, second] = DAYS;
const firstRow = rowsOf(TODAY)[0];
const steps = metricRows.find((m) => m.metric === "steps" && m.date === second && m.source === "derived");
if (!firstRow || !steps) throw new Error("the clean state is empty");
const wrongId = "00000000-0000-4000-8000-000000000001";
const setSteps = (column: string, value: number | boolean, day: string): Promise<unknown> =>
  place.sql(`update athlete_metrics set ${column} = $1 where date = $2 and metric = 'steps' and source = 'derived'`, [
    value,
    day,
  ]);
const repoint = (day: string, rows: ReturnType<typeof rowsOf>): Promise<unknown> =>
  pointTo(place, day, rows, DAYS.indexOf(day as never) + 1);

type Plant = { name: string; finds: string; plant: () => Promise<unknown>; undo: () => Promise<unknown> };

/** Each breaks one thing and puts it back. What `finds` names must be found; the state is clean before each. */
const plants: Plant[] = [
  {
    name: "a lost row of staging",
    finds: "I2 lost",
    plant: () => place.sql("delete from health_samples_staging where sample_id = $1", [firstRow.sample_id]),
    undo: () => stage(place, [firstRow]),
  },
  {
    name: "a row lost from an object",
    finds: "I2 lost",
    plant: () => repoint(first, rowsOf(first).slice(1)),
    undo: () => repoint(first, rowsOf(first)),
  },
  {
    name: "a row in staging and in an object",
    finds: "I2 doubled",
    plant: () => stage(place, rowsOf(first).slice(0, 1)),
    undo: () => place.sql("delete from health_samples_staging where local_date = $1", [first]),
  },
  {
    name: "a row twice in one object",
    finds: "I2 doubled",
    plant: () => repoint(first, [...rowsOf(first), ...rowsOf(first).slice(0, 1)]),
    undo: () => repoint(first, rowsOf(first)),
  },
  {
    name: "a resurrected row",
    finds: "I2 resurrected",
    plant: () => repoint(first, [...rowsOf(first), deletedRow]),
    undo: () => repoint(first, rowsOf(first)),
  },
  {
    name: "a row that nobody sent",
    finds: "I2 not sent",
    plant: () => stage(place, [{ ...firstRow, sample_id: wrongId }]),
    undo: () => place.sql("delete from health_samples_staging where sample_id = $1", [wrongId]),
  },
  {
    name: "a row moved to another day's object",
    finds: "I2 moved",
    plant: async () => {
      await repoint(first, rowsOf(first).slice(1));
      await repoint(second, [...rowsOf(second), ...rowsOf(first).slice(0, 1)]);
    },
    undo: async () => {
      await repoint(first, rowsOf(first));
      await repoint(second, rowsOf(second));
    },
  },
  {
    name: "a row dated wrongly",
    finds: "I2 moved",
    plant: () =>
      place.sql("update health_samples_staging set local_date = $1 where sample_id = $2", [first, firstRow.sample_id]),
    undo: () =>
      place.sql("update health_samples_staging set local_date = $1 where sample_id = $2", [TODAY, firstRow.sample_id]),
  },
  {
    name: "a changed value",
    finds: "I2 changed",
    plant: () =>
      place.sql("update health_samples_staging set value = value + 1 where sample_id = $1", [firstRow.sample_id]),
    undo: () =>
      place.sql("update health_samples_staging set value = value - 1 where sample_id = $1", [firstRow.sample_id]),
  },
  {
    name: "a stale metric",
    finds: "I4 stale",
    plant: () => setSteps("value", 139, second),
    undo: () => setSteps("value", 140, second),
  },
  {
    name: "a stale value beneath a lock",
    finds: "I4 stale",
    plant: () => setSteps("synced_value", 100, first),
    undo: () => setSteps("synced_value", 140, first),
  },
  {
    name: "an overwritten locked value",
    finds: "I7 overwritten",
    plant: () => setSteps("value", 140, first),
    undo: () => setSteps("value", 12_345, first),
  },
  {
    name: "a lock that fell off",
    finds: "I7 overwritten",
    plant: () => setSteps("locked", false, first),
    undo: () => setSteps("locked", true, first),
  },
  {
    name: "a dead letter missing from the table",
    finds: "I5 dead letter missing",
    plant: () => place.sql("update dead_letters set path = 'elsewhere'"),
    undo: () => place.sql("update dead_letters set path = 'samples[0].value'"),
  },
  {
    name: "a dead letter doubled in the table",
    finds: "I5 dead letter doubled",
    plant: () =>
      place.sql(
        `insert into dead_letters select $1, athlete_id, reason, path, detail, content_type, payload, origin, attempts, first_seen_at from dead_letters`,
        [wrongId],
      ),
    undo: () => place.sql("delete from dead_letters where id = $1", [wrongId]),
  },
  {
    name: "a receipt that does not add up",
    finds: "I5 fates do not add up",
    plant: () => place.sql("update ingest_batches set accepted = accepted - 1"),
    undo: () => place.sql("update ingest_batches set accepted = accepted + 1"),
  },
  {
    name: "a pointer to a missing object",
    finds: "I6 pointer to nothing",
    plant: () => place.remove(keys[first] ?? ""),
    undo: () => repoint(first, rowsOf(first)),
  },
  {
    name: "a pointer to a different object",
    finds: "I6 different object",
    plant: () => place.put(keys[first] ?? "", Buffer.from("not what was written")),
    undo: () => repoint(first, rowsOf(first)),
  },
  {
    name: "a compacted topic that lags the table",
    finds: "I6 topic lags",
    plant: () => place.send("metrics", [{ key: metricKey(steps), value: { ...metricEvent(steps, 1), value: 1 } }]),
    undo: async () => {
      const revision = metricRows.indexOf(steps) + 1;
      await place.send("metrics", [{ key: metricKey(steps), value: metricEvent(steps, revision) }]);
    },
  },
  {
    name: "a row whose last record is a tombstone",
    finds: "I6 topic lags",
    plant: () => place.send("metrics", [{ key: metricKey(steps), value: null }]),
    undo: async () => {
      const revision = metricRows.indexOf(steps) + 1;
      await place.send("metrics", [{ key: metricKey(steps), value: metricEvent(steps, revision) }]);
    },
  },
  {
    name: "a removed row without its tombstone",
    finds: "I6 no tombstone",
    plant: () => place.send("metrics", [{ key: `${ATHLETE}|2026-11-01|steps|derived`, value: metricEvent(steps, 99) }]),
    undo: () => place.send("metrics", [{ key: `${ATHLETE}|2026-11-01|steps|derived`, value: null }]),
  },
  {
    name: "a dead letter doubled in the topic",
    finds: "I5 dead letter doubled",
    plant: () => place.send("deadletter", [{ key: ATHLETE, value: letterEvent(wrongId) }]),
    undo: () => Promise.resolve(),
  },
];

test("the auditor passes a clean state, and says what it looked at", async () => {
  const verdicts = await look();
  expect(render(verdicts, true)).not.toContain("FAIL");
  expect(verdicts.map((v) => v.invariant)).toEqual(["I2", "I4", "I5", "I6", "I7"]);
});

const runCommand = async (): Promise<{ code: number | null; out: string }> => {
  const file = join(mkdtempSync(join(tmpdir(), "health-sync-ledger-")), "ledger.ndjson");
  writeFileSync(file, ledgerLines.map((line) => JSON.stringify(line)).join("\n"));
  const { s3 } = place.env;
  const env = {
    ...process.env,
    DATABASE_URL: place.env.databaseUrl,
    TOPIC_PREFIX: place.env.topicPrefix,
    S3_BUCKET: s3.bucket,
  };
  const main = fileURLToPath(new URL("../support/audit/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, file], { env, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out };
};

test("the command names the wrong row without its value and exits 1; on the clean state it exits 0", async () => {
  await setSteps("value", 139, second);
  const wrong = await runCommand();
  await setSteps("value", 140, second);
  expect(wrong.code).toBe(1);
  expect(wrong.out).toContain(`stale  ${ATHLETE}|${second}|steps|derived`);
  expect(wrong.out).not.toContain("139");
  expect((await runCommand()).code).toBe(0);
});

test.each(plants)("the auditor catches $name", async ({ finds, plant, undo }) => {
  const before = await look();
  expect(kinds(before)).toEqual([]);
  await plant();
  const after = await look();
  await undo();
  expect(kinds(after)).toContain(finds);
  expect(after.every(passed)).toBe(false);
});

test("a dead letter that was sent again under its own id is still one letter", async () => {
  await place.send("deadletter", [{ key: ATHLETE, value: letterEvent(letterId) }]);
  const doubled = (await look()).flatMap((v) => v.violations).filter((v) => v.kind === "dead letter doubled");
  expect(doubled.filter((v) => v.detail.includes("table"))).toEqual([]);
});
