import { sendings, type Sending } from "../../../bench/generator/batches.ts";
import { random } from "../../../bench/generator/random.ts";

/** Printed by every run: the same seed gives the same input and the same kills. */
export const SEED = Number(process.env["FAULT_SEED"] ?? 1);
/** `npm run faults` sets it: the whole matrix instead of the selection that is part of `npm test`. */
export const WHOLE_MATRIX = process.env["FAULTS"] === "all";

const DAY = 86_400_000;

/** Two orders dealt into one, each evenly over the whole. */
const dealt = <T>(...orders: readonly (readonly T[])[]): T[] =>
  orders
    .flatMap((order) => order.map((item, n) => ({ item, at: (n + 0.5) / order.length })))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/**
 * Two athletes through the night that summer time ends, long over, and one of yesterday and today, whose windows are
 * open. Shuffled, so that every slice touches every day again and objects are superseded; what is in a slice of the
 * history depends on the seed alone, not on the hour, which decides how much of today there is.
 */
export const faultInput = (seed = SEED): Sending[] => {
  const history = sendings({
    seed,
    athletes: 2,
    days: 3,
    firstDate: "2026-10-24",
    size: 18,
    density: 0.3,
    nights: true,
  });
  const yesterday = new Date(Date.now() - DAY).toISOString().slice(0, 10);
  const recent = sendings({
    seed: seed + 1000,
    athletes: 1,
    days: 2,
    firstDate: yesterday,
    size: 18,
    density: 0.2,
    nights: true,
  });
  const dice = random(seed, "order");
  return dealt(dice.shuffled(history), dice.shuffled(recent));
};

/** As many slices as rounds, all of about the same size. */
export const slices = <T>(items: readonly T[], count: number): T[][] =>
  Array.from({ length: count }, (_, i) =>
    items.slice(Math.floor((i * items.length) / count), Math.floor(((i + 1) * items.length) / count)),
  );
