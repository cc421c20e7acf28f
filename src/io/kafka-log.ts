import type { LogEntry, logCreator } from "kafkajs";
import { kafkaAdvice } from "./kafka-advice.ts";

export type KafkaLog = (event: string, fields: Record<string, unknown>) => void;

/** What a line may carry on: names and counts, never a record's content. */
const CARRIED = ["topic", "partition", "groupId", "broker", "retryCount", "retryTime", "error"] as const;

/** The transactional producer ends at its first failure, which is what the warning is about. */
const ANSWERED = "Limiting retries for the idempotent producer may invalidate EoS guarantees";

/** Hands kafkajs' own lines to `log`, and each entry to `watch` (some of its faults show nowhere else). */
export const logTo =
  (log: KafkaLog, watch?: (entry: LogEntry) => void): logCreator =>
  () =>
  (entry) => {
    watch?.(entry);
    if (entry.log.message === ANSWERED) return;
    const fields: Record<string, unknown> = { message: entry.log.message, from: entry.namespace, level: entry.label };
    for (const name of CARRIED) if (entry.log[name] !== undefined) fields[name] = entry.log[name];
    const advice = kafkaAdvice(entry.log.message);
    if (advice !== undefined) fields["advice"] = advice;
    log("kafka_client", fields);
  };
