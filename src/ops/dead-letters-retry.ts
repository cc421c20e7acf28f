import type { Clock, Database } from "../flow/ports.ts";
import type { LetterFilter, StoredLetter } from "./dead-letters.ts";
import { listLetters, markTried, readLetter } from "./dead-letters.ts";

/** What another try came to. `impossible`: there is no way to try it. */
export type Tried =
  | { kind: "accepted" }
  | { kind: "refused"; reason: string; path: string; detail: string }
  | { kind: "impossible"; why: string };

export type RetryResult = { id: string } & Tried;
export type RetryReport = { tried: number; accepted: number; left: RetryResult[] };

export type RetryDeps = {
  db: Database;
  clock: Clock;
  /** Goes through the same door again; with a dry run only as far as it can be told without sending anything. */
  tryAgain: (letter: StoredLetter, dryRun: boolean) => Promise<Tried>;
};

const PAGE = 200;

async function* lettersOf(db: Database, wanted: LetterFilter | readonly string[]): AsyncGenerator<string> {
  if (Array.isArray(wanted)) {
    yield* wanted as readonly string[];
    return;
  }
  let after: string | null = null;
  for (;;) {
    const page: { id: string }[] = await listLetters(db, wanted as LetterFilter, { after, limit: PAGE });
    for (const { id } of page) yield id;
    after = page.at(-1)?.id ?? null;
    if (page.length < PAGE) return;
  }
}

const again = async (deps: RetryDeps, id: string, dryRun: boolean): Promise<Tried> => {
  const letter = await readLetter(deps.db, id);
  if (letter.retried_at !== null) {
    return { kind: "impossible", why: `it went through on ${new Date(letter.retried_at).toISOString()}` };
  }
  const tried = await deps.tryAgain(letter, dryRun);
  if (tried.kind === "impossible" || dryRun) return tried;
  await markTried(deps.db, id, { accepted: tried.kind === "accepted", now: deps.clock.now() });
  return tried;
};

/**
 * Tries letters again, one after the other. A letter that goes through is marked; one that is refused again stays as it
 * is with one attempt more: never a second letter. A process that dies between the two sends the same ids again.
 */
export const retryLetters = async (
  deps: RetryDeps,
  wanted: LetterFilter | readonly string[],
  told: { dryRun: boolean; onProgress: (report: RetryReport) => void },
): Promise<RetryReport> => {
  const report: RetryReport = { tried: 0, accepted: 0, left: [] };
  for await (const id of lettersOf(deps.db, wanted)) {
    const tried = await again(deps, id, told.dryRun);
    report.tried += 1;
    if (tried.kind === "accepted") report.accepted += 1;
    else report.left.push({ id, ...tried });
    told.onProgress(report);
  }
  return report;
};
