import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { exportedDays } from "../support/service/exported.ts";
import { SEED, WHOLE_MATRIX } from "../support/service/fault-input.ts";
import { finish } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const KILLS = WHOLE_MATRIX ? 25 : 5;
const DAYS = WHOLE_MATRIX ? 28 : 5;
const ATHLETE = "imported-1";
const [calm, stormy] = [await isolated("import-calm"), await isolated("import-stormy")];
const { file, home, lines } = exportedDays(SEED, DAYS);

const importing = (service: Service): Promise<string> =>
  service.command("import", file, "--athlete", ATHLETE, "--time-zone", home);

const undisturbed = async (): Promise<FinalState> => {
  const service = await openService(calm);
  try {
    await importing(service);
    service.client.ledger.push(...lines(ATHLETE));
    return await finish(service);
  } finally {
    await service.close();
  }
};

test(
  `F2 ${KILLS} SIGKILLs at random moments of an import change no final state (seed ${SEED})`,
  async (context) => {
    const dice = random(SEED, "kills");
    const expected = undisturbed();
    const service = await openService(stormy);
    try {
      const imported = importing(service);
      for (let n = 0; n < KILLS; n += 1) {
        const worker = service.worker();
        // From before it is ready to well into its panes.
        await sleep(dice.whole(300, 9000));
        worker.signal("SIGKILL");
        await worker.exited;
      }
      await imported;
      service.client.ledger.push(...lines(ATHLETE));
      expect(differences(await expected, await finish(service))).toEqual([]);
      judged(context);
    } finally {
      await service.close();
    }
  },
  20 * 60_000,
);
