/**
 * What a client says it sent and was told: one JSON object a line. The auditor believes this and the stores, nothing else.
 * Instants are ISO text with a zone, or milliseconds. A batch that was sent again may stand here again: lines with the
 * same batch and index count once.
 */
export type Fate = "accepted" | "rejected" | "ignored";

export type LedgerSample = {
  kind: "sample";
  athlete_id: string;
  /** Null where the client cannot know it (an import splits a file by itself). */
  batch_id: string | null;
  index?: number;
  sample_id: string | null;
  type: string;
  start: string | number;
  end: string | number;
  value: number | string | null;
  unit: string | null;
  source: { name?: string | null; bundle_id?: string | null; product_type?: string | null };
  time_zone?: string | null;
  batch_time_zone?: string | null;
  created?: string | number | null;
  metadata?: Record<string, unknown>;
  synthetic?: boolean;
  aggregated?: boolean;
  fate: Fate;
  reason?: string;
  path?: string;
};
export type LedgerDeletion = {
  kind: "deletion";
  athlete_id: string;
  batch_id: string | null;
  index?: number;
  sample_id: string;
  fate: Fate;
};
export type LedgerDaily = {
  kind: "daily";
  athlete_id: string;
  batch_id: string | null;
  index?: number;
  date: string;
  type: string;
  value: number;
  unit: string;
  fate: Fate;
};
/** A person's hand on a value: the last line of an athlete, date, metric and source is what must stand (I7). */
export type LedgerLock = {
  kind: "lock" | "unlock";
  athlete_id: string;
  date: string;
  metric: string;
  source: string;
  value?: number | null;
};
/** A value that a person entered and that must stand beside what is computed: wellness, a weight by hand. */
export type LedgerManual = {
  kind: "manual";
  athlete_id: string;
  date: string;
  metric: string;
  value: number;
  unit: string;
};
export type LedgerSettings = {
  kind: "settings";
  athlete_id: string;
  zones?: { from: string | number; zone: string }[];
  source_order?: Record<string, string[]>;
};
export type LedgerLine = LedgerSample | LedgerDeletion | LedgerDaily | LedgerLock | LedgerManual | LedgerSettings;

export type Ledger = {
  samples: LedgerSample[];
  deletions: LedgerDeletion[];
  daily: LedgerDaily[];
  locks: LedgerLock[];
  manual: LedgerManual[];
  settings: Map<string, LedgerSettings>;
  athletes: Set<string>;
};

const KINDS = new Set(["sample", "deletion", "daily", "lock", "unlock", "manual", "settings"]);

/** Milliseconds of ISO text (which must carry its zone) or of a number. */
export const instantOf = (text: string | number): number => {
  const at = typeof text === "number" ? text : Date.parse(text);
  if (!Number.isFinite(at)) throw new Error(`the ledger has an instant that cannot be read: ${String(text)}`);
  return at;
};

const seenOnce = (): ((line: LedgerLine) => boolean) => {
  const seen = new Set<string>();
  return (line) => {
    if (!("index" in line) || line.index === undefined || line.batch_id === null) return true;
    const key = `${line.athlete_id}|${line.batch_id}|${line.kind}|${line.index}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
};

/** Sorts the lines by kind. Throws with the line's number where one cannot be read. */
export const readLedger = (lines: Iterable<string | LedgerLine>): Ledger => {
  const ledger: Ledger = {
    samples: [],
    deletions: [],
    daily: [],
    locks: [],
    manual: [],
    settings: new Map(),
    athletes: new Set(),
  };
  const first = seenOnce();
  let number = 0;
  for (const raw of lines) {
    number += 1;
    if (typeof raw === "string" && raw.trim() === "") continue;
    const line = (typeof raw === "string" ? JSON.parse(raw) : raw) as LedgerLine;
    if (!KINDS.has(line.kind)) throw new Error(`ledger line ${number}: kind must be one of ${[...KINDS].join(", ")}`);
    ledger.athletes.add(line.athlete_id);
    if (!first(line)) continue;
    if (line.kind === "sample") ledger.samples.push(line);
    else if (line.kind === "deletion") ledger.deletions.push(line);
    else if (line.kind === "daily") ledger.daily.push(line);
    else if (line.kind === "settings") ledger.settings.set(line.athlete_id, line);
    else if (line.kind === "manual") ledger.manual.push(line);
    else ledger.locks.push(line);
  }
  return ledger;
};
