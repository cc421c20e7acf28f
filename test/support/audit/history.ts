import { clamp, deviation, mean, median, phi } from "./figures.ts";
import { dateText } from "./local-time.ts";

/** What the auditor computed of one date, as far as later dates read it. */
export type DayValues = {
  hrv?: number;
  resting?: { value: number; source: string };
  score?: number;
  breath?: number;
  temperature?: number;
  sedentary?: number;
  lnSdnn?: number;
};
export type Days = ReadonlyMap<string, DayValues>;

/** The values of the `n` dates before, nearest first; dates without are left out. */
const before = (days: Days, date: string, n: number, read: (day: DayValues) => number | undefined): number[] => {
  const at = Date.parse(date) / 86_400_000;
  return Array.from({ length: n }, (_, i) => days.get(dateText(at - 1 - i)))
    .map((day) => day && read(day))
    .filter((value) => value !== undefined);
};

const LEAST = 14;
const DAYS = 60;
const FLOOR_DEGREES = 0.1;

/** §5.3: how many deviations `value` lies from the sixty days before; undefined with fewer than fourteen. */
const distance = (value: number | undefined, earlier: readonly number[], floor?: number): number | undefined => {
  if (value === undefined || earlier.length < LEAST) return undefined;
  const middle = mean(earlier);
  return (value - middle) / Math.max(deviation(earlier), floor ?? 0.02 * Math.abs(middle));
};

const ln = ({ hrv }: DayValues): number | undefined => (hrv === undefined ? undefined : Math.log(hrv));

/** `readiness/1`, not yet rounded. */
const readiness = (days: Days, date: string): number | undefined => {
  const day = days.get(date) ?? {};
  const week = [...before(days, date, 6, ln), ...[ln(day)].filter((v) => v !== undefined)];
  const hrv7 = day.hrv === undefined || week.length < 3 ? undefined : mean(week);
  const z = (value: number | undefined, read: (d: DayValues) => number | undefined, floor?: number) =>
    distance(value, before(days, date, DAYS, read), floor);
  const { resting } = day;
  const sameSource = (d: DayValues): number | undefined =>
    d.resting && d.resting.source === resting?.source ? d.resting.value : undefined;
  const z3 = {
    hrv: z(hrv7, ln),
    rhr: z(resting?.value, sameSource),
    sleep: z(day.score, (d) => d.score),
    breath: z(day.breath, (d) => d.breath),
    temperature: z(day.temperature, (d) => d.temperature, FLOOR_DEGREES),
  };
  if (z3.hrv === undefined && z3.rhr === undefined) return undefined;
  const terms: [number, number | undefined][] = [
    [0.4, z3.hrv],
    [0.25, z3.rhr && -z3.rhr],
    [0.25, z3.sleep],
    [0.05, z3.breath && -Math.max(0, z3.breath)],
    [0.05, z3.temperature && -Math.abs(z3.temperature)],
  ];
  const there = terms.filter((t): t is [number, number] => t[1] !== undefined);
  const weight = there.reduce((sum, [w]) => sum + w, 0);
  if (weight < 0.4 - 1e-9) return undefined;
  const whole = there.reduce((sum, [w, value]) => sum + w * clamp(value, -3, 3), 0) / weight;
  return clamp(70 + 20 * whole, 0, 100);
};

/** `stress/1`, not yet rounded. */
const stress = (days: Days, date: string): number | undefined => {
  const day = days.get(date) ?? {};
  const heart = distance(
    day.sedentary,
    before(days, date, DAYS, (d) => d.sedentary),
  );
  const variability = distance(
    day.lnSdnn,
    before(days, date, DAYS, (d) => d.lnSdnn),
  );
  if (heart === undefined || variability === undefined) return undefined;
  return 100 * phi(0.6 * heart - 0.4 * variability);
};

/** `wtemp_dev/1`. */
const temperatureDeviation = (days: Days, date: string): number | undefined => {
  const earlier = before(days, date, 28, (d) => d.temperature);
  const temperature = days.get(date)?.temperature;
  return temperature === undefined || earlier.length < 5 ? undefined : temperature - median(earlier);
};

export const historyOf = (days: Days, date: string) => ({
  readiness: readiness(days, date),
  stress: stress(days, date),
  skin_temp_deviation: temperatureDeviation(days, date),
});
