import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { killPart, startPart, stopPart } from "../../stack/parts.ts";
import { down, up } from "../../stack/stack.ts";
import type { PartName } from "../../stack/state.ts";
import { SEED, WHOLE_MATRIX, faultInput } from "../support/service/fault-input.ts";
import { swept, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { openService, type Service } from "../support/service/service.ts";
import { makeIsolated, type Isolated } from "../support/stack.ts";

/** A stack of its own: other test files must not notice that its parts go away. */
const STACK = `faults-${process.pid}`;
const say = (): void => undefined;
const before = { ...process.env };
const input = faultInput();
const corners: Partial<Record<PartName, Isolated>> = {};
let calm: FinalState | undefined;

beforeAll(async () => {
  Object.assign(process.env, await up({ name: STACK, say }));
  for (const { part } of PARTS) corners[part] = await makeIsolated(`outage-${part}`);
  calm = await undisturbed(await makeIsolated("outage-calm"), input);
}, 240_000);
afterAll(async () => {
  Object.assign(process.env, before);
  await down(STACK, false, say);
}, 60_000);

const PARTS = [
  { group: "F4", part: "kafka" },
  { group: "F5", part: "postgres" },
  { group: "F6", part: "objects" },
] as const;
const ENDINGS = WHOLE_MATRIX ? [stopPart, killPart] : [killPart];
const AWAY_MS = 3000;

/** One outage after the other, with some quiet between them. */
const outages = async (part: PartName): Promise<void> => {
  for (const end of ENDINGS) {
    await sleep(AWAY_MS);
    await end(part);
    await sleep(AWAY_MS);
    await startPart(part);
  }
};

/** Sends all the time, the whole input again and again, until the outages are over: a retry is the same batch. */
const load = async (service: Service, going: () => boolean): Promise<void> => {
  for (let round = 0; round === 0 || going(); round += 1) {
    for (const sending of input) {
      await service.client.send(sending);
      if (round > 0 && !going()) return;
    }
  }
};

test.for(PARTS)(
  `$group $part goes away under load: answers are true and all heals by itself (seed ${SEED})`,
  { timeout: 10 * 60_000 },
  async ({ part }, context) => {
    const stormy = corners[part];
    if (!stormy || !calm) throw new Error("no stack");
    const service = await openService(stormy, {}, "edge,worker,api");
    try {
      let going = true;
      const loading = load(service, () => going);
      await outages(part);
      going = false;
      await loading;
      await service.wait();
      await swept(service);
      const { state } = await service.audit();
      expect(differences(calm, state)).toEqual([]);
      // Acknowledged or refused for now; never an error of ours, never a dropped connection.
      expect([202, 503]).toEqual(expect.arrayContaining([...service.client.statuses.keys()]));
      judged(context);
    } finally {
      await service.close();
    }
  },
);
