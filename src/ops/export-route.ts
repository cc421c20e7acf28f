import { Type } from "typebox";
import { Problem, type Route } from "../flow/route.ts";
import { exportPieces, type ExportDeps, type Piece } from "./export.ts";
import { EXPORT_FORMATS, type ExportFormat } from "./export-text.ts";
import { zipOf } from "./export-zip.ts";

const querySchema = Type.Object({
  format: Type.Optional(
    Type.Union(
      EXPORT_FORMATS.map((format) => Type.Literal(format)),
      { description: "Of the files in the archive; json (one object a line) if absent" },
    ),
  ),
});

/** Starts reading before the answer begins, so that a store which is away is a 503 and not half an archive. */
const begun = async (pieces: AsyncGenerator<Piece>): Promise<AsyncGenerator<Piece>> => {
  const first = await pieces.next();
  return (async function* () {
    if (!first.done) yield first.value;
    yield* pieces;
  })();
};

/** `GET /v1/athletes/{athlete_id}/export`: the same files as the command's, streamed as one zip. */
export const exportRoute = (deps: ExportDeps & { isTransient: (error: unknown) => boolean }): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/export",
  scope: "read",
  summary: "Everything of an athlete as a zip archive: samples, sleep, metrics, edits, settings, and a manifest",
  schema: { query: querySchema, responses: { 200: { description: "A zip archive; its last file is manifest.json" } } },
  handler: async (request) => {
    const athleteId = request.athlete_id ?? "";
    const { format = "json" } = request.query as { format?: ExportFormat };
    try {
      const body = zipOf(await begun(exportPieces(deps, athleteId, format)));
      const name = `${athleteId}-${format}.zip`;
      const headers = { "content-type": "application/zip", "content-disposition": `attachment; filename="${name}"` };
      return { status: 200, body, headers };
    } catch (error) {
      if (!deps.isTransient(error)) throw error;
      const again = { headers: { "retry-after": "2" }, cause: error };
      throw new Problem(503, "the database or the object store is away: ask again", again);
    }
  },
});
