import { Type } from "typebox";
import { type Route, unavailable } from "../flow/route.ts";
import { type EraseDeps, eraseAthlete } from "./erase.ts";

const counts = Type.Record(Type.String(), Type.Integer());

const reportSchema = Type.Object({
  athlete_id: Type.String(),
  dry_run: Type.Boolean(),
  erased_before: Type.Union([Type.String(), Type.Null()], {
    description: "Input received up to then is dropped for ever; tokens issued before are refused with 410",
  }),
  removed: Type.Object({ rows: counts, objects: Type.Integer(), bytes: Type.Integer(), tombstones: counts }),
  still_held: Type.Array(Type.Object({ topic: Type.String(), until: Type.String(), why: Type.String() })),
});

/** `DELETE /v1/athletes/{athlete_id}`: the whole person, with a report. Broken off, it is sent again or finishes by itself. */
export const eraseRoute = (deps: EraseDeps & { isTransient: (error: unknown) => boolean }): Route => ({
  method: "DELETE",
  path: "/v1/athletes/{athlete_id}",
  scope: "write",
  summary: "Remove everything of an athlete, everywhere, for ever",
  schema: { responses: { 200: { description: "What was removed, and what topics still hold", schema: reportSchema } } },
  handler: async (request) => {
    try {
      return { status: 200, body: await eraseAthlete(deps, request.athlete_id ?? "") };
    } catch (error) {
      if (!deps.isTransient(error)) throw error;
      throw unavailable("the database or the object store is away: send it again", 2, error);
    }
  },
});
