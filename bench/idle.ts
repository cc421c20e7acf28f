import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { athlete } from "./generator/athlete.ts";
import { native } from "./generator/batches.ts";
import { dateOf, dayOf } from "./generator/calendar.ts";
import { generatedDay, generatedNight } from "./generator/day.ts";
import { type Body, startLoad } from "./load.ts";
import { inPlace, type Place, type Say } from "./place.ts";
import { bodiesOf } from "./send.ts";
import { type Service, inService } from "./served.ts";

export type IdleBench = {
  minutes: number;
  athletes: number;
  trace: number;
  seed: number;
  stack: string | undefined;
  say: Say;
};
/** `cpu`: % of one core. `first_mb`, `last_mb`: mean resident memory of all processes in the first and last third. */
export type Watched = {
  what: string;
  seconds: number;
  cpu: number;
  first_mb: number;
  last_mb: number;
  peak_mb: number;
};
export type IdleFigures = { watched: Watched[]; samples: number; refused: number; held: number };

const DAY = 86_400_000;
const QUARTER = 15 * 60_000;
const LOOKS = 30;

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

const watched = async ({ usage }: Service, what: string, ms: number): Promise<Watched> => {
  const [began, before] = [performance.now(), usage().cpu_s];
  const seen: number[] = [];
  for (let n = 0; n < LOOKS; n += 1) {
    await sleep(ms / LOOKS);
    seen.push(usage().now_mb);
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    what,
    seconds,
    cpu: (100 * (usage().cpu_s - before)) / seconds,
    first_mb: mean(seen.slice(0, LOOKS / 3)),
    last_mb: mean(seen.slice(-LOOKS / 3)),
    peak_mb: Math.max(...seen),
  };
};

/** A day of the athletes that ended an hour ago, in the order in which phones send it: a body an athlete and quarter of an hour. */
const traceOf = ({ athletes, seed }: IdleBench): Body[] => {
  const until = Date.now() - 3_600_000;
  const first = dateOf(Math.floor(until / DAY) - 2);
  const sent: { at: number; body: Body }[] = [];
  for (let n = 0; n < athletes; n += 1) {
    const who = athlete(seed, n, first);
    const samples = Array.from({ length: 4 }, (_, at) => dayOf(first) + at)
      .flatMap((day) => [...generatedDay(who, day), ...generatedNight(who, day)])
      .filter(({ created }) => created > until - DAY && created <= until);
    for (const [quarter, some] of Map.groupBy(samples, ({ created }) => Math.floor(created / QUARTER))) {
      for (const body of bodiesOf(who.athlete_id, some.map(native))) sent.push({ at: quarter + n / athletes, body });
    }
  }
  return sent.toSorted((a, b) => a.at - b.at).map(({ body }) => body);
};

const run = (bench: IdleBench, place: Place): Promise<IdleFigures> =>
  inService(place, async (service) => {
    const bodies = traceOf(bench);
    const ms = bench.trace * 60_000;
    bench.say(`a day of ${bench.athletes} athletes, ${bodies.length} bodies, in ${bench.trace} minutes`);
    const next = bodies.values();
    // What is due beyond the last body is an empty one, which is refused: the rate fits, so at most a few.
    const load = startLoad(service.target, bodies.length / (ms / 1000), () => {
      const body = next.next();
      return body.done ? { athlete: "nobody", text: "{}", samples: 0 } : body.value;
    });
    const trace = await watched(service, "24 hours compressed", ms);
    const { samples, refused } = await load.stop();
    await service.settled();
    const [row] = await service.db.query<{ n: number }>(
      `select (select count(*) from health_samples_staging)::float8
         + (select coalesce(sum(row_count), 0) from health_streams)::float8 as n`,
    );
    bench.say(`idle for ${bench.minutes} minutes`);
    const idle = await watched(service, "idle", bench.minutes * 60_000);
    return { watched: [trace, idle], samples, refused, held: row?.n ?? 0 };
  });

/** B10: a day of many athletes in minutes, then nothing at all: CPU and memory of the whole service. */
export const benchIdle = (bench: IdleBench): Promise<IdleFigures> => inPlace(bench, (place) => run(bench, place));
