import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digest } from "../flow/digest.ts";
import type { Clock } from "../flow/ports.ts";
import type { ImportProgress, ImportReport, ImportRequest } from "../flow/import-report.ts";
import { BrokenExport, NotAnExport } from "./apple-export/broken-export.ts";
import { type Content, openFile } from "./apple-export/open-export.ts";
import { exportParts } from "./apple-export/parts.ts";
import { type BatchDecision, decideBatch } from "./decide.ts";
import type { Found, ImportPart } from "./import-part.ts";
import { jsonParts } from "./json-parts.ts";
import { Unavailable } from "./publish.ts";

export type ImportDeps = {
  /** Resolves once Kafka acknowledged the batch and its receipt; throws Unavailable. */
  publish: (decision: BatchDecision) => Promise<unknown>;
  /** True where an interrupted import has sent this very batch, and Kafka acknowledged it. */
  isSent?: (decision: BatchDecision) => boolean;
  clock: Clock;
  /** Awaited between pieces of the file, where an import may rest. */
  pace?: () => Promise<void>;
  /** Throws NotAnExport for content that this import does not take. */
  check?: (content: Content) => void;
  onProgress?: (progress: ImportProgress) => void;
  /** How long one batch is tried again while Kafka is away, in ms. */
  patience_ms?: number;
};

/** Batches on their way at once: memory stays flat however large the file is. */
const IN_FLIGHT = 4;

const emptyReport = (): ImportReport => ({
  batches: 0,
  resumed: 0,
  received: 0,
  accepted: 0,
  twins: 0,
  deletions: 0,
  ignored: {},
  refused: {},
  faults: [],
  records: 0,
  bytes: 0,
  ms: 0,
});

const addDecision = (report: ImportReport, file: string, part: ImportPart, decision: BatchDecision): void => {
  const { answer } = decision;
  report.batches += 1;
  report.received += answer.received;
  report.accepted += answer.accepted;
  report.twins += part.twins;
  report.deletions += answer.deletions;
  for (const [type, count] of Object.entries(answer.ignored))
    report.ignored[type] = (report.ignored[type] ?? 0) + count;
  for (const { index, reason, path, detail } of answer.rejected) {
    const entry = (report.refused[reason] ??= { count: 0, examples: [] });
    entry.count += 1;
    if (entry.examples.length === 3) continue;
    const type = index < 0 ? null : ((part.body.samples?.[index] as { type?: unknown } | null)?.type ?? null);
    const field = path.replace(/^samples\[\d+\]\.?/, "");
    entry.examples.push({
      file,
      line: part.lineOf(Math.max(0, index)),
      type: typeof type === "string" ? type.slice(0, 80) : null,
      detail: field === "" ? detail : `${field}: ${detail}`,
    });
  }
};

/** A bounded number of sends at once. A rejected one surfaces at the next call. */
const sender = (publish: (decision: BatchDecision) => Promise<unknown>) => {
  const running = new Set<Promise<unknown>>();
  let failure: { error: unknown } | null = null;
  return {
    async send(decision: BatchDecision): Promise<void> {
      while (running.size >= IN_FLIGHT) await Promise.race(running);
      if (failure) throw failure.error;
      const sent = publish(decision)
        .catch((error: unknown) => (failure ??= { error }))
        .finally(() => running.delete(sent));
      running.add(sent);
    },
    async drain(): Promise<void> {
      await Promise.all(running);
      if (failure) throw failure.error;
    },
  };
};

/** Tries again while Kafka is away: the same batch twice is the same batch. */
const patiently = (deps: ImportDeps, onWait: (waiting: boolean) => void) => async (decision: BatchDecision) => {
  const until = performance.now() + (deps.patience_ms ?? 120_000);
  for (let pause = 250; ; pause = Math.min(pause * 2, 5000)) {
    try {
      await deps.publish(decision);
      onWait(false);
      return;
    } catch (error) {
      if (!(error instanceof Unavailable) || performance.now() + pause > until) throw error;
      onWait(true);
      await sleep(pause);
    }
  }
};

const partsOf = (
  content: Content,
  counted: AsyncIterable<Uint8Array>,
  request: ImportRequest,
): AsyncIterable<Found[]> =>
  content.kind === "xml" ? exportParts(counted, request, digest) : jsonParts(counted, request, digest);

/** Counts what is read. A disk or zip that fails half-way is a fault of the file, not of what was read before. */
async function* counting(bytes: AsyncIterable<Uint8Array>, add: (count: number) => void): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]();
  for (;;) {
    const piece = await source.next().catch((error: Error) => {
      throw new BrokenExport(`the file cannot be read to its end: ${error.message}`);
    });
    if (piece.done) return;
    add(piece.value.length);
    yield piece.value;
  }
}

type Run = { request: ImportRequest; deps: ImportDeps; report: ImportReport; started: number };

/** What one found thing does to the report, and on its way to Kafka. */
const taker = (file: string, run: Run, send: (decision: BatchDecision) => Promise<void>) => {
  const { request, deps, report } = run;
  return async (found: Found): Promise<void> => {
    if (found.kind === "fault") report.faults.push({ file, line: found.line, type: null, detail: found.detail });
    else if (found.kind === "skipped") report.ignored[found.name] = (report.ignored[found.name] ?? 0) + 1;
    else if (found.kind === "read") report.records += found.records;
    else {
      const { part } = found;
      const { athlete_id } = request;
      const context = { ...part, athlete_id, received_at: deps.clock.now(), kind: "import" as const };
      const decision = decideBatch(part.body, context, digest);
      if (!request.dry_run && deps.isSent?.(decision)) report.resumed += 1;
      else await send(decision);
      addDecision(report, file, part, decision);
    }
  };
};

const importFile = async (path: string, content: Content, run: Run): Promise<void> => {
  const { request, deps, report, started } = run;
  const file = basename(path);
  let waiting = false;
  let bytes = 0;
  const tell = (): void => {
    const { records } = report;
    const ms = performance.now() - started;
    deps.onProgress?.({ file, bytes, bytes_total: content.bytes, records, ms, waiting });
  };
  const onWait = (now: boolean): void => {
    waiting = now;
    tell();
  };
  const out = sender(request.dry_run ? async () => {} : patiently(deps, onWait));
  const take = taker(file, run, (decision) => out.send(decision));
  const counted = counting(content.stream, (count) => (bytes += count));
  try {
    for await (const list of partsOf(content, counted, request)) {
      for (const found of list) await take(found);
      await deps.pace?.();
      tell();
    }
  } finally {
    report.bytes += bytes;
    await out.drain();
  }
};

/**
 * Reads files one after the other and publishes their batches, in bounded memory. A file that is no export, or breaks
 * off, is a fault, and the next one goes on. Throws Unavailable where Kafka stays away.
 */
export const importFiles = async (request: ImportRequest, deps: ImportDeps): Promise<ImportReport> => {
  const started = performance.now();
  const report = emptyReport();
  for (const path of request.files) {
    let content: Content | null = null;
    try {
      content = await openFile(path);
      deps.check?.(content);
      await importFile(path, content, { request, deps, report, started });
    } catch (error) {
      if (!(error instanceof NotAnExport) && !(error instanceof BrokenExport)) throw error;
      report.faults.push({ file: basename(path), line: null, type: null, detail: error.message });
    } finally {
      content?.close();
    }
  }
  report.ms = performance.now() - started;
  return report;
};
