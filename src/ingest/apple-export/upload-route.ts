import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "typebox";
import type { ImportReport } from "../../flow/import-report.ts";
import type { Clock } from "../../flow/ports.ts";
import { Problem, type Route, type RouteRequest, unavailable } from "../../flow/route.ts";
import { places } from "../../flow/slots.ts";
import type { BatchDecision } from "../decide.ts";
import { importFiles } from "../import-files.ts";
import { publishBatch, type PublishDeps, Unavailable } from "../publish.ts";
import { traceparentOf } from "../submit.ts";
import { zoneQuery, zoneSchema } from "../zone-query.ts";
import { NotAnExport } from "./broken-export.ts";
import type { Content } from "./open-export.ts";
import { spool } from "./spool.ts";

export type UploadDeps = PublishDeps & {
  clock: Clock;
  /** Where uploads wait until they are read; the system's folder for temporary files if absent. */
  folder?: string;
  /** Bytes of an upload, and of what its zip holds. */
  limits?: { upload_bytes: number; inflated_bytes: number };
};

const LIMITS = { upload_bytes: 4 * 2 ** 30, inflated_bytes: 16 * 2 ** 30 };
/** Uploads under way at once: each takes a processor and a share of the disk. */
const AT_ONCE = 2;
/** How long Kafka may be away before the client is told to come again, in ms. */
const PATIENCE_MS = 10_000;

const example = Type.Object({
  file: Type.String(),
  line: Type.Union([Type.Integer(), Type.Null()]),
  type: Type.Union([Type.String(), Type.Null()]),
  detail: Type.String(),
});

const answerSchema = Type.Object({
  state: Type.Literal("accepted"),
  batch_ids: Type.Array(Type.String()),
  received: Type.Integer(),
  accepted: Type.Integer(),
  twins: Type.Integer({ description: "Records with the metric, time and source of another" }),
  ignored: Type.Record(Type.String(), Type.Integer()),
  refused: Type.Record(Type.String(), Type.Object({ count: Type.Integer(), examples: Type.Array(example) })),
  faults: Type.Array(example, { description: "Where the file could not be read on; what came before was taken" }),
});

const answerOf = ({ received, accepted, twins, ignored, refused, faults }: ImportReport, batch_ids: string[]) => ({
  state: "accepted",
  batch_ids,
  received,
  accepted,
  twins,
  ignored,
  refused,
  faults,
});

const checkContent =
  (limit: number) =>
  (content: Content): void => {
    if (content.kind !== "xml") throw new NotAnExport("expected Apple's export.zip or export.xml, not JSON");
    if (content.bytes > limit) throw new NotAnExport(`the zip holds over ${limit} bytes: use \`health-sync import\``);
  };

const importUpload = async (deps: UploadDeps, request: RouteRequest, folder: string) => {
  const { upload_bytes, inflated_bytes } = deps.limits ?? LIMITS;
  const time_zone = zoneQuery(request);
  if (!request.stream) throw new Problem(400, "send Apple's export.zip or export.xml as the body");
  const path = join(folder, "export");
  const { "content-encoding": encoding, "content-length": length } = request.headers;
  await spool({ bytes: request.stream, encoding, length }, path, upload_bytes);
  const batchIds: string[] = [];
  const publish = async (decision: BatchDecision): Promise<void> => {
    await publishBatch(deps, decision, traceparentOf(request));
    batchIds.push(decision.answer.batch_id);
  };
  const report = await importFiles(
    { files: [path], athlete_id: request.athlete_id ?? "", time_zone, dry_run: false },
    { publish, clock: deps.clock, check: checkContent(inflated_bytes), patience_ms: PATIENCE_MS },
  );
  const [fault] = report.faults;
  if (fault && report.batches === 0) throw new Problem(400, `the upload cannot be imported: ${fault.detail}`);
  return { status: 202, body: answerOf(report, batchIds) };
};

/**
 * `POST …/apple-export`: the upload is kept aside until it is whole, because a zip is read from its end, and is then
 * imported as `import` does it. 202 once Kafka acknowledged every batch; sending it again doubles nothing.
 */
export const uploadRoute = (deps: UploadDeps): Route => {
  const takePlace = places(AT_ONCE);
  return {
    method: "POST",
    path: "/v1/athletes/{athlete_id}/apple-export",
    scope: "ingest",
    summary: "Apple's export.zip or export.xml, told by its bytes",
    upload: true,
    schema: {
      query: Type.Object({ time_zone: zoneSchema }),
      responses: { 202: { description: "Every batch acknowledged by Kafka", schema: answerSchema } },
    },
    handler: async (request) => {
      const giveBack = takePlace();
      if (!giveBack) throw unavailable("other uploads are under way: send it again", 30);
      let folder: string | null = null;
      try {
        folder = await mkdtemp(join(deps.folder ?? tmpdir(), "health-sync-upload-"));
        return await importUpload(deps, request, folder);
      } catch (error) {
        if (error instanceof Unavailable) throw unavailable(error.message, 5, error.cause);
        throw error;
      } finally {
        giveBack();
        if (folder !== null) await rm(folder, { recursive: true, force: true });
      }
    },
  };
};
