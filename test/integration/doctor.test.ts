import { beforeAll, expect, test } from "vitest";
import { openDoctor } from "../../src/app-doctor.ts";
import { connect } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Examined, examineAll } from "../../src/ops/doctor.ts";
import { openCorner } from "../support/corner.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("doctor");
const { db, applyTopics, topics } = await openCorner(here, 24);

const examined = async (env: Record<string, string | undefined> = {}): Promise<Map<string, Examined>> => {
  const opened = openDoctor(() => connect(readConfig({ ...here.env, ...env }), "doctor"));
  try {
    return new Map((await examineAll(opened.all)).map((one) => [one.part, one]));
  } finally {
    await opened.close();
  }
};
const states = (found: ReadonlyMap<string, Examined>) =>
  Object.fromEntries([...found].filter(([, { state }]) => state !== "fine").map(([part, { state }]) => [part, state]));

beforeAll(async () => {
  await applyTopics();
});

test("a service that is set up has nothing bad, and everything is looked at", async () => {
  const found = await examined();
  expect(states(found)).toEqual({});
  expect(found.size).toBe(10);
});

test("what is missing or away is named with what to do, and does not hide the rest", async () => {
  expect(states(await examined({ S3_BUCKET: "not-there" }))).toEqual({ objects: "bad" });
  expect(states(await examined({ SCHEMA_REGISTRY_URL: "http://127.0.0.1:9" }))).toEqual({
    registry: "bad",
    topics: "bad",
  });
  const short = await examined({ AUTH_SECRET: "short" });
  expect(short.get("settings")).toMatchObject({ state: "bad", says: expect.stringContaining("AUTH_SECRET") as string });
  const nothing = await examined({ KAFKA_BROKERS: undefined });
  expect([...nothing.keys()]).toEqual(["settings"]);
  expect(nothing.get("settings")?.says).toContain("KAFKA_BROKERS is not set");
});

test("a position outside its log, an event that waits, letters of today and missing topics are found", async () => {
  await db.query(
    `insert into consumer_offsets (group_id, topic, topic_partition, position) values ('staging', $1, 0, 5)`,
    [topics("samples")],
  );
  await db.query(`insert into outbox (shard, topic, created_at) values (0, 't', now() - interval '10 minutes')`);
  expect(states(await examined())).toEqual({ positions: "bad", work: "bad" });
  await db.query(`delete from outbox`);
  await db.query(
    `insert into dead_letters (id, reason, detail, content_type, payload, origin, attempts, first_seen_at)
     values (gen_random_uuid(), 'bad_unit', '', '', '', '{}', 1, now())`,
  );
  const found = await examined({ TOPIC_PREFIX: `${here.prefix}other.` });
  expect(states(found)).toEqual({ topics: "bad", positions: "bad", work: "odd" });
  expect(found.get("work")?.says).toContain("bad_unit");
  expect(found.get("topics")?.advice).toBe("health-sync topics apply");
});
