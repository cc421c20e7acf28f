import { NAMESPACE, uuid5 } from "../domain/ids.ts";
import { digest } from "../flow/digest.ts";
import { sentWithOf } from "../flow/dead-letters.ts";
import type { DeadLetter } from "../flow/effects.ts";
import { Problem } from "../flow/route.ts";
import { type BatchContext, type BatchDecision, decideBatch } from "./decide.ts";
import { decideAgain } from "./door-routes.ts";

/** `no`: it cannot be tried, and why. */
export type RetriedEntry = { kind: "decided"; decision: BatchDecision } | { kind: "no"; why: string };

const no = (why: string): RetriedEntry => ({ kind: "no", why });

const LIST = /^(samples|deleted|daily)\[/;

/** A native entry, as a batch of one. */
const nativeAgain = (letter: DeadLetter, entry: unknown, context: BatchContext, zone: string | null): RetriedEntry => {
  const list = LIST.exec(letter.path ?? "")?.[1];
  if (list === undefined) return no("its path does not say what kind of entry it was");
  const batch_id = uuid5(NAMESPACE, `retry|${letter.id}`, digest);
  return { kind: "decided", decision: decideBatch({ batch_id, time_zone: zone, [list]: [entry] }, context, digest) };
};

/**
 * A refused entry of an HTTP batch or an import through the same door again, alone: in a batch whose id is made from the
 * letter's, so that trying twice is the same batch; with the time at which it was first received, which orders copies.
 */
export const retryEntry = (letter: DeadLetter): RetriedEntry => {
  const { athlete_id, origin } = letter;
  if (athlete_id === null || origin.kind === "topic") return no("it is not an entry of a batch");
  let entry: unknown;
  try {
    entry = JSON.parse(new TextDecoder().decode(letter.payload));
  } catch {
    return no("only the beginning of it was kept, because it was so large: send it again");
  }
  const sent = sentWithOf(letter.content_type);
  const from = {
    athlete_id,
    received_at: letter.first_seen_at,
    kind: origin.kind,
    body_hash: digest.sha256(`retry|${letter.id}`),
  };
  const zone = sent["time_zone"] ?? null;
  if (sent["door"] === undefined) {
    const door = (sent["made_by"] ?? "native") as BatchContext["door"];
    return nativeAgain(letter, entry, { ...from, door, synthetic: sent["synthetic"] === "1" }, zone);
  }
  try {
    const door = sent["door"] as BatchContext["door"];
    return { kind: "decided", decision: decideAgain(entry, { ...from, door, time_zone: zone }) };
  } catch (error) {
    if (error instanceof Problem || error instanceof RangeError) return no(error.message);
    throw error;
  }
};
