import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Target } from "./probe.ts";

export type Body = { athlete: string; text: string; samples: number };
export type Loaded = { samples: number; refused: number; seconds: number };
export type Load = { stop(): Promise<Loaded> };

const EVERY_MS = 20;
const SECOND = 1000;

/** Heart rates of the last seconds of a day that is open, values as they vary, ids never seen before. */
export const bodyOfNow = (athlete: string, samples: number): Body => {
  const now = Date.now();
  const list = Array.from({ length: samples }, (_, at) => {
    const moment = new Date(now - (samples - at) * 5 * SECOND - Math.floor(Math.random() * SECOND)).toISOString();
    return {
      uuid: randomUUID(),
      type: "HKQuantityTypeIdentifierHeartRate",
      start: moment,
      end: moment,
      value: 55 + Math.floor(Math.random() * 90),
      unit: "count/min",
      source: { name: "Watch", bundle_id: "com.apple.health.bench", product_type: "Watch7,5" },
    };
  });
  return { athlete, samples, text: JSON.stringify({ batch_id: randomUUID(), time_zone: "Etc/UTC", samples: list }) };
};

/** Resolves to the samples that were accepted: none where the answer was no 202. */
export const post = async ({ url, token }: Target, { athlete, text, samples }: Body): Promise<number> => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/athletes/${athlete}/batches`, { method: "POST", headers, body: text });
  await answer.arrayBuffer();
  return answer.status === 202 ? samples : 0;
};

/** Open loop: each body is sent when its time comes, whether the ones before were answered or not. */
export const startLoad = (target: Target, a_second: number, next: (n: number) => Body): Load => {
  const began = performance.now();
  const underWay = new Set<Promise<void>>();
  const told = { samples: 0, refused: 0 };
  let sent = 0;
  const note = (taken: number, samples: number): void => {
    told.samples += taken;
    if (taken === 0) told.refused += samples;
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * a_second;
    for (; sent < due; sent += 1) {
      const body = next(sent);
      const one = post(target, body)
        .catch(() => 0)
        .then((taken) => note(taken, body.samples))
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, EVERY_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      return { ...told, seconds: (performance.now() - began) / 1000 };
    },
  };
};
