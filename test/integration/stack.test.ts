import { expect, test } from "vitest";
import { isolated } from "../support/stack.ts";
import { withClient } from "../support/stack-database.ts";

const here = await isolated("stack");

test("a corner has a migrated database", async () => {
  const rows = await withClient(
    here.databaseUrl,
    async (client) => (await client.query("select count(*)::int as n from windows")).rows,
  );
  expect(rows).toEqual([{ n: 0 }]);
});
