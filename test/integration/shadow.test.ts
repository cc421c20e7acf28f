import { expect, test } from "vitest";
import { inShadow } from "../../src/ops/shadow.ts";
import { openCorner } from "../support/corner.ts";
import { logicalDump } from "../support/logical-dump.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("shadow");
const { db } = await openCorner(here);

const DAY = "2026-03-10";
const seed = async (athlete: string): Promise<void> => {
  await db.query(`insert into athletes (athlete_id) values ($1)`, [athlete]);
  await db.query(
    `insert into windows (athlete_id, local_date, dirty, fired, closes_at, touched_at, lane, reason, topic_partition)
     values ($1, $2, 3, 1, $2::date + 1, now(), 'live', 'test', 0)`,
    [athlete, DAY],
  );
};
const version = `select athlete_id, version from athletes order by 1`;

test("work on a shadow sees what it wrote, of admitted athletes only, and nothing of it is left", async () => {
  await seed("a1");
  await seed("a2");
  const before = await logicalDump(here.databaseUrl);
  const seen = await inShadow(db, Date.parse("2026-03-12T00:00:00Z"), async (shadow) => {
    await shadow.admit(["a1", "a1"]);
    await shadow.admit(["a1"]);
    await shadow.db.transaction(async (tx) => {
      await tx.query(`update athletes set version = 7`);
      await tx.query(`insert into outbox (shard, athlete_id, topic) values (1, 'a1', 't')`);
      await tx.query(`select nextval('revisions'), nextval('object_generations')`);
    });
    const failed = shadow.db.transaction(async (tx) => {
      await tx.query(`update athletes set version = 9`);
      throw new Error("undone");
    });
    await expect(failed).rejects.toThrow("undone");
    const [windows] = await shadow.db.query(`select dirty, fired, closed_at is not null as closed from windows`);
    return { athletes: await shadow.db.snapshot((tx) => tx.query(version)), windows };
  });
  expect(seen).toEqual({
    athletes: [{ athlete_id: "a1", version: 7 }],
    // What is under way counts as done, and a day that is over as closed.
    windows: { dirty: 3, fired: 3, closed: true },
  });
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
});

test("live traffic takes the athlete's lock and moves on while a shadow of it is open", async () => {
  await db.query(`truncate athletes, windows`);
  await seed("a1");
  await inShadow(db, 0, async (shadow) => {
    await shadow.admit(["a1"]);
    await shadow.db.query(`update athletes set version = 100`);
    await db.transaction(async (tx) => {
      await tx.query(`select 1 from athletes where athlete_id = 'a1' for update nowait`);
      await tx.query(`update athletes set version = version + 1 where athlete_id = 'a1'`);
    });
    expect(await shadow.db.query(version)).toEqual([{ athlete_id: "a1", version: 100 }]);
  });
  expect(await db.query(version)).toEqual([{ athlete_id: "a1", version: 1 }]);
});

test("what fails in a shadow is thrown, and undone all the same", async () => {
  const before = await logicalDump(here.databaseUrl);
  const failing = inShadow(db, 0, async (shadow) => {
    await shadow.db.query(`insert into athletes (athlete_id) values ('b')`);
    throw new Error("no objects");
  });
  await expect(failing).rejects.toThrow("no objects");
  expect(await logicalDump(here.databaseUrl)).toEqual(before);
});
