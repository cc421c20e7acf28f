import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { Tx } from "../../src/flow/ports.ts";
import { isTransient, openDatabase } from "../../src/io/postgres.ts";
import { COPY_COLUMNS, COPY_TYPES, copyRow } from "../support/copy-rows.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("postgres");
const db = openDatabase({ url: here.databaseUrl, max: 4 });
afterAll(() => db.close());

const rejection = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable("it should have been rejected"),
    (error: unknown) => error,
  );
const counter = async (tx: Pick<Tx, "query">): Promise<number> =>
  (await tx.query<{ n: number }>("select count(*) as n from athletes"))[0]?.n ?? -1;

test("answers have the shapes of the port", async () => {
  const [row] = await db.query(
    `select '2026-11-22 10:00:00.123+01'::timestamptz as instant, 'infinity'::timestamptz as never, '0099-03-01'::date as day,
       9007199254740991::int8 as big, 1.25::numeric as part, '{"a": [1, null]}'::jsonb as json, '\\x00ff'::bytea as bytes,
       array['2026-01-01'::date] as days, array[1::int8, null] as numbers, array['epoch'::timestamptz] as instants,
       array['00000000-0000-0000-0000-000000000001'::uuid] as ids, 'NaN'::float8 as nan`,
  );
  expect(row).toEqual({
    instant: Date.UTC(2026, 10, 22, 9, 0, 0, 123),
    never: Infinity,
    day: "0099-03-01",
    big: Number.MAX_SAFE_INTEGER,
    part: 1.25,
    json: { a: [1, null] },
    bytes: Buffer.from([0, 255]),
    days: ["2026-01-01"],
    numbers: [1, null],
    instants: [0],
    ids: ["00000000-0000-0000-0000-000000000001"],
    nan: Number.NaN,
  });
});

test("an int8 that a number cannot hold, and a timestamp that names no instant, are refused", async () => {
  await expect(db.query("select 9007199254740993::int8")).rejects.toThrow("does not fit a number exactly");
  await expect(db.query("select now()::timestamp")).rejects.toThrow("names no instant");
});

test("a Date parameter is the same instant whatever the year", async () => {
  for (const text of ["0001-01-01T00:00:00Z", "1850-06-01T12:00:00.001Z", "2026-11-22T00:00:00Z"]) {
    expect(await db.query("select $1::timestamptz as t", [new Date(text)])).toEqual([{ t: Date.parse(text) }]);
  }
});

test("a transaction that throws leaves nothing behind", async () => {
  const before = await counter(db);
  const thrown = new Error("stop");
  const work = db.transaction(async (tx) => {
    await tx.query("insert into athletes (athlete_id) values ('rolled-back')");
    throw thrown;
  });
  expect(await rejection(work)).toBe(thrown);
  expect(await counter(db)).toBe(before);
});

test("a transaction whose failed statement was ignored is rejected, because Postgres rolled it back", async () => {
  const work = db.transaction(async (tx) => {
    await tx.query("insert into athletes (athlete_id) values ('ignored')");
    await tx.query("select 1 / 0").catch(() => undefined);
  });
  await expect(work).rejects.toThrow("not committed");
});

test("a query that was not awaited cannot slip out of its transaction", async () => {
  let escaped: Tx | undefined;
  await db.transaction(async (tx) => {
    escaped = tx;
    void tx.query("select pg_sleep(0.05)");
    await Promise.all([tx.query("select 1"), tx.query("select 2")]);
  });
  await expect(escaped?.query("select 3")).rejects.toThrow("the transaction is over");
});

test("a snapshot does not see what is committed while it reads, and cannot write", async () => {
  await db.snapshot(async (reader) => {
    const before = await counter(reader);
    await db.query("insert into athletes (athlete_id) values ('during-snapshot')");
    expect(await counter(reader)).toBe(before);
    expect(
      await reader.copyOut("select athlete_id from athletes where athlete_id = $1", ["text"], ["during-snapshot"]),
    ).toEqual([]);
  });
  await expect(db.snapshot((reader) => reader.query("delete from athletes"))).rejects.toThrow("read-only transaction");
  expect(await counter(db)).toBeGreaterThan(0);
});

test("a transaction sees at each statement what others have committed", async () => {
  await db.transaction(async (tx) => {
    const before = await counter(tx);
    await db.query("insert into athletes (athlete_id) values ('during-transaction')");
    expect(await counter(tx)).toBe(before + 1);
  });
});

test("COPY stores any rows as a plain SELECT shows them, and reads them out again", async () => {
  const columns = COPY_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(", ");
  await fc.assert(
    fc.asyncProperty(fc.array(copyRow, { maxLength: 30 }), async (rows) => {
      await db.transaction(async (tx) => {
        await tx.query(`create temp table copied (n int4, ${columns}) on commit drop`);
        await tx.copyIn(
          "copied",
          [{ name: "n", type: "int4" }, ...COPY_COLUMNS],
          rows.map((row, n) => [n, ...row]),
        );
        const names = COPY_COLUMNS.map((column) => column.name);
        const shown = await tx.query(`select ${names.join(", ")} from copied order by n`);
        expect(shown.map((row) => names.map((name) => row[name]))).toEqual(rows);
        expect(await tx.copyOut(`select ${names.join(", ")} from copied order by n`, COPY_TYPES)).toEqual(rows);
      });
    }),
    { numRuns: 40 },
  );
});

test("a COPY that Postgres refuses, or whose values do not fit, leaves the pool in order", async () => {
  const rows = Array.from({ length: 5_000 }, (_, n) => [n === 4_000 ? "not allowed!" : `copied-${n}`]);
  for (const [value, message] of [
    [rows, "violates check constraint"],
    [[["fine"], [7]], "does not fit text"],
  ] as const) {
    const work = db.transaction((tx) => tx.copyIn("athletes", [{ name: "athlete_id", type: "text" }], value));
    await expect(work).rejects.toThrow(message);
  }
  await expect(db.snapshot((tx) => tx.copyOut("select 1 / 0", ["int4"]))).rejects.toThrow("division by zero");
  await expect(db.snapshot((tx) => tx.copyOut("select 1::int8", ["int4"]))).rejects.toThrow("is not int4");
  expect(await Promise.all(Array.from({ length: 8 }, () => db.query("select 1 as one")))).toHaveLength(8);
});

test("copyOut puts parameters in as literals that cannot break out", async () => {
  const evil = `it's "\\ $1 '); drop table athletes; --`;
  const out = await db.snapshot((tx) =>
    tx.copyOut(
      "select $1::text, x from unnest($2::text[]) as x where $3::int8 > 1",
      ["text", "text"],
      [evil, [evil, "{,}"], 2],
    ),
  );
  expect(out).toEqual([
    [evil, evil],
    [evil, "{,}"],
  ]);
});

test("a backend that is ended mid-transaction is a transient rejection, and the pool goes on", async () => {
  const inQuery = db.transaction((tx) => tx.query("select pg_terminate_backend(pg_backend_pid())"));
  expect(isTransient(await rejection(inQuery))).toBe(true);
  const betweenQueries = db.transaction(async (tx) => {
    const [row] = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
    await db.query("select pg_terminate_backend($1)", [row?.pid]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await tx.query("select 1");
  });
  expect(isTransient(await rejection(betweenQueries))).toBe(true);
  expect(await db.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("a connection that dies while idle in the pool is replaced", async () => {
  await Promise.all([db.query("select pg_sleep(0.05)"), db.query("select pg_sleep(0.05)")]);
  await db.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await Promise.all(Array.from({ length: 6 }, () => db.query("select 1 as one")))).toHaveLength(6);
});

const lock = (tx: Tx, id: string) => tx.query("select from athletes where athlete_id = $1 for update", [id]);

test("two transactions that lock in opposite order: one gets a transient rejection", async () => {
  await db.query("insert into athletes (athlete_id) values ('lock-a'), ('lock-b')");
  const both = (first: string, second: string) =>
    db.transaction(async (tx) => {
      await lock(tx, first);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await lock(tx, second);
    });
  const results = await Promise.allSettled([both("lock-a", "lock-b"), both("lock-b", "lock-a")]);
  const rejected = results.filter((each) => each.status === "rejected");
  expect(rejected.map((each) => isTransient(each.reason))).toEqual([true]);
});

test("when every connection is taken, a caller is turned away in bounded time, transiently", async () => {
  const small = openDatabase({ url: here.databaseUrl, max: 1, connect_timeout_ms: 300 });
  const release = Promise.withResolvers<undefined>();
  const holding = small.transaction(async () => release.promise);
  expect(isTransient(await rejection(small.query("select 1")))).toBe(true);
  release.resolve(undefined);
  await holding;
  expect(await small.query("select 1 as one")).toEqual([{ one: 1 }]);
  await small.close();
});

test("a server that is not there, or does not answer, is a transient rejection within the timeout", async () => {
  const { createServer } = await import("node:net");
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : 0;
  for (const url of [`postgres://nobody@127.0.0.1:${port}/none`, "postgres://nobody@127.0.0.1:1/none"]) {
    const away = openDatabase({ url, connect_timeout_ms: 500 });
    expect(isTransient(await rejection(away.query("select 1")))).toBe(true);
    await away.close();
  }
  silent.close();
});

test("a statement over its time limit is ended and is a transient rejection", async () => {
  const hasty = openDatabase({ url: here.databaseUrl, statement_timeout_ms: 200 });
  expect(isTransient(await rejection(hasty.query("select pg_sleep(5)")))).toBe(true);
  expect(await hasty.query("select 1 as one")).toEqual([{ one: 1 }]);
  await hasty.close();
});

test("a transaction that sleeps too long loses its locks, so that a stopped process holds up nobody", async () => {
  const sleepy = openDatabase({ url: here.databaseUrl, idle_in_transaction_timeout_ms: 200 });
  const work = sleepy.transaction(async (tx) => {
    await tx.query("select 1");
    await new Promise((resolve) => setTimeout(resolve, 600));
    await tx.query("select 2");
  });
  expect(isTransient(await rejection(work))).toBe(true);
  await sleepy.close();
});
