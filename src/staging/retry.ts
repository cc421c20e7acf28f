import { NAMESPACE, uuid5 } from "../domain/ids.ts";
import type { SampleChunk, SentDaily, SentDeletion, SentSeries } from "../domain/sample.ts";
import { digest } from "../flow/digest.ts";
import { sentWithOf } from "../flow/dead-letters.ts";
import type { DeadLetter } from "../flow/effects.ts";
import type { RawRecord } from "../flow/ports.ts";
import { interpretChunks } from "./interpret.ts";

export type RetriedPart =
  | { kind: "chunk"; chunk: SampleChunk }
  | { kind: "refused"; reason: string; path: string; detail: string }
  | { kind: "no"; why: string };

type Parts = Pick<SampleChunk, "series" | "deletions" | "daily">;

const partsOf = ({ path }: DeadLetter, entry: unknown): Parts => ({
  series: path?.startsWith("series[") ? [entry as SentSeries] : [],
  deletions: path?.startsWith("deletions[") ? [entry as SentDeletion] : [],
  daily: path?.startsWith("daily[") ? [entry as SentDaily] : [],
});

/** A refused part of a chunk, as a chunk of its own, checked as staging will. Its batch id is made from the letter's. */
export const retryPart = (letter: DeadLetter): RetriedPart => {
  const { athlete_id, origin } = letter;
  const sent = sentWithOf(letter.content_type);
  if (athlete_id === null || sent["received_at"] === undefined) {
    return { kind: "no", why: "it was kept without what came with it: replay its record instead" };
  }
  const chunk: SampleChunk = {
    athlete_id,
    provider: sent["provider"] ?? "apple_health",
    batch_id: uuid5(NAMESPACE, `retry|${letter.id}`, digest),
    chunk: 0,
    received_at: Number(sent["received_at"]),
    batch_time_zone: sent["time_zone"] ?? null,
    ...partsOf(letter, JSON.parse(new TextDecoder().decode(letter.payload))),
  };
  const record: RawRecord = {
    topic: origin.topic ?? "",
    topic_partition: 0,
    offset: 0,
    timestamp: letter.first_seen_at,
    key: null,
    value: null,
    headers: {},
  };
  const [refused] = interpretChunks([{ record, chunk, lane: "backfill" }], () => undefined, digest).refused;
  if (!refused) return { kind: "chunk", chunk };
  const { reason, path, detail } = refused;
  return { kind: "refused", reason, path, detail };
};
