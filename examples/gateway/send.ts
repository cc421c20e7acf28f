import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** A native batch (see docs/gateway.md); lists may be absent. */
export type Batch = {
  batch_id?: string;
  time_zone?: string;
  samples?: readonly { uuid: string }[];
  deleted?: readonly { uuid: string }[];
  anchor?: string;
};

export type Receipt = {
  batch_id: string;
  accepted: number;
  deletions: number;
  rejected: { index: number; uuid: string | null; reason: string; path: string; detail: string }[];
};

export type SendOptions = {
  /** `https://host/v1/athletes/ID` */
  url: string;
  /** Asked before each try, so that a new token is used as soon as there is one. */
  token: () => Promise<string>;
  /** Gives up, to be called again later, after so many tries of one batch: a background task has 30 s. */
  tries?: number;
  timeoutMs?: number;
  sleep?: (ms: number) => Promise<unknown>;
  random?: () => number;
};

/** Nobody can repair this by sending it again: tell a person, keep the anchor. */
export class Stopped extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(`${status}: ${detail}`);
    this.status = status;
  }
}

/** The service could not be reached, or asked for patience, for as long as we were ready to wait: call again later. */
export class TryLater extends Error {}

type Answer = { status: number; text: string; retryAfter: string | null };

/** 0 is no answer at all: whether the service has it is unknown, so it is sent again. Twice is as good as once. */
const post = async (options: SendOptions, path: string, body: unknown): Promise<Answer> => {
  try {
    const answer = await fetch(`${options.url}/${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await options.token()}`,
        "content-type": "application/json",
        "content-encoding": "gzip",
      },
      body: gzipSync(JSON.stringify(body)),
      signal: AbortSignal.timeout(options.timeoutMs ?? 20_000),
    });
    return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get("retry-after") };
  } catch {
    return { status: 0, text: "", retryAfter: null };
  }
};

const detailOf = (text: string): string => {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail);
  } catch {
    return "no reason was given";
  }
};

/** As long as the service says, else longer each time; spread, so that not all phones come back at once. */
const pauseOf = ({ retryAfter }: Answer, attempt: number, random: number): number => {
  const seconds = Number(retryAfter ?? Number.NaN);
  const least = Number.isFinite(seconds) ? seconds * 1000 : Math.min(30_000, 250 * 2 ** attempt);
  return least * (1 + random / 2);
};

/** The same content has the same id, and other content another: a 409 cannot happen by a change of mind. */
const named = (batch: Batch, salt = ""): Batch => {
  const { batch_id: _, ...content } = batch;
  const hash = createHash("sha256").update(JSON.stringify(content)).update(salt);
  return { ...content, batch_id: hash.digest("hex").slice(0, 32) };
};

const sizeOf = ({ samples = [], deleted = [] }: Batch): number => samples.length + deleted.length;

const halves = (batch: Batch): Batch[] => {
  const { samples = [], deleted = [] } = batch;
  const [s, d] = [Math.ceil(samples.length / 2), Math.floor(deleted.length / 2)];
  return [
    { ...batch, samples: samples.slice(0, s), deleted: deleted.slice(0, d) },
    { ...batch, samples: samples.slice(s), deleted: deleted.slice(d) },
  ];
};

/** Statuses that pass by themselves: no answer, too busy, away, or a proxy between that gave up. */
const passes = (status: number): boolean => status === 0 || status === 408 || status === 429 || status >= 500;

/** Posts until there is an answer that means something. Throws TryLater. */
export const persist = async (options: SendOptions, path: string, body: unknown): Promise<Answer> => {
  const {
    tries = 8,
    sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random = Math.random,
  } = options;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await post(options, path, body);
    // The token that was asked for before this try may be older than its end: the next one is new.
    if (!passes(answer.status) && (answer.status !== 401 || attempt > 1)) return answer;
    if (attempt >= tries) throw new TryLater(`no answer to count on after ${attempt} tries`);
    await sleep(pauseOf(answer, attempt, random()));
  }
};

/**
 * Sends a batch until Kafka has it, in halves where it is too large. Answers one receipt a part: what stands in
 * `rejected` is refused for good, and kept by the service. Throws Stopped or TryLater; then nothing may be forgotten.
 */
export const sendBatch = async (options: SendOptions, batch: Batch, salt = ""): Promise<Receipt[]> => {
  const { status, text } = await persist(options, "batches", named(batch, salt));
  if (status === 202) return [JSON.parse(text) as Receipt];
  if (status === 413 && sizeOf(batch) > 1) {
    const receipts: Receipt[] = [];
    for (const half of halves(batch)) receipts.push(...(await sendBatch(options, half, salt)));
    return receipts;
  }
  // Another body came under this id: a bug somewhere, but the samples are what counts. A new name, once.
  if (status === 409 && salt === "") return sendBatch(options, batch, "renamed");
  throw new Stopped(status, detailOf(text));
};
