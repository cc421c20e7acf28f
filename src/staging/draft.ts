import { zoneAt } from "../domain/zone.ts";
import { coveredDays } from "../domain/interval.ts";
import { dayEnd } from "../domain/local-day.ts";
import { twinKey } from "../domain/merge.ts";
import type { Instant, LocalDate, Sample, TombstoneReason } from "../domain/sample.ts";
import { touchedDates } from "../domain/window.ts";
import type { Facts, KnownTombstone, Lane, Staged } from "./facts.ts";
import { keyOf } from "./facts.ts";
import type { StagingRows, TombstoneRow, TouchedWindow } from "./rows.ts";

export type Touch = { lane: Lane; topic_partition: number; reason: string };

type Days = ReturnType<typeof coveredDays>;

/** `deleted` is a person's word, `superseded` a client's, `adopted` ours: the first of them is the reason kept. */
const RANK: Record<TombstoneReason, number> = { deleted: 0, superseded: 1, adopted: 2 };

/** The rows of one decision while it is being made. Nothing here reaches a database. */
export class Draft {
  readonly tally: Record<string, number>;
  readonly #facts: Facts;
  readonly #now: Instant;
  readonly #windows = new Map<string, TouchedWindow>();
  readonly #inserts = new Map<string, Sample>();
  readonly #removals = new Map<string, Staged>();
  readonly #tombstones = new Map<string, TombstoneRow>();
  readonly #wakes = new Map<string, Set<LocalDate>>();
  readonly #zones: Map<string, Set<string>>;
  #last: { sample: Sample; touch: Touch; days: readonly Days[] } | null = null;
  readonly syncs: StagingRows["syncs"] = [];
  readonly daily: StagingRows["daily"] = [];

  constructor(facts: Facts, now: Instant) {
    this.#facts = facts;
    this.#now = now;
    this.tally = { ...facts.interpreted.tally };
    this.#zones = new Map([...facts.athletes].map(([id, { zones_seen }]) => [id, new Set(zones_seen)]));
    for (const { sample } of facts.interpreted.accepted) {
      const known = this.#zones.get(sample.athlete_id) ?? new Set();
      this.#zones.set(sample.athlete_id, known.add(sample.tz));
    }
  }

  count(fate: string, by = 1): void {
    if (by > 0) this.tally[fate] = (this.tally[fate] ?? 0) + by;
  }

  /** The tombstone of an id, stored or made by this batch. */
  tombstoneOf(athleteId: string, sampleId: string): KnownTombstone | undefined {
    if (this.#tombstones.size + this.#facts.tombstones.size === 0) return undefined;
    const key = keyOf(athleteId, sampleId);
    const made = this.#tombstones.get(key);
    return made ? { reason: made.reason, seen: made.twin_key !== null } : this.#facts.tombstones.get(key);
  }

  /** A tombstone for a sample whose content is known: its twin will be adopted, and no search is needed if it was `found`. */
  note(sample: Sample, { reason, found }: { reason: TombstoneReason; found: boolean }): void {
    const { athlete_id, sample_id } = sample;
    const made = this.#tombstones.get(keyOf(athlete_id, sample_id));
    const type = made?.type ?? sample.attributes.type ?? null;
    const deleted_at = made?.deleted_at ?? sample.received_at;
    this.bury({ athlete_id, sample_id, reason, type, twin_key: twinKey(sample), deleted_at, found });
  }

  bury(row: TombstoneRow): void {
    const key = keyOf(row.athlete_id, row.sample_id);
    const made = this.#tombstones.get(key);
    const reason = made && RANK[made.reason] < RANK[row.reason] ? made.reason : row.reason;
    const twin_key = row.twin_key ?? made?.twin_key ?? null;
    this.#tombstones.set(key, { ...row, reason, twin_key, found: row.found || (made?.found ?? false) });
    this.wake(row.athlete_id, []);
  }

  insert(sample: Sample): void {
    this.#inserts.set(keyOf(sample.athlete_id, sample.sample_id), sample);
  }

  remove(staged: Staged): void {
    this.#removals.set(keyOf(staged.athlete_id, staged.sample_id), staged);
  }

  /** Marks every date whose result can read this sample (D18), in every zone that the athlete's samples came in. */
  touch(sample: Sample, touch: Touch): void {
    const zones = [...new Set([sample.tz, ...(this.#zones.get(sample.athlete_id) ?? [])])];
    const days = zones.map((zone) => coveredDays(sample, zone));
    if (this.#isLast(sample, touch, days)) return;
    for (const date of touchedDates(sample, zones))
      this.touchDate(sample.athlete_id, date, { ...touch, zone: sample.tz });
    this.#last = { sample, touch, days };
  }

  /** Whether the touch before was the same one: samples come by series, and hundreds of one lie in a day. */
  #isLast(sample: Sample, touch: Touch, days: readonly Days[]): boolean {
    const last = this.#last;
    return (
      last !== null &&
      sample.athlete_id === last.sample.athlete_id &&
      sample.metric === last.sample.metric &&
      sample.tz === last.sample.tz &&
      touch.reason === last.touch.reason &&
      touch.lane === last.touch.lane &&
      touch.topic_partition === last.touch.topic_partition &&
      days.every(([from, to], at) => from === last.days[at]?.[0] && to === last.days[at][1])
    );
  }

  touchDate(athlete_id: string, local_date: LocalDate, touch: Touch & { zone: string }): void {
    this.#last = null;
    const key = keyOf(athlete_id, local_date);
    const known = this.#windows.get(key);
    const closes_at = Math.max(known?.closes_at ?? 0, this.#closesAt(athlete_id, local_date, touch.zone));
    const lane = known?.lane === "live" ? "live" : touch.lane;
    const { reason, topic_partition } = touch;
    this.#windows.set(key, { athlete_id, local_date, closes_at, lane, reason, topic_partition });
    this.wake(athlete_id, [local_date]);
  }

  wake(athleteId: string, dates: readonly LocalDate[]): void {
    const known = this.#wakes.get(athleteId) ?? new Set();
    for (const date of dates) known.add(date);
    this.#wakes.set(athleteId, known);
  }

  rows(): StagingRows {
    return {
      // Also an athlete whose only news is a zone: which zones were seen must not depend on the split into batches.
      athletes: [...new Set([...this.#wakes.keys(), ...this.#zones.keys()])]
        .toSorted()
        .map((athlete_id) => ({ athlete_id, new_zones: this.#newZones(athlete_id) }))
        .filter(({ athlete_id, new_zones }) => new_zones.length > 0 || this.#wakes.has(athlete_id)),
      windows: [...this.#windows.values()],
      inserts: [...this.#inserts.values()],
      removals: [...this.#removals.values()],
      tombstones: [...this.#tombstones.values()],
      syncs: this.syncs,
      daily: this.daily,
      wakes: [...this.#wakes].map(([athlete_id, dates]) => ({ athlete_id, dates: [...dates].toSorted() })),
      now: this.#now,
    };
  }

  #newZones(athleteId: string): string[] {
    const seen = new Set(this.#facts.athletes.get(athleteId)?.zones_seen);
    return [...(this.#zones.get(athleteId) ?? [])].filter((zone) => !seen.has(zone)).toSorted();
  }

  /** The latest next midnight among the sample's zone and the athlete's (D4). */
  #closesAt(athleteId: string, date: LocalDate, zone: string): Instant {
    const end = dayEnd(date, zone);
    const own = zoneAt(this.#facts.athletes.get(athleteId)?.settings.zones ?? [], end);
    return own === undefined ? end : Math.max(end, dayEnd(date, own));
  }
}
