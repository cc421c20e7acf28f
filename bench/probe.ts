import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "./figures.ts";

/** Between two looks: short, and a twentieth of what it has taken so far, so that looking is no load of its own. */
const POLL_MS = 5;
const PATIENCE_MS = 60_000;
/** How often it is looked whether a sample is due. */
const LOOK_MS = 10;

/**
 * Freshness of one phase: milliseconds from POST to visible in `today`, and to the 202. `late`: not seen within a minute.
 * `own_p99`: how late this process itself was to send, which the others include.
 */
export type Freshness = { phase: string; n: number; p50: number; p99: number; max: number; late: number } & Taken;
type Taken = { taken_p50: number; taken_p99: number; own_p99: number };
type Seen = { own: number; taken: number; visible: number };

export type Target = { url: string; token: string };
export type Probes = {
  /** What is sent from now on counts for this phase. */
  phase(name: string): void;
  /** Sends no more, waits for what is under way, and answers the phases in order. */
  stop(): Promise<Freshness[]>;
};

const batchOf = (at: string): string =>
  JSON.stringify({
    batch_id: randomUUID(),
    provider: "apple_health",
    time_zone: "Etc/UTC",
    samples: [
      {
        uuid: randomUUID(),
        type: "HKQuantityTypeIdentifierHeartRate",
        start: at,
        end: at,
        value: 55 + Math.floor(Math.random() * 60),
        unit: "count/min",
        source: { name: "Watch", bundle_id: "com.apple.health.bench", product_type: "Watch7,5" },
      },
    ],
    deleted: [],
    daily: [],
  });

type Today = { metrics?: { metric: string; points: [string, string, number][] }[] };

/** Milliseconds until a sample that was due at `began` is visible; null where it is not for a minute. */
const probe = async ({ url, token }: Target, athlete: string, began: number): Promise<Seen | null> => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const at = new Date().toISOString();
  const own = performance.now() - began;
  const answer = await fetch(`${url}/v1/athletes/${athlete}/batches`, { method: "POST", headers, body: batchOf(at) });
  if (answer.status !== 202) return null;
  const taken = performance.now() - began;
  while (performance.now() - began < PATIENCE_MS) {
    const today = (await (await fetch(`${url}/v1/athletes/${athlete}/today`, { headers })).json()) as Today;
    const beats = today.metrics?.find(({ metric }) => metric === "heart_rate");
    if (beats?.points.some(([start]) => start === at)) return { own, taken, visible: performance.now() - began };
    await sleep(Math.max(POLL_MS, (performance.now() - began) / 20));
  }
  return null;
};

/**
 * Open loop: the next sample is sent when its time comes, whether the one before was seen or not; and its time counts
 * from then, also where this process itself was late.
 */
export const startProbes = (target: Target, load: { a_second: number; athletes: number }): Probes => {
  const took = new Map<string, (Seen | null)[]>();
  const underWay = new Set<Promise<void>>();
  let phase = "";
  let count = 0;
  const [first, every] = [performance.now(), 1000 / load.a_second];
  const timer = setInterval(
    () => {
      for (; first + count * every <= performance.now(); count += 1) {
        const into = took.get(phase);
        if (!into) continue;
        const one = probe(target, `live-${count % load.athletes}`, first + count * every)
          .catch(() => null)
          .then((seen) => void into.push(seen))
          .finally(() => underWay.delete(one));
        underWay.add(one);
      }
    },
    Math.min(LOOK_MS, every),
  );
  return {
    phase: (name) => {
      phase = name;
      took.set(name, []);
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      return [...took].map(([name, all]) => {
        const both = all.filter((one) => one !== null);
        const [seen, taken] = [both.map(({ visible }) => visible), both.map((one) => one.taken)];
        const [p50, p99] = [quantile(seen, 0.5), quantile(seen, 0.99)];
        return {
          phase: name,
          n: all.length,
          p50,
          p99,
          max: Math.max(...seen),
          late: all.length - seen.length,
          taken_p50: quantile(taken, 0.5),
          taken_p99: quantile(taken, 0.99),
          own_p99: quantile(
            both.map((one) => one.own),
            0.99,
          ),
        };
      });
    },
  };
};
