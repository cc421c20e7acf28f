import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { tcpLineOn, type Link } from "../support/network/lines.ts";
import type { TcpLine, Weather } from "../support/network/tcp-line.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, undisturbed } from "../support/service/fault-run.ts";
import { differences, type FinalState } from "../support/service/final-state.ts";
import { disturbedRounds, type Disturbance } from "../support/service/rounds.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const WEATHERS: Readonly<Record<string, Weather>> = {
  latency: { latencyMs: 200 },
  jitter: { latencyMs: 5, jitterMs: 400 },
  "1 KB/s": { bytesPerSecond: 1024 },
  "one-way cut towards the server": { held: "up" },
  "one-way cut towards the service": { held: "down" },
  "reset at once": { cutWithin: 0 },
  "cut within 4 KB": { cutWithin: 4096 },
  "cut within 200 bytes": { cutWithin: 200 },
  "half-open": { silent: true },
};
const LINKS: readonly Link[] = ["kafka", "postgres", "registry", "objects"];
const dice = random(SEED, "network");
/** The selection takes the one under which the most has fallen. */
const chosen: { link: Link; names: string[] }[] = WHOLE_MATRIX
  ? LINKS.map((link) => ({ link, names: dice.shuffled(Object.keys(WEATHERS)) }))
  : [{ link: "kafka", names: ["cut within 4 KB"] }];
const corners = Object.fromEntries(
  await Promise.all(
    ["calm", ...chosen.map(({ link }) => link)].map(async (name) => [name, await isolated(`net-${name}`)] as const),
  ),
);
const input = faultInput();
let calm: Promise<FinalState>;

const disturbanceOf = (line: TcpLine, name: string): Disturbance => ({
  name,
  begin: () => line.weather(WEATHERS[name] ?? {}),
  end: () => line.weather({}),
  met: () => line.seen(),
});

describe.concurrent(`bad weather on a link of the service, one after the other on the same data (seed ${SEED})`, () => {
  beforeAll(() => {
    const corner = corners["calm"];
    if (corner) calm = undisturbed(corner, input);
  });

  test.for(chosen)("F10 $link: $names", { timeout: 40 * 60_000 }, async ({ link, names }, context) => {
    const corner = corners[link];
    if (!corner) throw new Error("no corner");
    const line = await tcpLineOn(corner, link);
    const service = await openService(corner, line.env);
    try {
      const parts = slices(input, names.length);
      const rounds = names.map((name, i) => ({ disturbance: disturbanceOf(line, name), slice: parts[i] ?? [] }));
      await disturbedRounds({ service, dice: random(SEED, link) }, rounds, context);
      // A client that had found the broker's own address would have gone past the line.
      expect(line.renamed() > 0).toBe(link === "kafka");
      expect(differences(await calm, await finish(service))).toEqual([]);
    } finally {
      await service.close();
      line.close();
    }
  });
});
