/** The auditor's own units: how many canonical units one of each is (healthkit.md §1), by dimension. */
export type Factors = Readonly<Record<string, number>>;

const POUND_G = 453.59237;
const OUNCE_ML = 29.5735295625;

const GRAMS: Factors = {
  kg: 1000,
  g: 1,
  mg: 1e-3,
  mcg: 1e-6,
  "\u00B5g": 1e-6,
  "\u03BCg": 1e-6,
  oz: POUND_G / 16,
  lb: POUND_G,
  st: 14 * POUND_G,
};
const METRES: Factors = { m: 1, cm: 0.01, km: 1000, in: 0.0254, ft: 0.3048, yd: 0.9144, mi: 1609.344 };
const MINUTES: Factors = { min: 1, hr: 60, s: 1 / 60, ms: 1 / 60_000 };

const per = (factors: Factors, one: number): Factors =>
  Object.fromEntries(Object.entries(factors).map(([unit, factor]) => [unit, factor / one]));

export const COUNT: Factors = { count: 1 };
export const PER_MINUTE: Factors = { "count/min": 1, bpm: 1, "count/s": 60 };
export const KG = per(GRAMS, 1000);
export const GRAM = GRAMS;
export const MG = per(GRAMS, 1e-3);
export const UG = per(GRAMS, 1e-6);
export const METRE = METRES;
export const CENTIMETRE = per(METRES, 0.01);
export const MINUTE = MINUTES;
export const MILLISECOND: Factors = { ms: 1, s: 1000, min: 60_000, hr: 3_600_000 };
export const SPEED: Factors = { "m/s": 1, "km/hr": 1 / 3.6, "mi/hr": 0.44704 };
export const ENERGY: Factors = { kcal: 1, Cal: 1, kJ: 1 / 4.184 };
export const VOLUME: Factors = {
  mL: 1,
  L: 1000,
  fl_oz_us: OUNCE_ML,
  fl_oz_imp: 28.4130625,
  cup_us: 8 * OUNCE_ML,
  pt_us: 16 * OUNCE_ML,
};
export const PRESSURE: Factors = { mmHg: 1, kPa: 7.50062 };
export const GLUCOSE: Factors = { "mg/dL": 1, "mmol/L": 18.01559, "mmol<180.1558800000541>/L": 18.01559 };
export const OXYGEN: Factors = Object.fromEntries(
  ["mL/kg/min", "mL/min\u00B7kg", "ml/(kg*min)", "ml/kg*min", "ml/kg/min", "ml/(kg\u00B7min)"].map((u) => [u, 1]),
);
export const EFFORT: Factors = Object.fromEntries(
  ["kcal/(kg\u00B7h)", "kcal/hr\u00B7kg", "kcal/(kg*hr)"].map((unit) => [unit, 1]),
);
export const only = (...units: string[]): Factors => Object.fromEntries(units.map((unit) => [unit, 1]));
