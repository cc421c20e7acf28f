import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { random, type Random } from "../../bench/generator/random.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { disturbedRounds, type Disturbance } from "../support/service/rounds.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated, type Isolated } from "../support/stack.ts";

const TABLES = ["athletes", "health_samples_staging", "windows", "health_streams", "consumer_offsets", "outbox"];
const [calmCorner, here] = [await isolated("pg-calm"), await isolated("pg")];
const input = faultInput();
const dice = random(SEED, "postgres");

/** One turn of what another session does to the service's; again and again while the fault lasts. */
const TURNS: Readonly<Record<string, (client: Client, dice: Random) => Promise<void>>> = {
  "every connection ended": async (client, rolls) => {
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await sleep(rolls.whole(50, 800));
  },
  "a table locked": async (client, rolls) => {
    await client.query("begin");
    await client.query(`lock table ${rolls.pick(TABLES)} in access exclusive mode`);
    await sleep(rolls.whole(500, 4000));
    await client.query("rollback");
  },
  deadlocks: async (client, rolls) => {
    // Whoever of the two Postgres ends: one lock after the other, in another order than the service's.
    await client.query("begin");
    for (const table of rolls.shuffled(TABLES)) {
      await client.query(`lock table ${table} in access exclusive mode`);
      await sleep(100);
    }
    await client.query("rollback");
  },
};
const names = Object.keys(TURNS);
const chosen = WHOLE_MATRIX ? [...names, ...dice.shuffled(names)] : [dice.pick(names)];

/** Postgres may end our session as well: then another goes on. */
const session = async (corner: Isolated, work: (client: Client) => Promise<void>): Promise<void> => {
  const client = new Client({ connectionString: corner.databaseUrl });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await work(client);
  } catch {
    // A deadlock, of which we were the victim.
  } finally {
    await client.end();
  }
};

const disturbanceOf = (service: Service, name: string): Disturbance => {
  const over = new AbortController();
  const turns = async (): Promise<void> => {
    while (!over.signal.aborted) await session(here, async (client) => TURNS[name]?.(client, dice));
  };
  return {
    name,
    begin: () => void turns(),
    end: () => over.abort(),
    // A round in which the edge acknowledged nothing meanwhile is a violation: what it needs is Kafka.
    met: () => service.client.statuses.get(202) ?? 0,
  };
};

describe.concurrent(`Postgres blocks, breaks and ends what the service does in it (seed ${SEED})`, () => {
  let calm: Promise<FinalState>;
  beforeAll(() => {
    calm = undisturbed(calmCorner, input);
  });

  test("F5 the edge goes on acknowledging, and all heals by itself", { timeout: 20 * 60_000 }, async (context) => {
    const service = await openService(here);
    try {
      const parts = slices(input, chosen.length);
      const rounds = chosen.map((name, i) => ({ disturbance: disturbanceOf(service, name), slice: parts[i] ?? [] }));
      await disturbedRounds({ service, dice }, rounds, context);
      expect(differences(await calm, await finish(service))).toEqual([]);
    } finally {
      await service.close();
    }
  });
});
