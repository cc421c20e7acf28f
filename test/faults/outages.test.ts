import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { killPart, startPart, stopPart } from "../../stack/parts.ts";
import { down, up } from "../../stack/stack.ts";
import { SEED, WHOLE_MATRIX, faultInput } from "../support/service/fault-input.ts";
import { undisturbed } from "../support/service/fault-run.ts";
import { differences } from "../support/service/final-state.ts";
import { openService, type Service } from "../support/service/service.ts";
import { makeIsolated, type Isolated } from "../support/stack.ts";

/** A stack of its own: other test files must not notice that its parts go away. */
const STACK = `faults-${process.pid}`;
const say = (): void => undefined;
const before = { ...process.env };
let corners: Isolated[] = [];

beforeAll(async () => {
  Object.assign(process.env, await up({ name: STACK, say }));
  corners = [await makeIsolated("outage-calm"), await makeIsolated("outage")];
}, 240_000);
afterAll(async () => {
  Object.assign(process.env, before);
  await down(STACK, false, say);
}, 60_000);

const PARTS = ["postgres", "kafka", "objects"] as const;
const ENDINGS = WHOLE_MATRIX ? [stopPart, killPart] : [killPart];
const AWAY_MS = 3000;

/** One outage after the other, with some quiet between them. */
const outages = async (): Promise<void> => {
  for (const end of ENDINGS) {
    for (const part of PARTS) {
      await sleep(AWAY_MS);
      await end(part);
      await sleep(AWAY_MS);
      await startPart(part);
    }
  }
};

/** Sends all the time, the whole input again and again, until the outages are over: a retry is the same batch. */
const load = async (service: Service, going: () => boolean): Promise<void> => {
  const input = faultInput();
  for (let round = 0; round === 0 || going(); round += 1) {
    for (const sending of input) {
      await service.client.send(sending);
      if (round > 0 && !going()) return;
    }
  }
};

test(
  `Postgres, broker and object store go away under load: answers are true and all heals by itself (seed ${SEED})`,
  async () => {
    const [calm, stormy] = corners;
    if (!calm || !stormy) throw new Error("no stack");
    const expected = await undisturbed(calm, faultInput());
    const service = await openService(stormy, {}, "edge,worker,api");
    try {
      let going = true;
      const loading = load(service, () => going);
      await outages();
      going = false;
      await loading;
      await service.wait();
      const { state } = await service.audit();
      expect(differences(expected, state)).toEqual([]);
      // Acknowledged or refused for now; never an error of ours, never a dropped connection.
      expect([...service.client.statuses.keys()].toSorted((a, b) => a - b)).toEqual([202, 503]);
    } finally {
      await service.close();
    }
  },
  10 * 60_000,
);
