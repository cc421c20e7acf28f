import { readFileSync } from "node:fs";
import { interpret } from "../../../src/domain/interpret.ts";
import { localDate } from "../../../src/domain/local-day.ts";
import type { AthleteSettings, Attributes, Sample } from "../../../src/domain/sample.ts";
import type { SleepSession } from "../../../src/domain/sleep/session.ts";
import { sleepSessions } from "../../../src/domain/sleep/sessions.ts";
import { NO_SETTINGS, aSample, at, digest, sent, uuid } from "../make.ts";

export const STAGES = { inBed: 0, asleep: 1, awake: 2, core: 3, deep: 4, rem: 5 } as const;
export type StageName = keyof typeof STAGES;

const ORIGINS = {
  watch: { device_class: "watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" },
  phone: { device_class: "phone", bundle_id: "com.apple.health.2", product_type: "iPhone15,2" },
  ring: { device_class: "ring", bundle_id: "com.ouraring.oura" },
  bed: { device_class: "bed", bundle_id: "com.withings.wiScaleNG" },
  app: { device_class: "app", bundle_id: "org.example.sleep" },
  manual: { device_class: "manual", bundle_id: "com.apple.Health", user_entered: true },
} as const;
export type Origin = keyof typeof ORIGINS;
export const keyOf = (origin: Origin): string => {
  const { bundle_id, product_type = "" } = ORIGINS[origin] as { bundle_id: string; product_type?: string };
  return `${bundle_id}|${product_type}`;
};

let next = 0;
const freshId = (): string => uuid(100_000 + (next += 1));

type Over = Partial<Omit<Sample, "attributes">> & { attributes?: Attributes };

/** One segment, from and to as ISO instants or ms. */
export const segment = (origin: Origin, stage: StageName, [from, to]: [number, number], over: Over = {}): Sample => {
  const { tz = "UTC", attributes, ...rest } = over;
  return aSample({
    sample_id: freshId(),
    metric: "sleep_analysis",
    start_at: from,
    end_at: to,
    value: STAGES[stage],
    unit: "",
    source: origin,
    tz,
    local_date: localDate(from, tz),
    ...rest,
    attributes: { ...ORIGINS[origin], ...attributes },
  });
};

/** Segments one after another from an instant on: [stage, minutes]; `gap` leaves time out. */
export const night = (
  origin: Origin,
  from: string,
  parts: readonly (readonly [StageName | "gap", number])[],
  over: Over = {},
): Sample[] => {
  let clock = at(from);
  return parts.flatMap(([stage, minutes]) => {
    const start = clock;
    clock += minutes * 60_000;
    return stage === "gap" ? [] : [segment(origin, stage, [start, clock], over)];
  });
};

/** In-bed rows and others that lie apart: [stage, from, to]. */
export const rows = (origin: Origin, list: readonly (readonly [StageName, string, string])[], over: Over = {}) =>
  list.map(([stage, from, to]) => segment(origin, stage, [at(from), at(to)], over));

/** A vital at an instant. */
export const vital = (metric: string, time: string | number, value: number, over: Over = {}): Sample => {
  const start_at = typeof time === "number" ? time : at(time);
  return aSample({ sample_id: freshId(), metric, start_at, end_at: start_at, value, ...over });
};

export const sessions = (samples: readonly Sample[], settings: AthleteSettings = NO_SETTINGS): SleepSession[] =>
  sleepSessions({ athlete_id: "a1", samples, settings }, digest);

/** The only session there is. */
export const only = (samples: readonly Sample[]): SleepSession => {
  const [session, ...others] = sessions(samples);
  if (session === undefined || others.length > 0) throw new Error(`${others.length + 1} sessions`);
  return session;
};

const CATEGORY = "HKCategoryTypeIdentifierSleepAnalysis";
const NAMES: Record<string, number> = { InBed: 0, Asleep: 1, AsleepUnspecified: 1, Awake: 2 };
Object.assign(NAMES, { AsleepCore: 3, AsleepDeep: 4, AsleepREM: 5 });

/** The sleep rows of an export in the repository, as staging makes samples of them; the athlete lives in UTC. */
export const exported = (file: string): Sample[] => {
  const path = new URL(`../../samples/apple-export/${file}`, import.meta.url);
  const records = readFileSync(path, "utf8").matchAll(/<Record type="HKCategoryTypeIdentifierSleepAnalysis"[^>]*>/gu);
  return [...records].map(([record]) => {
    const field = (name: string): string => new RegExp(` ${name}="([^"]*)"`, "u").exec(record)?.[1] ?? "";
    const time = (name: string): number => Date.parse(field(name).replace(/^(\S+) (\S+) (\S+)$/u, "$1T$2$3"));
    const result = interpret(
      sent({
        type: CATEGORY,
        unit: null,
        series: { source_name: field("sourceName") },
        sample_id: freshId(),
        start_at: time("startDate"),
        end_at: time("endDate"),
        value: NAMES[field("value").replace("HKCategoryValueSleepAnalysis", "")] as number,
        received_at: at("2026-11-01T00:00:00Z"),
        batch_time_zone: "UTC",
      }),
    );
    if (result.kind !== "ok") throw new Error(JSON.stringify(result));
    return result.value;
  });
};
