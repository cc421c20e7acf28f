const TEXTS = ["athlete_id", "uuid", "type", "start", "end", "unit", "source", "metadata"] as const;

/** What the usual way writes for a sample. */
export type NaiveSample = Record<(typeof TEXTS)[number], string> & { value: number };

export const NAIVE_SCHEMA = {
  type: "record",
  name: "Sample",
  namespace: "naive",
  fields: [...TEXTS.map((name) => ({ name, type: "string" })), { name: "value", type: "double" }],
};
