import type { Route } from "../flow/route.ts";
import { metricsRoute } from "./metrics.ts";
import { samplesRoute, type QueryDeps } from "./samples.ts";
import { todayRoute } from "./today.ts";

/** What the api role serves to readers. */
export const queryRoutes = (deps: QueryDeps): Route[] => [todayRoute(deps), samplesRoute(deps), metricsRoute(deps)];
