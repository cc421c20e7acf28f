import type { Asked, TopicLog } from "../../src/ops/replay-plan.ts";

/** Everything in the samples topic. */
export const NO_SPAN: Asked = {
  topics: ["samples"],
  since: null,
  until: null,
  from: [],
  to: [],
  athletes: null,
  metrics: null,
};

type Offsets = Record<number, number>;
const map = (offsets: Offsets | undefined): Map<number, number> | null =>
  offsets ? new Map(Object.entries(offsets).map(([at, offset]) => [Number(at), offset])) : null;

/** The samples topic with low and high offsets, and those of times. */
export const aLog = (
  bounds: Record<number, [low: number, high: number]>,
  times: { since?: Offsets; until?: Offsets } = {},
): TopicLog => ({
  name: "samples",
  topic: "health.samples.v1",
  bounds: new Map(Object.entries(bounds).map(([at, [low, high]]) => [Number(at), { low, high }])),
  since: map(times.since),
  until: map(times.until),
});
