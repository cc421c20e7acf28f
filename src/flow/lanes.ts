import type { FetchedBatch, RawRecord, TopicPartition } from "./ports.ts";
import { fingerprintOf } from "./positions.ts";

/**
 * One topic partition in the hands of this member. `loading` until its position is known and sought,
 * `open` while it may fetch, `busy` while a batch of it is being worked on.
 *
 *   loading ──sought──► open ──batch──► busy ──done──► open
 *      ▲                 │ suspect        │ fenced, failed
 *      └─────────────────┴────────────────┘
 */
export type Lane = TopicPartition & {
  state: "loading" | "open" | "busy";
  epoch: number;
  /** Next offset to apply. */
  position: number;
  /** Of the record at position − 1, while that record is known to be in the log. */
  fingerprint: string | null;
  cluster_id: string;
  crashed_offset: number | null;
  attempts: number;
  /** Records below this offset are applied one at a time, each try counted: one of them may kill the worker. */
  cautious_until: number;
  counted: boolean;
  /** A try was counted and its end is still open: whoever lives to see the end without a commit takes it back. */
  owes: boolean;
  /** Waiting at the end of the log: the next batch is only a sign that there is something to verify and read. */
  tailing: boolean;
  /** The last applied record was seen again, but its record batch filled the fetch: the next one comes after it. */
  proven: boolean;
  /** Not assigned any more; forgotten once its work is done. */
  revoked: boolean;
  lag: number;
  progressed_at: number;
  busy_since: number | null;
};

export const laneKey = (p: TopicPartition): string => `${p.topic}/${p.topic_partition}`;

/** The re-read of the last applied record is what proves that the log is still the same log. */
export const fetchFrom = (lane: Pick<Lane, "position" | "fingerprint" | "tailing" | "proven">): number =>
  lane.fingerprint !== null && !lane.tailing && !lane.proven ? lane.position - 1 : lane.position;

export type Judgement =
  | { kind: "work"; records: RawRecord[] }
  /** Something is there: fetch again from the last applied record, so that it can be verified. */
  | { kind: "verify" }
  /** Verified, and nothing new: wait at the end. */
  | { kind: "tail" }
  /** Verified, and what is new did not fit into the fetch: read on from the position itself. */
  | { kind: "proven" }
  /** Not fetched from where it was asked, or the proof is missing: look at the log's bounds. */
  | { kind: "suspect" }
  | { kind: "refuse"; reason: string };

/** What a fetched batch is worth to a lane: pure, so that every combination can be tested. */
export const judge = (
  lane: Pick<Lane, "topic" | "topic_partition" | "position" | "fingerprint" | "tailing" | "proven">,
  batch: Pick<FetchedBatch, "fetched_from" | "records" | "high_watermark">,
): Judgement => {
  if (batch.fetched_from !== fetchFrom(lane)) return { kind: "suspect" };
  const fresh = batch.records.filter((record) => record.offset >= lane.position);
  if (lane.fingerprint === null || lane.proven)
    return fresh.length > 0 ? { kind: "work", records: fresh } : { kind: "tail" };
  if (lane.tailing) return batch.records.length > 0 ? { kind: "verify" } : { kind: "tail" };
  const proof = batch.records.find((record) => record.offset === lane.position - 1);
  if (!proof) return { kind: "suspect" };
  if (fingerprintOf(proof) !== lane.fingerprint) {
    return {
      kind: "refuse",
      reason: `${laneKey(lane)}: the record at offset ${proof.offset} is not the one that was applied last; the topic was recreated`,
    };
  }
  if (fresh.length > 0) return { kind: "work", records: fresh };
  return { kind: batch.high_watermark > lane.position ? "proven" : "tail" };
};
