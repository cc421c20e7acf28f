import type { NightExplanation, RelatedSession } from "../domain/explain/night.ts";

const hours = (seconds: number | null): string => {
  if (seconds === null) return "unknown";
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const named = ({ kind, source, session_id }: RelatedSession): string => `${kind} of ${source} (${session_id})`;

/** A session's explanation as a person reads it. */
export const nightLines = (night: NightExplanation): string[] => {
  const { winner, sources, superseded_by, in_bed_sources } = night;
  return [
    `${night.kind} of ${night.date}: ${night.source} (${night.session_id})`,
    `  ${night.start_at} to ${night.end_at} (${night.tz}); asleep ${hours(night.total_sleep_s)}, in bed ${hours(night.time_in_bed_s)}`,
    `  ${winner.source_key} counts${winner.decided_by === null ? "" : ` (${night.method}, rule ${winner.decided_by})`}: ${winner.why}`,
    ...(superseded_by === null ? [] : [`  gave way to ${named(superseded_by)}`]),
    ...night.instead_of.map((other) => `  instead of ${named(other)}`),
    ...sources.used.map(({ source_key, samples }) => `  used ${source_key}: ${samples} segments`),
    ...sources.set_aside.map(
      ({ source_key, samples, reason }) => `  set aside ${source_key ?? "others"}: ${samples} segments, ${reason}`,
    ),
    `  bedtime and rise: ${in_bed_sources.length === 0 ? "the stages, nobody told of the bed" : `the bed of ${in_bed_sources.join(", ")}`}`,
  ];
};
