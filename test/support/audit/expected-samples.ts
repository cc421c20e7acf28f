import { conflictingId, contentDigest, originKey, plainName, type Origin } from "./identity.ts";
import { instantOf, type Ledger, type LedgerSample } from "./ledger.ts";
import { localDateOf } from "./local-time.ts";
import { typeOf, valueOf, type SampleType } from "./types.ts";

/** What must be stored of one acknowledged sample. */
export type Expected = {
  athlete_id: string;
  sample_id: string;
  metric: string;
  start_at: number;
  end_at: number;
  value: number;
  /** False where a conversion may differ in the last digits. */
  exact: boolean;
  unit: string;
  source: string;
  origin: Origin;
  tz: string;
  local_date: string;
  user_entered: boolean;
  motion_context: number | null;
  /** Of a state of mind: a whole day's, not a moment's. */
  daily_mood: boolean;
  sync_id: string | null;
  sync_version: number | null;
  created: number | null;
  aggregated: boolean;
  synthetic: boolean;
  type: string;
  received_at: number;
  digest: string;
};

const meta = (sample: LedgerSample, name: string): unknown =>
  sample.metadata?.[`HK${name}`] ?? sample.metadata?.[`HKMetadataKey${name}`];
const numberOrNull = (value: unknown): number | null => (value === undefined || value === null ? null : Number(value));

/** D4: the sample's own zone, the athlete's history, the batch's zone, UTC. */
const zoneOf = (sample: LedgerSample, startAt: number, ledger: Ledger): string => {
  const own = (meta(sample, "TimeZone") as string | undefined) ?? sample.time_zone;
  if (own) return own;
  const history = (ledger.settings.get(sample.athlete_id)?.zones ?? [])
    .filter((z) => instantOf(z.from) <= startAt)
    .toSorted((a, b) => instantOf(a.from) - instantOf(b.from));
  return history.at(-1)?.zone ?? sample.batch_time_zone ?? "UTC";
};

type Measured = { metric: string; unit: string; value: number };

const measured = (sample: LedgerSample, start_at: number, end_at: number): Measured => {
  const type: SampleType | undefined = typeOf(sample.type);
  const told = { value: sample.value, unit: sample.unit, start_at, end_at, metadata: sample.metadata ?? {} };
  const value = type && valueOf(type, told);
  if (!type || value === undefined || !Number.isFinite(value)) {
    throw new Error(`the ledger says accepted, but the auditor knows no rule for ${sample.type} in ${sample.unit}`);
  }
  return { metric: type.metric, unit: type.unit, value };
};

/** §1.2: kind 2 is the mood of a day. */
const isDailyMood = (sample: LedgerSample): boolean => {
  const kind = sample.metadata?.["kind"] ?? meta(sample, "StateOfMindKind");
  return Number(kind) === 2 || (typeof kind === "string" && /^daily[_ ]?mood$/i.test(kind));
};

/** The canonical row of one accepted line. Throws where the ledger calls something accepted that we know no rule for. */
export const interpretLine = (sample: LedgerSample, ledger: Ledger, receivedAt: number): Expected => {
  const [start_at, end_at] = [instantOf(sample.start), instantOf(sample.end)];
  if (sample.sample_id === null) throw new Error(`an accepted ${sample.type} of the ledger has no sample_id`);
  const { metric, unit, value } = measured(sample, start_at, end_at);
  const origin: Origin = {
    name: plainName(sample.source.name ?? ""),
    bundle_id: sample.source.bundle_id ?? null,
    product_type: sample.source.product_type ?? null,
  };
  const tz = zoneOf(sample, start_at, ledger);
  return {
    athlete_id: sample.athlete_id,
    sample_id: sample.sample_id.toLowerCase(),
    metric,
    start_at,
    end_at,
    value,
    exact: value === sample.value,
    unit,
    source: origin.name,
    origin,
    tz,
    local_date: localDateOf(start_at, tz),
    user_entered: Number(meta(sample, "WasUserEntered") ?? 0) === 1,
    motion_context: numberOrNull(meta(sample, "HeartRateMotionContext")),
    daily_mood: isDailyMood(sample),
    sync_id: (meta(sample, "SyncIdentifier") as string | undefined) ?? null,
    sync_version: numberOrNull(meta(sample, "SyncVersion")),
    created: sample.created === undefined || sample.created === null ? null : instantOf(sample.created),
    aggregated: sample.aggregated ?? false,
    synthetic: sample.synthetic ?? false,
    type: sample.type,
    received_at: receivedAt,
    digest: contentDigest([metric, start_at, end_at, value, unit, originKey(origin)]),
  };
};

/** D6: smallest (received_at, content hash). */
const earlier = (a: Expected, b: Expected): number =>
  a.received_at - b.received_at || (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0);
/** D6: a higher sync version wins before that. */
const better = (a: Expected, b: Expected): number => (b.sync_version ?? -1) - (a.sync_version ?? -1) || earlier(a, b);

/** D6: one winner a moment; the earliest received keeps the id, copies with another start or end get one of their own. */
export const settleCopies = (copies: readonly Expected[]): Expected[] => {
  const first = copies.toSorted(earlier)[0];
  const moments = Map.groupBy(copies, (copy) => `${copy.start_at}|${copy.end_at}`);
  return [...moments.values()].flatMap((same) =>
    same
      .toSorted(better)
      .slice(0, 1)
      .map((copy): Expected => {
        if (copy.start_at === first?.start_at && copy.end_at === first.end_at) return copy;
        return Object.assign({}, copy, { sample_id: conflictingId(copy.sample_id, copy.start_at, copy.end_at) });
      }),
  );
};
