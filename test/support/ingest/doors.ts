import type { Sample } from "../../../src/domain/sample.ts";
import { interpret } from "../../../src/domain/interpret.ts";
import { digest, sha256Hex } from "../../../src/flow/digest.ts";
import type { BatchDecision } from "../../../src/ingest/decide.ts";
import type { Converted, DoorRequest } from "../../../src/ingest/door.ts";
import { decideConverted } from "../../../src/ingest/door.ts";

export const RECEIVED_AT = Date.parse("2026-11-21T12:00:00Z");

/** What a door does with a body, without HTTP and Kafka. */
export const throughDoor = (
  door: DoorRequest["door"],
  converted: Converted,
  more: { received_at?: number; body?: string } = {},
): BatchDecision =>
  decideConverted(
    converted,
    {
      athlete_id: "a1",
      kind: "http",
      door,
      received_at: more.received_at ?? RECEIVED_AT,
      body_hash: sha256Hex(new TextEncoder().encode(more.body ?? "{}")),
    },
    digest,
  );

/** The canonical samples that staging will make of a decision, for an athlete without settings. */
export const samplesOf = ({ chunks }: BatchDecision): Sample[] =>
  chunks.flatMap(({ chunk }) =>
    chunk.series.flatMap(({ samples, ...series }) =>
      samples.map((sample) => {
        const { athlete_id, received_at, batch_time_zone } = chunk;
        const settings = { zones: [], source_order: {} };
        const outcome = interpret({ series, sample, athlete_id, received_at, batch_time_zone, settings });
        if (outcome.kind !== "ok") throw new Error(`staging would not take what the edge took: ${outcome.kind}`);
        return outcome.value;
      }),
    ),
  );

export const dailyOf = ({ chunks }: BatchDecision) => chunks.flatMap(({ chunk }) => chunk.daily);
