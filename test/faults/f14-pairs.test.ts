import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import * as http from "../support/network/http-line.ts";
import { httpLineOn, tcpLineOn } from "../support/network/lines.ts";
import type { TcpLine, Weather } from "../support/network/tcp-line.ts";
import { wrongClock, type WrongClock } from "../support/service/clock.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll } from "../support/service/fault-run.ts";
import { judged } from "../support/service/judged.ts";
import { type ServiceProcess, startCommand } from "../support/service/processes.ts";
import { type Service, openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("pairs");
const ROUNDS = WHOLE_MATRIX ? 8 : 1;
const dice = random(SEED, "pairs");

/** Something of another group that goes wrong, and then is over. */
type Fault = { name: string; begin(): unknown; end(): unknown };
type Lines = {
  kafka: TcpLine;
  postgres: TcpLine;
  objects: http.HttpLine;
  registry: http.HttpLine;
};

/** The processes that a supervised worker consists of. */
const childrenOf = ({ pid }: ServiceProcess): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

const signalled = (worker: ServiceProcess, signal: NodeJS.Signals): void => {
  for (const pid of dice.shuffled(childrenOf(worker)).slice(0, dice.whole(1, 2))) process.kill(pid, signal);
};

const weather = (name: string, line: TcpLine, kinds: readonly Weather[]): Fault => ({
  name,
  begin: () => line.weather(dice.pick(kinds)),
  end: () => line.weather({}),
});

const mishaps = (name: string, line: http.HttpLine, kinds: readonly http.Mishap[]): Fault => ({
  name,
  begin: () => {
    const mishap = dice.pick(kinds);
    line.script(() => (dice.chance(0.6) ? mishap : null));
  },
  end: () => line.script(() => null),
});

const HOUR = 3_600_000;
const WEATHERS: readonly Weather[] = [
  { latencyMs: 150, jitterMs: 200 },
  { held: "up" },
  { held: "down" },
  { cutWithin: 0 },
  { cutWithin: 2048 },
];

const faultsOf = (service: Service, worker: ServiceProcess, lines: Lines, clock: WrongClock): Fault[] => {
  let more: ServiceProcess | null = null;
  return [
    { name: "F2 a kill", begin: () => signalled(worker, "SIGKILL"), end: () => undefined },
    {
      name: "F3 a stop",
      begin: () => signalled(worker, "SIGSTOP"),
      end: () => childrenOf(worker).forEach((pid) => process.kill(pid, "SIGCONT")),
    },
    mishaps("F6 the object store", lines.objects, [
      http.refused(500),
      http.refused(503),
      http.answerLost,
      http.requestLost,
    ]),
    mishaps("F7 the registry", lines.registry, [http.refused(500), http.refused(503), http.requestLost]),
    {
      name: "F9 a worker that comes and goes",
      begin: () => {
        more = service.worker();
      },
      end: () => more?.stop(),
    },
    weather("F10 the line to Kafka", lines.kafka, WEATHERS),
    weather("F10 the line to Postgres", lines.postgres, WEATHERS),
    {
      name: "F12 a wrong clock",
      begin: () => clock.set(dice.pick([HOUR / 2, -HOUR, -24 * HOUR])),
      end: () => clock.set(0),
    },
  ];
};

const LASTS_MS = [1000, 4000] as const;

/** Two at a time, neither beginning nor ending together; F8 beside them: what was sent comes again in another order. */
const together = async (
  service: Service,
  [a, b]: readonly [Fault, Fault],
  slice: ReturnType<typeof faultInput>,
): Promise<void> => {
  const sent = sendAll(service, slice).then(() => sendAll(service, dice.shuffled(slice).slice(0, 5)));
  // What it rejects with is thrown below, where it is awaited.
  sent.catch(() => undefined);
  await a.begin();
  await sleep(dice.whole(...LASTS_MS));
  await b.begin();
  await sleep(dice.whole(...LASTS_MS));
  await a.end();
  await sleep(dice.whole(...LASTS_MS));
  await b.end();
  await sent;
};

const pairOf = (pool: readonly Fault[]): [Fault, Fault] => {
  const [a, b] = dice.shuffled(pool);
  if (!a || !b) throw new Error("no pair");
  return [a, b];
};

const withLines = async (work: (lines: Lines, env: Record<string, string>) => Promise<void>): Promise<void> => {
  const [kafka, postgres] = [await tcpLineOn(here, "kafka"), await tcpLineOn(here, "postgres")];
  const [objects, registry] = [await httpLineOn(here, "objects"), await httpLineOn(here, "registry")];
  try {
    await work(
      { kafka, postgres, objects, registry },
      { ...kafka.env, ...postgres.env, ...objects.env, ...registry.env },
    );
  } finally {
    for (const line of [kafka, postgres, objects, registry]) line.close();
  }
};

const round = async (service: Service, pair: [Fault, Fault], slice: ReturnType<typeof faultInput>): Promise<void> => {
  await together(service, pair, slice);
  await service.wait();
  await service.audit();
};

test(
  `F14 faults of two groups at a time, chosen by the dice (seed ${SEED})`,
  async (context) => {
    await withLines(async (lines, env) => {
      const service = await openService(here);
      const clock = wrongClock();
      const worker = startCommand(["serve", "--roles", "worker"], { ...service.env, ...env, ...clock.env });
      await worker.event("worker.ready");
      const pool = faultsOf(service, worker, lines, clock);
      try {
        for (const slice of slices(faultInput(), ROUNDS)) {
          const pair = pairOf(pool);
          await round(service, pair, slice).catch((cause: unknown) => {
            const names = pair.map(({ name }: Fault) => name).join(" with ");
            throw new Error(`${names}: ${String(cause)}\n${worker.log()}`, { cause });
          });
          judged(context);
        }
        await worker.stop();
        await finish(service);
        expect(context.task.meta.runs).toBe(ROUNDS);
      } finally {
        await worker.stop();
        await service.close();
      }
    });
  },
  20 * 60_000,
);
