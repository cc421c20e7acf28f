import { beforeAll, expect, test } from "vitest";
import { connect } from "../../src/app.ts";
import { openDeadLetters } from "../../src/app-dead-letters.ts";
import { readConfig } from "../../src/config.ts";
import { digest, sha256Hex } from "../../src/flow/digest.ts";
import { decideBatch } from "../../src/ingest/decide.ts";
import { publishBatch } from "../../src/ingest/publish.ts";
import { deadLettersCommand } from "../../src/ops/dead-letters-command.ts";
import type { ListedLetter } from "../../src/ops/dead-letters.ts";
import type { RetryReport } from "../../src/ops/dead-letters-retry.ts";
import { openCorner } from "../support/corner.ts";
import { isolated } from "../support/stack.ts";
import { aSeries, aSent, aChunk, HR, uuid } from "../support/staging/chunks.ts";
import { openRig } from "../support/staging/rig.ts";

const here = await isolated("letters");
const rig = openRig(here, await openCorner(here, 1));
const ALL = ["samples", "backfill", "batches", "deadletter"] as const;
const applied = async (): Promise<void> => {
  await rig.applied("staging", ["samples", "backfill", "batches"]);
  await rig.relay();
  await rig.applied("staging", ["deadletter"]);
};

const told: { lines: string[]; code: number } = { lines: [], code: 0 };
const run = async (...args: string[]): Promise<string> => {
  told.lines = [];
  told.code = 0;
  await deadLettersCommand({
    open: () => openDeadLetters(connect(readConfig({ ...here.env, TOPIC_PREFIX: here.prefix }), "test")),
    print: (line) => told.lines.push(line),
    stderr: { write: () => undefined },
    exit: (code) => {
      told.code = code;
    },
  })
    .enablePositionalOptions()
    .parseAsync(args, { from: "user" });
  return told.lines.join("\n");
};
const list = async (...args: string[]): Promise<ListedLetter[]> =>
  (JSON.parse(await run("list", "--json", ...args)) as { letters: ListedLetter[] }).letters;
const retry = async (...args: string[]): Promise<RetryReport> =>
  JSON.parse(await run("retry", "--json", ...args)) as RetryReport;

const RECEIVED = Date.parse("2026-03-10T13:00:00Z");
const heart = (n: number, value: number) => ({
  uuid: uuid(n),
  type: HR,
  start: "2026-03-10T12:00:00Z",
  end: "2026-03-10T12:00:00Z",
  value,
  unit: "count/min",
  source: { name: "Watch" },
});

beforeAll(async () => {
  await rig.applyTopics();
  await rig.work({ only: [...ALL] });
  // By a client: one that no rule will ever take, one whose unit was not known, one of another athlete.
  for (const [athlete_id, samples] of [
    ["a1", [heart(1, 9000), heart(2, 60), { ...heart(3, 70), unit: "beats" }]],
    ["a2", [heart(4, 9000)]],
  ] as const) {
    const body = { batch_id: `b-${athlete_id}`, time_zone: "Asia/Tokyo", samples };
    const context = {
      athlete_id,
      received_at: RECEIVED,
      door: "native",
      kind: "http",
      body_hash: sha256Hex(Buffer.from(athlete_id)),
    } as const;
    const publish = { producer: rig.producer, codec: rig.codec, topics: rig.topics, isTransient: () => false };
    await publishBatch(publish, decideBatch(body, context, digest));
  }
  // By a stranger, directly on the topic: bytes that are nothing, a sample that is none, a record under another's key.
  const samples = rig.topics("samples");
  const chunk = aChunk({ athlete_id: "a3", series: [aSeries([aSent({ sample_id: uuid(9), value: 5000 })])] });
  const value = await rig.codec.encode(samples, chunk);
  await rig.producer.send([
    { topic: samples, key: "a3", value: Buffer.from([7, 0, 255]) },
    { topic: samples, key: "a3", value },
    { topic: samples, key: "somebody", value },
  ]);
  await applied();
}, 60_000);

test("letters are listed by reason, athlete and time, page by page, without what was sent", async () => {
  expect((await list()).map((letter) => letter.reason).toSorted()).toEqual([
    "bad_frame",
    "bad_unit",
    "out_of_range",
    "out_of_range",
    "out_of_range",
    "wrong_key",
  ]);
  expect(await list("--reason", "out_of_range", "--athlete", "a2")).toMatchObject([
    { athlete_id: "a2", path: "samples[0].value", attempts: 1, retried_at: null },
  ]);
  expect(await list("--until", "2026-03-10T13:00:00Z")).toEqual([]);
  expect(await list("--since", "2026-03-10T13:00:00Z", "--until", "2026-03-10T13:00:01Z")).toHaveLength(3);
  const first = await list("--limit", "4");
  const rest = await list("--after", first.at(-1)?.id ?? "");
  expect([...first, ...rest].map(({ id }) => id)).toEqual((await list()).map(({ id }) => id));
  const text = await run("list", "--limit", "4");
  expect(text).toContain(`more: --after ${first.at(-1)?.id}`);
  expect(text).toContain("3 out_of_range");
  expect(text).not.toContain("9000");
});

test("a letter is shown as text where it is text, else in hexadecimal", async () => {
  const [unit] = await list("--reason", "bad_unit");
  expect(await run("show", unit?.id ?? "")).toContain(`"unit":"beats"`);
  const [frame] = await list("--reason", "bad_frame");
  expect(told.code).toBe(0);
  expect(JSON.parse(await run("show", "--json", frame?.id ?? ""))).toMatchObject({
    encoding: "hex",
    payload: "0700ff",
  });
  await expect(run("show", uuid(77))).rejects.toThrow("there is no dead letter");
});

test("what is refused again stays one letter with a try more, and the exit code says so", async () => {
  const dry = await retry("--athlete", "a2", "--dry-run");
  expect(dry).toMatchObject({ tried: 1, accepted: 0, left: [{ kind: "refused", reason: "out_of_range" }] });
  expect(await list("--athlete", "a2")).toMatchObject([{ attempts: 1 }]);
  expect(await retry("--athlete", "a2")).toMatchObject({ tried: 1, accepted: 0 });
  expect(told.code).toBe(1);
  const ids = (await list("--reason", "bad_frame")).concat(await list("--reason", "wrong_key")).map(({ id }) => id);
  expect((await retry(...ids)).left).toMatchObject([
    { kind: "refused", reason: "bad_frame" },
    { kind: "impossible", why: expect.stringContaining("another key") },
  ]);
  expect((await retry("--athlete", "a3")).left).toMatchObject([
    { kind: "refused", reason: "out_of_range", path: "series[0].samples[0].value" },
  ]);
  await applied();
  expect(await list("--athlete", "a2")).toMatchObject([{ attempts: 2, retried_at: null }]);
  expect(await list()).toHaveLength(6);
  await expect(run("retry")).rejects.toThrow("say which");
});

/** As if a rule had been corrected since: what was sent is fine by today's rules. */
const corrected = (from: string, to: string): Promise<unknown> =>
  rig.db.query(
    `update dead_letters set payload = convert_to(replace(convert_from(payload, 'UTF8'), $1, $2), 'UTF8')
     where content_type like 'application/json%'`,
    [from, to],
  );

test("what has become right goes through the same door: with its zone, as received then, and is marked", async () => {
  await corrected(`"unit":"beats"`, `"unit":"count/min"`);
  await corrected(`"value":5000`, `"value":50`);
  expect(await retry("--reason", "bad_unit")).toMatchObject({ tried: 1, accepted: 1, left: [] });
  expect(told.code).toBe(0);
  const [part] = await list("--athlete", "a3");
  expect(await retry(part?.id ?? "")).toMatchObject({ accepted: 1 });
  await applied();
  expect(
    await rig.db.query(
      `select sample_id, value, tz, received_at from health_samples_staging where sample_id = any($1) order by value`,
      [[uuid(3), uuid(9)]],
    ),
  ).toMatchObject([
    { sample_id: uuid(9), value: 50, received_at: Date.parse("2026-03-20T00:00:00Z") },
    { sample_id: uuid(3), value: 70, tz: "Asia/Tokyo", received_at: RECEIVED },
  ]);
  expect(await list("--reason", "bad_unit")).toEqual([]);
  expect(await list("--reason", "bad_unit", "--all")).toMatchObject([{ attempts: 2, retried_at: expect.any(Number) }]);
  expect(await list("--all")).toHaveLength(6);
  expect((await retry(part?.id ?? "")).left).toMatchObject([
    { kind: "impossible", why: expect.stringContaining("went through on") },
  ]);
});

test("a record that could not be read is written to its topic again once it can be", async () => {
  const chunk = aChunk({ athlete_id: "a4", series: [aSeries([aSent({ sample_id: uuid(20) })])] });
  const value = await rig.codec.encode(rig.topics("samples"), chunk);
  await rig.db.query(`update dead_letters set payload = $1 where reason = 'bad_frame'`, [value]);
  expect(await retry("--reason", "bad_frame")).toMatchObject({ accepted: 1, left: [] });
  await applied();
  expect(await rig.db.query(`select athlete_id from health_samples_staging where sample_id = $1`, [uuid(20)])).toEqual([
    { athlete_id: "a4" },
  ]);
});
