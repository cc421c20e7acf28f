import { unavailable } from "../flow/route.ts";
import type { EditDeps } from "./apply.ts";

export type EditRoutesDeps = EditDeps & {
  /** Whether the database is away for now: answered with 503, not as a fault of ours. */
  isTransient: (error: unknown) => boolean;
};

/** Edits can be repeated: what may or may not have been carried out is asked for again. */
export const whileAway = async <T>(deps: EditRoutesDeps, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!deps.isTransient(error)) throw error;
    throw unavailable("the database is away: send it again, an edit repeated is one edit", 1, error);
  }
};
