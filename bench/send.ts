import { randomUUID } from "node:crypto";
import type { NativeSample } from "./generator/batches.ts";
import { type Body, post } from "./load.ts";
import type { Target } from "./probe.ts";

const AT_ONCE = 4;
const SIZE = 1000;

/** Bodies of at most 1,000 samples of one athlete. */
export const bodiesOf = (athlete: string, samples: readonly NativeSample[]): Body[] => {
  const bodies: Body[] = [];
  for (let at = 0; at < samples.length; at += SIZE) {
    const some = samples.slice(at, at + SIZE);
    const text = JSON.stringify({ batch_id: randomUUID(), time_zone: "Etc/UTC", samples: some });
    bodies.push({ athlete, samples: some.length, text });
  }
  return bodies;
};

/** Closed loop, a few at once. Throws where one was not taken. */
export const sendBodies = async (target: Target, bodies: Iterable<Body>): Promise<void> => {
  const queue = bodies[Symbol.iterator]();
  const one = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if ((await post(target, next.value)) === 0)
        throw new Error(`the edge did not take a body of ${next.value.athlete}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
};
