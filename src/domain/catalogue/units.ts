/** Converts a received value to the canonical unit. */
export type Conversion = (value: number) => number;

/** Every unit that is accepted, by the exact string, with its way to the canonical one. */
export type Units = ReadonlyMap<string, Conversion>;

export const same: Conversion = (value) => value;
const times =
  (factor: number): Conversion =>
  (value) =>
    value * factor;
const over =
  (divisor: number): Conversion =>
  (value) =>
    value / divisor;

/** Division where it is exact: 70500 g are 70.5 kg, without the rounding error of 0.001. */
const scale = (from: number, to: number): Conversion => (to % from === 0 ? over(to / from) : times(from / to));

/** Units of one dimension, by their size in any common unit, all converted to `unit`. */
const sized =
  (sizes: Readonly<Record<string, number>>) =>
  (unit: string): Units => {
    const to = sizes[unit] as number;
    return new Map(Object.entries(sizes).map(([name, size]) => [name, size === to ? same : scale(size, to)]));
  };

const plain = (...names: readonly string[]): Units => new Map(names.map((name) => [name, same]));

/** In µg, by the international pound of 1959. µ is U+00B5 in some clients and U+03BC in others. IU fits no mass. */
export const massIn = sized({
  "\u00b5g": 1,
  "\u03bcg": 1,
  mcg: 1,
  mg: 1e3,
  g: 1e6,
  kg: 1e9,
  oz: 28_349_523.125,
  lb: 453_592_370,
  st: 6_350_293_180,
});
/** In 0.1 mm, by the international yard of 1959. */
export const lengthIn = sized({ cm: 100, m: 1e4, km: 1e7, in: 254, ft: 3048, yd: 9144, mi: 16_093_440 });
/** In mL. The US cup, pint and fluid ounce are parts of the US gallon of 231 in³, the imperial ounce of 4.54609 L. */
export const volumeIn = sized({
  mL: 1,
  L: 1000,
  fl_oz_us: 29.573_529_562_5,
  fl_oz_imp: 28.413_062_5,
  cup_us: 236.588_236_5,
  pt_us: 473.176_473,
});
export const timeIn = sized({ ms: 1, s: 1000, min: 60_000, hr: 3_600_000 });
/** Sizes in m/h. */
export const speedIn = sized({ "m/s": 3600, "km/hr": 1000, "mi/hr": 1609.344 });

/** `Cal` is the dietary calorie, a kcal; a thermochemical one has 4.184 J. */
export const ENERGY: Units = new Map([
  ["kcal", same],
  ["Cal", same],
  ["kJ", over(4.184)],
]);

export const COUNT = plain("count");
export const PER_MINUTE: Units = new Map([
  ["count/min", same],
  ["count/s", times(60)],
]);
export const BEATS: Units = new Map([...PER_MINUTE, ["bpm", same]]);
export const DISTURBANCES = plain("count/h", "count");
export const TEMPERATURE: Units = new Map([
  ["degC", same],
  ["degF", (value) => ((value - 32) * 5) / 9],
]);
export const PRESSURE: Units = new Map([
  ["mmHg", same],
  ["kPa", times(7.50062)],
]);
/** Glucose has 180.1559 g/mol; exports write the molar mass into the unit. */
export const GLUCOSE: Units = new Map([
  ["mg/dL", same],
  ["mmol/L", times(18.01559)],
  ["mmol<180.1558800000541>/L", times(18.01559)],
]);
export const VO2 = plain("mL/kg/min", "mL/min\u00b7kg", "ml/(kg*min)", "ml/kg*min", "ml/kg/min", "ml/(kg\u00b7min)");
export const EFFORT = plain("kcal/(kg\u00b7h)", "kcal/hr\u00b7kg", "kcal/(kg*hr)");
export const EFFORT_SCORE = plain("appleEffortScore");
export const BODY_MASS_INDEX = plain("kg/m\u00b2", "count");
export const WATT = plain("W");
export const SOUND_LEVEL = plain("dBASPL");
/** What is no quantity has no unit. */
export const NO_UNIT = plain("");

/**
 * The percent rule `pct/1` (healthkit.md §1.3): HealthKit writes 0.97 and `%`, hand-made files 97 and `%`. Up to 1 it is
 * a fraction, above it percent, which is flagged `unit_repaired`; above 100 it is out of every range.
 */
export const percent: Conversion = (value) => (value > 1 ? value / 100 : value);
export const PERCENT: Units = new Map([
  ["fraction", same],
  ["%", percent],
]);
/** A fraction that is never repaired: half a percent and one half cannot be told apart. */
export const FRACTION = plain("fraction", "%");

/**
 * The way from a unit to the canonical one, and whether the unit was repaired. Decided on the sample's value, so that
 * its minimum and maximum are read alike. The Health Auto Export app sends percent, always.
 */
export const conversionFor = (
  units: Units,
  { value, unit, door }: { value: number; unit: string; door: string },
): { convert: Conversion; repaired: boolean } | undefined => {
  const convert = units.get(unit);
  if (convert === undefined) return undefined;
  if (unit === "%" && door === "health_auto_export") return { convert: over(100), repaired: false };
  if (convert !== percent) return { convert, repaired: false };
  return value > 1 ? { convert: over(100), repaired: true } : { convert: same, repaired: false };
};
