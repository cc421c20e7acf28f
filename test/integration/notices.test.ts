import { afterAll, expect, test } from "vitest";
import type { News } from "../../src/flow/ports.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { listenTo } from "../../src/io/postgres-notices.ts";
import { sleep, until } from "../support/kafka-member.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("notices");
const db = openDatabase({ url: here.env.DATABASE_URL, max: 3 });
afterAll(() => db.close());

const lines: string[] = [];
const listening = (application_name: string) => {
  const calls: News[] = [];
  const notices = listenTo(
    {
      url: here.env.DATABASE_URL,
      application_name,
      ask: (text, params) => db.query(text, params),
      log: (event) => lines.push(event),
    },
    { outbox: () => calls.push("outbox") },
  );
  return { calls, notices };
};
const say = (news: News) => db.transaction(async (tx) => tx.announce(news));

test("what a transaction announces is heard once it is committed, and never where it is rolled back", async () => {
  const { calls, notices } = listening("notices-heard");
  try {
    await until("the echo", () => notices.heard());
    expect(calls).toEqual(["outbox"]);
    await expect(
      db.transaction(async (tx) => {
        tx.announce("outbox");
        await tx.query("select 1/0");
      }),
    ).rejects.toThrow("division by zero");
    await say("windows");
    await sleep(300);
    expect(calls).toEqual(["outbox"]);
    await say("outbox");
    await until("the news", () => calls.length > 1);
    // News close to each other are one; the last one is never swallowed.
    for (let n = 0; n < 50; n += 1) await say("outbox");
    await sleep(300);
    expect(calls.length).toBeGreaterThan(2);
    expect(calls.length).toBeLessThan(53);
  } finally {
    await notices.close();
  }
});

test("a line that is cut is opened again, and whoever listens looks for what was missed", async () => {
  const { calls, notices } = listening("notices-cut");
  try {
    await until("the echo", () => notices.heard());
    await db.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'notices-cut'");
    await until("silence", () => !notices.heard());
    await until("the echo of the new line", () => notices.heard());
    expect(calls).toEqual(["outbox", "outbox"]);
    expect(lines).toContain("postgres_notices_lost");
    await say("outbox");
    await until("the news", () => calls.length === 3);
  } finally {
    await notices.close();
  }
});

test("behind a pooler that hands connections on, where listening succeeds and nothing comes, nothing counts as heard", async () => {
  // What arrives through such a pooler: the answer to `listen`, and no notification.
  const before = lines.length;
  const deaf = listenTo(
    {
      url: here.env.DATABASE_URL,
      application_name: "notices-deaf",
      ask: async () => undefined,
      log: (event) => lines.push(event),
    },
    {},
  );
  try {
    await until("the missing echo", () => lines.length > before);
    expect(deaf.heard()).toBe(false);
  } finally {
    await deaf.close();
  }
});
