import { Type } from "typebox";
import { type Route, unavailable } from "../flow/route.ts";
import { places } from "../flow/slots.ts";
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

/** An export keeps the database and the object store busy for as long as it runs; so many may run in one process. */
const MOST_AT_ONCE = 4;

/** Tells once when nobody reads on: at the end, after an error, or when the reader leaves, even before it began. */
const watched = (bytes: AsyncGenerator<Uint8Array>, ended: () => void): AsyncIterableIterator<Uint8Array> => ({
  [Symbol.asyncIterator]() {
    return this;
  },
  next: async () => {
    try {
      const step = await bytes.next();
      if (step.done) ended();
      return step;
    } catch (error) {
      ended();
      throw error;
    }
  },
  return: async () => {
    ended();
    return bytes.return(undefined);
  },
});

/** `GET /v1/athletes/{athlete_id}/export`: the same files as the command's, streamed as one zip. */
export const exportRoute = (deps: ExportDeps & { isTransient: (error: unknown) => boolean }): Route => {
  const takePlace = places(MOST_AT_ONCE);
  const handler: Route["handler"] = async (request) => {
    const athleteId = request.athlete_id ?? "";
    const { format = "json" } = request.query as { format?: ExportFormat };
    const giveBack = takePlace();
    if (!giveBack) throw unavailable("other exports are running: ask again in a minute", 60);
    try {
      const body = watched(zipOf(await begun(exportPieces(deps, athleteId, format))), giveBack);
      const name = `${athleteId}-${format}.zip`;
      const headers = { "content-type": "application/zip", "content-disposition": `attachment; filename="${name}"` };
      return { status: 200, body, headers };
    } catch (error) {
      giveBack();
      if (!deps.isTransient(error)) throw error;
      throw unavailable("the database or the object store is away: ask again", 2, error);
    }
  };
  return {
    method: "GET",
    path: "/v1/athletes/{athlete_id}/export",
    scope: "read",
    summary: "Everything of an athlete as a zip archive: samples, sleep, metrics, edits, settings, and a manifest",
    schema: {
      query: querySchema,
      responses: { 200: { description: "A zip archive; its last file is manifest.json" } },
    },
    handler,
  };
};
