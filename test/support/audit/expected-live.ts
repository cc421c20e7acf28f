import { settleCopies, interpretLine, type Expected } from "./expected-samples.ts";
import type { Ledger } from "./ledger.ts";

/** What the ledger says must be there, and what must not. Keys are `athlete|sample_id`. */
export type Expectation = { live: Map<string, Expected>; gone: Map<string, "deleted" | "superseded" | "adopted"> };

/** The server's instant for a batch (from its receipt): D6 breaks ties by it. */
export type ReceivedAt = (athleteId: string, batchId: string | null) => number;

const keyOf = (sample: { athlete_id: string; sample_id: string }): string => `${sample.athlete_id}|${sample.sample_id}`;

const groupBy = <T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
};

/** §6 sync ids: the highest version stays; equal versions: the smallest sample_id. */
const superseded = (samples: readonly Expected[]): Expected[] => {
  const synced = samples.filter((s) => s.sync_id !== null);
  const groups = groupBy(synced, (s) => [s.athlete_id, s.origin.bundle_id ?? "", s.type, s.sync_id].join("|"));
  return [...groups.values()].flatMap((group) =>
    group
      .toSorted((a, b) => (b.sync_version ?? 0) - (a.sync_version ?? 0) || (a.sample_id < b.sample_id ? -1 : 1))
      .slice(1),
  );
};

const byValue = (a: Expected, b: Expected): number => a.value - b.value || (a.sample_id < b.sample_id ? -1 : 1);

/** D10: synthetic records that have a uuid sample beside them, paired one to one by (value, sample_id). */
const adopted = (samples: readonly Expected[]): Expected[] => {
  const groups = groupBy(samples, (s) =>
    [s.athlete_id, s.metric, Math.floor(s.start_at / 1000), Math.floor(s.end_at / 1000), s.source].join("|"),
  );
  const out: Expected[] = [];
  for (const group of groups.values()) {
    const real = group.filter((s) => !s.synthetic).toSorted(byValue);
    const made = group.filter((s) => s.synthetic && !s.aggregated).toSorted(byValue);
    let [i, j] = [0, 0];
    for (let [r, m] = [real[i], made[j]]; r && m; [r, m] = [real[i], made[j]]) {
      if (Math.abs(r.value - m.value) <= 0.001 * Math.max(Math.abs(r.value), Math.abs(m.value))) {
        out.push(m);
        i += 1;
        j += 1;
      } else if (r.value < m.value) i += 1;
      else j += 1;
    }
  }
  return out;
};

export const expectation = (ledger: Ledger, receivedAt: ReceivedAt): Expectation => {
  const accepted = ledger.samples
    .filter((s) => s.fate === "accepted")
    .map((s) => interpretLine(s, ledger, receivedAt(s.athlete_id, s.batch_id)));
  const settled = [...groupBy(accepted, keyOf).values()].flatMap(settleCopies);
  const gone: Expectation["gone"] = new Map();
  for (const sample of adopted(settled)) gone.set(keyOf(sample), "adopted");
  for (const sample of superseded(settled)) gone.set(keyOf(sample), "superseded");
  for (const deletion of ledger.deletions) {
    if (deletion.fate !== "accepted") continue;
    gone.set(`${deletion.athlete_id}|${deletion.sample_id.toLowerCase()}`, "deleted");
  }
  const live = new Map<string, Expected>();
  for (const sample of settled) if (!gone.has(keyOf(sample))) live.set(keyOf(sample), sample);
  return { live, gone };
};
