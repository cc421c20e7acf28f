import { beforeAll, describe, expect, test, type TestContext } from "vitest";
import { random } from "../../bench/generator/random.ts";
import * as http from "../support/network/http-line.ts";
import { httpLineOn } from "../support/network/lines.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { disturbedRounds, type Disturbance } from "../support/service/rounds.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const OTHER = JSON.stringify({ type: "record", name: "Other", fields: [{ name: "x", type: "long" }] });
const json = (status: number, body: object): http.Mishap => http.refused(status, JSON.stringify(body));

/** Asked of the registry, these happen instead; `ids`: only where it is asked for a schema by its id. */
const MISHAPS: Readonly<Record<string, { mishap: http.Mishap; ids?: true }>> = {
  down: { mishap: http.requestLost },
  "answers lost": { mishap: http.answerLost },
  slow: { mishap: http.delayed(3000) },
  "no answer": { mishap: http.unanswered },
  "500": { mishap: json(500, { error_code: 50001, message: "store" }) },
  "a page in HTML": { mishap: http.refused(200, "<html>sign in</html>", "text/html") },
  "half a body": { mishap: http.halfBody },
  "404 for every id": { mishap: json(404, { error_code: 40403, message: "no schema" }), ids: true },
  "another schema for every id": { mishap: json(200, { schema: OTHER }), ids: true },
};
const names = random(SEED, "registry").shuffled(Object.keys(MISHAPS));
const [calmCorner, coldCorner, warmCorner] = [
  await isolated("ids-calm"),
  await isolated("ids-cold"),
  await isolated("ids-warm"),
];
const input = faultInput();
let calm: Promise<FinalState>;

const scriptOf = (name: string) => {
  const { mishap = http.requestLost, ids } = MISHAPS[name] ?? {};
  return ({ path }: http.Asked): http.Mishap | null => (!ids || path.includes("/schemas/ids/") ? mishap : null);
};

const disturbanceOf = (line: http.HttpLine, name: string): Disturbance => ({
  name,
  begin: () => line.script(scriptOf(name)),
  end: () => line.script(() => null),
  met: () => line.hits(),
});

/** One worker and one edge that learn their ids first: nothing is under way while the registry still fails. */
const knowing = async (line: http.HttpLine, service: Service, context: TestContext): Promise<void> => {
  const [first = [], ...parts] = slices(input, names.length + 1);
  const worker = service.worker();
  await sendAll(service, first);
  await service.wait();
  for (const [i, name] of names.entries()) {
    line.script(scriptOf(name));
    await sendAll(service, parts[i] ?? []);
    await service.wait();
    await service.audit();
    judged(context);
  }
  line.script(() => null);
  await worker.stop();
};

/** Workers that start while the registry fails, and know nothing. */
const learning = async (line: http.HttpLine, service: Service, context: TestContext): Promise<void> => {
  // Whoever knows its own schema's id asks for no other: those two have nothing to meet.
  const met = names.filter((name) => !MISHAPS[name]?.ids);
  const chosen = WHOLE_MATRIX ? met : met.slice(0, 1);
  const parts = slices(input, chosen.length);
  const rounds = chosen.map((name, i) => ({ disturbance: disturbanceOf(line, name), slice: parts[i] ?? [] }));
  await disturbedRounds({ service, dice: { ...random(SEED, "cold"), chance: () => false } }, rounds, context);
};

/** The selection takes the last. */
const PLAYS = [
  { what: "a worker and an edge that know their ids go on, whatever it does", corner: warmCorner, play: knowing },
  {
    what: "a worker that knows no id skips nothing, and goes on when it is back",
    corner: coldCorner,
    play: learning,
  },
];

describe.concurrent(`a registry that is away, slow or wrong (seed ${SEED})`, () => {
  beforeAll(() => {
    calm = undisturbed(calmCorner, input);
  });

  test.for(WHOLE_MATRIX ? PLAYS : PLAYS.slice(-1))(
    "F7 $what",
    { timeout: 30 * 60_000 },
    async ({ corner, play }, context) => {
      const line = await httpLineOn(corner, "registry");
      const service = await openService(corner, line.env);
      try {
        await play(line, service, context);
        expect(differences(await calm, await finish(service))).toEqual([]);
      } finally {
        await service.close();
        line.close();
      }
    },
  );
});
