/** Whose samples a value was made of, and whose were there but not used, with the reason. */
export type SourceUse = { source_key: string; samples: number; counted?: number };
export type SetAside = { source_key: string | null; samples: number | null; reason: string };
export type Sources = { used: SourceUse[]; set_aside: SetAside[] };

const NOT_CHOSEN: Readonly<Record<string, string>> = {
  "day_latest/1": "earlier on the day than the one that counts",
  "day_latest_by_end/1": "ended earlier on the day than the one that counts",
  "rhr/1": "a Watch's value goes first, then the one that was saved last, then the one that ended last",
  "mood/1": "earlier on the day than the one that counts",
};

const COVERED =
  "all its time is covered by sources that go first: the athlete's order, then watch, phone, other devices, apps, entered by hand";

const DECIDED: Readonly<Record<string, string>> = {
  a: "the chosen source tells sleep stages",
  b: "the chosen source's device goes first: watch, ring, bed or other device, phone or app, entered by hand",
  c: "the chosen source covers more sleep",
  d: "the athlete's settings put the chosen source first",
  e: "alike in all that counts; the smaller source key goes first",
};

const SLEEP_SET_ASIDE: Readonly<Record<string, string>> = {
  duplicates: "the same segment twice",
  conflicts: "segments that were corrected by newer or more detailed ones of the same source",
  too_long: "segments of over 24 hours",
};

type Provenance = Readonly<Record<string, unknown>>;
type Counted = { source_key: string; samples: number; counted?: number };
type Standing = { source_key: string; segments: number };

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** `steps_merge/1` says how much of each source counted; the others count wholly. */
const bySource = (provenance: Provenance): Sources => {
  const all = list(provenance["sources"]) as readonly Counted[];
  const isUsed = ({ counted }: Counted): boolean => counted !== 0;
  const impossible = provenance["set_aside"];
  return {
    used: all.filter(isUsed),
    set_aside: [
      ...all.filter((one) => !isUsed(one)).map(({ source_key, samples }) => ({ source_key, samples, reason: COVERED })),
      ...(typeof impossible === "number"
        ? [{ source_key: null, samples: impossible, reason: "the systolic pressure was not above the diastolic" }]
        : []),
    ],
  };
};

/** One sample of the day was chosen. */
const chosen = (method: string, { source_key, n }: Provenance): Sources => ({
  used: [{ source_key: String(source_key), samples: 1 }],
  set_aside:
    typeof n === "number" && n > 1
      ? [{ source_key: null, samples: n - 1, reason: NOT_CHOSEN[method] ?? "another sample was chosen" }]
      : [],
});

/** What a session says of the sources that told of that night (`sleep_session/1`, §3.2 step 6). */
export const sleepSources = (provenance: Provenance): Sources => {
  const winner = provenance["winner"];
  const reason = DECIDED[String(provenance["decided_by"])] ?? "another source was chosen";
  const standings = list(provenance["sources"]) as readonly Standing[];
  const aside = Object.entries((provenance["set_aside"] ?? {}) as Record<string, number>);
  return {
    used: standings
      .filter(({ source_key }) => source_key === winner)
      .map(({ source_key, segments: samples }) => ({ source_key, samples })),
    set_aside: [
      ...standings
        .filter(({ source_key }) => source_key !== winner)
        .map(({ source_key, segments: samples }) => ({ source_key, samples, reason })),
      ...aside
        .filter(([, samples]) => samples > 0)
        .map(([kind, samples]) => ({ source_key: null, samples, reason: SLEEP_SET_ASIDE[kind] ?? kind })),
    ],
  };
};

/**
 * Sources of a value, as far as its provenance tells. A value that the night's session gave is told by the session
 * (`sleepSources`), one with history by its baselines: neither has sources of its own here.
 */
export const sourcesOf = (method: string | null, provenance: Provenance | null): Sources => {
  if (method === null || provenance === null) return { used: [], set_aside: [] };
  if (Array.isArray(provenance["sources"])) return bySource(provenance);
  if (provenance["sample_id"] !== undefined) return chosen(method, provenance);
  return { used: [], set_aside: [] };
};
