import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import * as http from "../support/network/http-line.ts";
import { httpLineOn } from "../support/network/lines.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { disturbedRounds, type Disturbance } from "../support/service/rounds.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const says = (code: string): string => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>so</Message></Error>`;

/** Asked of the object store, these happen instead. Refusals of puts alone are what S3 says to puts alone. */
const MISHAPS: Readonly<Record<string, { mishap: http.Mishap; only?: string }>> = {
  "500": { mishap: http.refused(500, says("InternalError")) },
  "503 SlowDown": { mishap: http.refused(503, says("SlowDown")) },
  "500 for what was done": { mishap: http.denied(500, says("InternalError")) },
  "request lost": { mishap: http.requestLost },
  "answer lost": { mishap: http.answerLost },
  "no answer": { mishap: http.unanswered },
  "half a body": { mishap: http.halfBody, only: "GET" },
  slow: { mishap: http.delayed(1500) },
  "409 while another creates it": { mishap: http.refused(409, says("ConditionalRequestConflict")), only: "PUT" },
  "412 for what was put": { mishap: http.denied(412, says("PreconditionFailed")), only: "PUT" },
};
/** In most rounds some requests go well, so that work goes on between the failing ones. */
const SHARES = [1, 0.7, 0.4];
const dice = random(SEED, "object store");
const names = dice.shuffled(Object.keys(MISHAPS)).slice(0, WHOLE_MATRIX ? undefined : 1);
const chains = [0, 1].map((n) => names.filter((_, i) => i % 2 === n)).filter((chain) => chain.length > 0);
const corners = await Promise.all([isolated("s3-calm"), ...chains.map((_, n) => isolated(`s3-${n}`))]);
const input = faultInput();
let calm: Promise<FinalState>;

const disturbanceOf = (line: http.HttpLine, name: string): Disturbance => {
  const { mishap = http.requestLost, only } = MISHAPS[name] ?? {};
  const share = dice.pick(SHARES);
  return {
    name: `${name} for ${share * 100} %`,
    begin: () =>
      line.script(({ method }) => ((only === undefined || method === only) && dice.chance(share) ? mishap : null)),
    end: () => line.script(() => null),
    met: () => line.hits(),
  };
};

describe.concurrent(`an object store that fails, one way after the other on the same data (seed ${SEED})`, () => {
  beforeAll(() => {
    const [corner] = corners;
    if (corner) calm = undisturbed(corner, input);
  });

  test.for(chains.map((chain, n) => ({ chain, n })))(
    "F6 no pointer to a bad object, panes go on afterwards: $chain",
    { timeout: 30 * 60_000 },
    async ({ chain, n }, context) => {
      const corner = corners[n + 1];
      if (!corner) throw new Error("no corner");
      const line = await httpLineOn(corner, "objects");
      const service = await openService(corner, line.env);
      try {
        const [first = [], ...parts] = slices(input, chain.length + 1);
        // Objects that are there before: half of one can only be read where there is one.
        await service.settled(() => sendAll(service, first));
        const rounds = chain.map((name, i) => ({ disturbance: disturbanceOf(line, name), slice: parts[i] ?? [] }));
        await disturbedRounds({ service, dice: random(SEED, `store ${n}`) }, rounds, context);
        expect(differences(await calm, await finish(service))).toEqual([]);
      } finally {
        await service.close();
        line.close();
      }
    },
  );
});
