import type { Clock } from "../flow/ports.ts";
import { Problem } from "../flow/route.ts";

export type LimitSettings = {
  /** Requests a second, on average; five seconds' worth may come at once. */
  per_token: number;
  per_athlete: number;
  /** Requests under way at once; one athlete may have a sixteenth of them, so that nobody takes all the places. */
  in_flight: number;
};

/** Takes a place for one request, or throws Problem 429 (you) or 503 (everybody). The answer gives the place back. */
export type Limits = (token: string, athleteId: string | null) => () => void;

const BURST_SECONDS = 5;
const SHARE = 16;
const LEAST_SHARE = 4;
const MOST_KEYS = 20_000;

type Bucket = { left: number; at: number };

/** Token buckets by key; those that are full again are forgotten, so that memory stays bounded. */
const createBuckets = (clock: Clock, rate: number) => {
  const buckets = new Map<string, Bucket>();
  const most = rate * BURST_SECONDS;
  const refilled = ({ left, at }: Bucket, now: number): number =>
    Math.min(most, left + (Math.max(0, now - at) / 1000) * rate);
  const forget = (now: number): void => {
    for (const [key, bucket] of buckets) if (refilled(bucket, now) >= most) buckets.delete(key);
    for (const key of buckets.keys()) {
      if (buckets.size < MOST_KEYS) return;
      buckets.delete(key);
    }
  };
  /** Seconds to wait; 0 where one was taken. */
  return (key: string): number => {
    const now = clock.now();
    const bucket = buckets.get(key);
    if (bucket === undefined && buckets.size >= MOST_KEYS) forget(now);
    const left = bucket === undefined ? most : refilled(bucket, now);
    const taken = left >= 1 ? 1 : 0;
    buckets.set(key, { left: left - taken, at: now });
    return taken === 1 ? 0 : Math.ceil((1 - left) / rate);
  };
};

const wait = (status: 429 | 503, detail: string, seconds: number): Problem =>
  new Problem(status, detail, { headers: { "retry-after": String(Math.max(1, seconds)) } });

/** Who may be served now: an average rate per token and per athlete, and places that nobody can take all of. */
export const createLimits = (clock: Clock, settings: LimitSettings): Limits => {
  const tokens = createBuckets(clock, settings.per_token);
  const athletes = createBuckets(clock, settings.per_athlete);
  const share = Math.max(LEAST_SHARE, Math.ceil(settings.in_flight / SHARE));
  const underWay = new Map<string, number>();
  let all = 0;
  const give = (athleteId: string | null): void => {
    all -= 1;
    if (athleteId === null) return;
    const left = (underWay.get(athleteId) ?? 1) - 1;
    if (left > 0) underWay.set(athleteId, left);
    else underWay.delete(athleteId);
  };
  return (token, athleteId) => {
    const later = tokens(token) || (athleteId === null ? 0 : athletes(athleteId));
    if (later > 0)
      throw wait(429, "too many requests: wait as long as Retry-After says, and send larger batches", later);
    const mine = athleteId === null ? 0 : (underWay.get(athleteId) ?? 0);
    if (mine >= share) {
      throw wait(429, `${share} requests of this athlete are under way: wait for one of them to be answered`, 1);
    }
    if (all >= settings.in_flight) throw wait(503, "too many requests are under way: send it again", 2);
    all += 1;
    if (athleteId !== null) underWay.set(athleteId, mine + 1);
    let given = false;
    return () => {
      if (!given) give(athleteId);
      given = true;
    };
  };
};
