import { Compile } from "typebox/compile";
import type { Digest } from "../../domain/sample.ts";
import { identify, placesOf } from "../door.ts";
import type { ImportPart } from "../import-part.ts";
import { isEntry } from "../read-sample.ts";
import { deeperThan } from "../json-bounds.ts";
import { convertHealthAutoExport, healthAutoExportSchema } from "./door.ts";

/** Samples a batch of an import. */
const PART = 2000;
const MAX_LEVELS = 40;
const DOOR = "health_auto_export" as const;

const envelope = Compile(healthAutoExportSchema);

/** Whether a JSON document is meant for this door: native batches have no `data`. */
export const isHealthAutoExport = (body: unknown): boolean => isEntry(body) && isEntry(body["data"]);

type Source = { text: string; line: number; athlete_id: string; time_zone: string | null };

/** A file that the app wrote, in parts; or what is wrong with it. Ids are given over the whole file, so parts do not matter. */
export const importParts = (body: unknown, source: Source, digest: Digest): ImportPart[] | string => {
  if (!envelope.Check(body)) {
    const first = envelope.Errors(body)[0];
    return `no Health Auto Export file: ${first?.instancePath.slice(1).replaceAll("/", ".")} ${first?.message}`;
  }
  if (deeperThan(body, MAX_LEVELS)) return `the file may nest ${MAX_LEVELS} levels at most`;
  const { athlete_id, time_zone, line } = source;
  const converted = convertHealthAutoExport(body, { aggregation: null, time_zone });
  identify(converted.samples, { athlete_id, door: DOOR }, digest);
  const whole = digest.sha256(source.text);
  const count = Math.max(1, Math.ceil(converted.samples.length / PART), Math.ceil(converted.daily.length / PART));
  return Array.from({ length: count }, (_, n): ImportPart => {
    const cut = <T>(list: readonly T[]): T[] => list.slice(n * PART, (n + 1) * PART);
    const lists = { samples: cut(converted.samples), daily: cut(converted.daily), deleted: [] };
    return {
      body: {
        time_zone: converted.time_zone,
        samples: lists.samples.map(({ entry }) => entry),
        daily: lists.daily.map(({ entry }) => entry),
      },
      door: DOOR,
      synthetic: true,
      body_hash: n === 0 ? whole : digest.sha256(`${whole}|${n}`),
      ignored: n === 0 ? Object.fromEntries(converted.ignored) : {},
      twins: 0,
      lineOf: () => line,
      ...placesOf(lists),
    };
  });
};
