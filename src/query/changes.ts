import { fromEpochDay } from "../domain/local-day.ts";
import type { Codec, RawRecord } from "../flow/ports.ts";
import type { TopicNames } from "../flow/topics.ts";
import { iso } from "./samples-answer.ts";

/** One change of a result as it was committed; `data` is null where the row is gone. */
export type Change = {
  kind: "metric" | "session";
  athlete_id: string;
  revision: number;
  key: Record<string, string>;
  data: Record<string, unknown> | null;
};

type Row = Record<string, unknown> & { revision: number };

const INSTANTS = ["start_at", "end_at", "onset_at", "final_wake_at", "updated_at"];
const DOCUMENTS = ["provenance", "score_components"];

/** Dates and instants as the other routes write them. */
const readable = (row: Row): Record<string, unknown> => {
  const out: Record<string, unknown> = { ...row, date: fromEpochDay(row["date"] as number) };
  for (const name of INSTANTS) if (typeof out[name] === "number") out[name] = iso(out[name]);
  for (const name of DOCUMENTS) if (typeof out[name] === "string") out[name] = JSON.parse(out[name]);
  return out;
};

const KEYS = { metric: ["date", "metric", "source"], session: ["session_id"] } as const;

/** What a record of the metrics or the sessions topic says; null for one that says nothing to a reader. */
export const changeOf = async (codec: Codec, topic: TopicNames, record: RawRecord): Promise<Change | null> => {
  const kind = record.topic === topic("metrics") ? "metric" : "session";
  const [athleteId, ...rest] = record.key?.toString("utf8").split("|") ?? [];
  if (athleteId === undefined || rest.length !== KEYS[kind].length) return null;
  const key = Object.fromEntries(KEYS[kind].map((name, at) => [name, rest[at] as string]));
  if (record.value === null) {
    return { kind, athlete_id: athleteId, revision: Number(record.headers["revision"]), key, data: null };
  }
  const decoded = await codec.decode(record.topic, record.value);
  if (decoded.kind !== "ok") return null;
  const row = decoded.value as Row;
  return { kind, athlete_id: athleteId, revision: row.revision, key, data: readable(row) };
};
