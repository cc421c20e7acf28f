import { epochDay } from "../local-day.ts";
import type { LocalDate } from "../sample.ts";
import type { Series } from "./baseline.ts";
import { STRESS_MIN_SAMPLES } from "./stress.ts";
import type { DayFacts } from "./facts.ts";

export type FactsByDay = ReadonlyMap<number, DayFacts>;

/** Each figure of the days' facts over time, as the baselines read it. */
export type FactSeries = {
  /** Minutes after noon; nights that a person typed in are none of these. */
  onset: Series;
  ln_hrv: Series;
  respiratory_rate: Series;
  skin_temp: Series;
  sedentary_hr: Series;
  ln_sdnn: Series;
  /** By whose it is: device and derived values are never mixed (D14). */
  resting_hr: ReadonlyMap<string, Series>;
};

export const byDay = (facts: ReadonlyMap<LocalDate, DayFacts>): FactsByDay =>
  new Map([...facts].map(([date, day]) => [epochDay(date), day] as const));

const enough = (figure: { mean: number; n: number } | undefined): number | undefined =>
  figure !== undefined && figure.n >= STRESS_MIN_SAMPLES ? figure.mean : undefined;

export const seriesOf = (days: FactsByDay): FactSeries => {
  const collect = (read: (facts: DayFacts) => number | undefined): Series => {
    const series = new Map<number, number>();
    for (const [day, facts] of days) {
      const value = read(facts);
      if (value !== undefined) series.set(day, value);
    }
    return series;
  };
  const resting = new Map<string, Map<number, number>>();
  for (const [day, { resting_hr }] of days) {
    if (resting_hr === undefined) continue;
    const own = resting.get(resting_hr.series) ?? new Map<number, number>();
    resting.set(resting_hr.series, own.set(day, resting_hr.value));
  }
  return {
    onset: collect(({ main_sleep }) => (main_sleep?.user_entered === true ? undefined : main_sleep?.onset_minute)),
    ln_hrv: collect(({ hrv }) => (hrv === undefined ? undefined : Math.log(hrv))),
    respiratory_rate: collect(({ respiratory_rate }) => respiratory_rate),
    skin_temp: collect(({ skin_temp }) => skin_temp),
    sedentary_hr: collect(({ sedentary_hr }) => enough(sedentary_hr)),
    ln_sdnn: collect(({ ln_sdnn }) => enough(ln_sdnn)),
    resting_hr: resting,
  };
};
