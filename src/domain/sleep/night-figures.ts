import type { Span } from "../interval.ts";
import { MINUTE } from "../local-day.ts";
import type { Sample } from "../sample.ts";
import { AWAKE, CORE, DEEP, REM, UNSPECIFIED, isAsleep } from "./segments.ts";
import type { SleepSession } from "./session.ts";
import type { StageRun } from "./stage-layer.ts";

/** An asleep interval this long is the onset; awake this long is an awakening; less sleep than this is no session. */
const [ONSET_RUN, WAKE_BOUT, MIN_SLEEP] = [MINUTE, 5 * MINUTE, 20 * MINUTE];

type Columns = "deep_s" | "rem_s" | "light_s" | "unspecified_s" | "awake_s" | "wakeup_count";

/** What a stage layer says of one session, between onset and final wake (D8). Durations in seconds. */
export type NightFigures = Pick<SleepSession, Columns> & {
  onset_at: number;
  final_wake_at: number;
  total_sleep_s: number;
  gap_s: number;
  has_stages: boolean;
  /** The segment that ends at the final wake: its zone is the session's. */
  last: Sample;
};

type Spell = Span & { asleep: boolean; last: Sample };

/** Maximal intervals of sleep and of being awake. */
const spellsOf = (runs: readonly StageRun[]): Spell[] => {
  const spells: Spell[] = [];
  for (const { from, to, stage, segment } of runs) {
    const asleep = isAsleep(stage);
    const before = spells.at(-1);
    if (before?.asleep === asleep && before.to === from) Object.assign(before, { to, last: segment });
    else spells.push({ from, to, asleep, last: segment });
  }
  return spells;
};

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from, 0);

/**
 * Arithmetic of one session (§3.3, D8). Onset is the start of the first asleep interval of at least a minute, final
 * wake the end of the last asleep interval; only what lies between counts. Null where that is under 20 minutes of sleep.
 */
export const nightFigures = (runs: readonly StageRun[]): NightFigures | null => {
  const spells = spellsOf(runs);
  const onset = spells.find(({ from, to, asleep }) => asleep && to - from >= ONSET_RUN);
  const wake = spells.findLast(({ asleep }) => asleep);
  if (onset === undefined || wake === undefined) return null;
  const [onset_at, final_wake_at] = [onset.from, wake.to];
  const inside = runs.filter(({ from, to }) => from >= onset_at && to <= final_wake_at);
  const asleep = lengthOf(inside.filter(({ stage }) => isAsleep(stage)));
  if (asleep < MIN_SLEEP) return null;
  const of = (stage: number): number => lengthOf(inside.filter((run) => run.stage === stage)) / 1000;
  const has_stages = [CORE, DEEP, REM].filter((stage) => of(stage) > 0).length > 1;
  const knowsAwake = has_stages || runs.some(({ stage }) => stage === AWAKE);
  const bouts = spells.filter((spell) => !spell.asleep && spell.from >= onset_at && spell.to <= final_wake_at);
  const awake = lengthOf(bouts);
  return {
    onset_at,
    final_wake_at,
    total_sleep_s: asleep / 1000,
    has_stages,
    last: wake.last,
    deep_s: has_stages ? of(DEEP) : null,
    rem_s: has_stages ? of(REM) : null,
    light_s: has_stages ? of(CORE) : null,
    unspecified_s: has_stages ? of(UNSPECIFIED) : null,
    awake_s: knowsAwake ? awake / 1000 : null,
    wakeup_count: knowsAwake ? bouts.filter(({ from, to }) => to - from >= WAKE_BOUT).length : null,
    gap_s: (final_wake_at - onset_at - asleep - awake) / 1000,
  };
};
