import { ObjectMissing } from "../flow/ports.ts";
import { type Route, unavailable } from "../flow/route.ts";
import { manyRoute } from "./many.ts";
import { explainRoute } from "./explain-route.ts";
import { metricsRoute } from "./metrics.ts";
import { type SamplesDeps, samplesRoute } from "./samples.ts";
import { type SleepDeps, sleepRoutes } from "./sleep.ts";
import { todayRoute } from "./today.ts";

export type QueryRoutesDeps = SleepDeps &
  SamplesDeps & {
    /** Whether a store is away for now: answered with 503, not as a fault of ours. */
    isTransient: (error: unknown) => boolean;
  };

/** An answer that cannot be given now is a 503 to be asked again, never one with a gap. */
const askAgain = (route: Route, isTransient: (error: unknown) => boolean): Route => ({
  ...route,
  handler: async (request) => {
    try {
      return await route.handler(request);
    } catch (error) {
      if (error instanceof ObjectMissing) throw unavailable("the data is being rewritten: ask again", 1, error);
      if (isTransient(error)) throw unavailable("the database or the object store is away: ask again", 1, error);
      throw error;
    }
  },
});

/** What the api role serves to readers. */
export const queryRoutes = (deps: QueryRoutesDeps): Route[] =>
  [
    todayRoute(deps),
    samplesRoute(deps),
    metricsRoute(deps),
    explainRoute(deps),
    manyRoute(deps),
    ...sleepRoutes(deps),
  ].map((route) => askAgain(route, deps.isTransient));
