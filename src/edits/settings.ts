import { Type } from "typebox";
import type { AthleteSettings } from "../domain/sample.ts";
import { lockAthlete, raiseVersion, readAthlete } from "../flow/athletes.ts";
import { canonicalJson } from "../domain/canonical.ts";
import type { Route, RouteRequest, RouteResponse } from "../flow/route.ts";
import { type EditRoutesDeps, whileAway } from "./away.ts";
import { refuseErased } from "./apply.ts";
import { MAX_SOURCES, MAX_ZONES, type SettingsBody, checkSettings } from "./settings-check.ts";
import * as sql from "./settings-sql.ts";
import { type Recomputing, recomputingOf, touchedBySettings } from "./settings-touch.ts";
import { readFacts } from "./sql.ts";

/** Settings as they are written: instants as text. */
const written = ({ zones, source_order }: AthleteSettings) => ({
  zones: zones.map(({ from, zone }) => ({ from: new Date(from).toISOString(), zone })),
  source_order,
});

const NOTHING: Recomputing = recomputingOf([]);

/**
 * One transaction under the athlete's lock: the settings, the days that they touch made dirty, staged rows moved to the
 * date that they have now, a line of history. Rows in objects move with the panes of their days. The same settings again
 * touch nothing.
 */
const changeSettings = async (
  deps: EditRoutesDeps,
  request: RouteRequest,
): Promise<{ settings: AthleteSettings; recomputing: Recomputing }> =>
  deps.db.transaction(async (tx) => {
    const athlete_id = request.athlete_id ?? "";
    await lockAthlete(tx, athlete_id);
    const facts = await readFacts(tx, athlete_id);
    refuseErased(facts, request.received_at);
    const { settings: before } = await readAthlete(tx, athlete_id);
    const after = checkSettings(request.body as SettingsBody, before);
    if (canonicalJson(before) === canonicalJson(after)) return { settings: before, recomputing: NOTHING };
    const now = deps.clock.now();
    const seen = [...new Set([...facts.seen, ...after.zones.map(({ zone }) => zone)])];
    const dates = touchedBySettings(await sql.readGroups(tx, athlete_id), before, after, seen);
    const recomputing = recomputingOf(dates);
    const touching = { athlete_id, settings: after, seen, now };
    const revs = await sql.dirtyDates(tx, touching, dates);
    await sql.extendOpenDays(tx, touching);
    const zones = await sql.rezoneStaged(tx, touching, revs);
    await sql.writeSettings(tx, athlete_id, after, [...seen, ...zones]);
    const by = { athlete_id, actor: request.subject ?? "unknown", now };
    await sql.noteSettings(tx, by, { before: written(before), after: written(after), recomputing });
    await raiseVersion(tx, athlete_id);
    return { settings: after, recomputing };
  });

const put = async (deps: EditRoutesDeps, request: RouteRequest): Promise<RouteResponse> => {
  const { settings, recomputing } = await changeSettings(deps, request);
  return { status: 200, body: { athlete_id: request.athlete_id, ...written(settings), recomputing } };
};

const get = async (deps: EditRoutesDeps, { athlete_id }: RouteRequest): Promise<RouteResponse> => {
  const { settings } = await readAthlete(deps.db, athlete_id ?? "");
  return { status: 200, body: { athlete_id, ...written(settings) } };
};

const zonesSchema = Type.Array(
  Type.Object(
    {
      from: Type.String({ description: "An instant; the zone holds from then until the next entry" }),
      zone: Type.String({ description: "IANA name" }),
    },
    { additionalProperties: false },
  ),
  { description: `Ascending, at most ${MAX_ZONES}` },
);
const orderSchema = Type.Record(Type.String(), Type.Array(Type.String()), {
  description: `By metric of samples, or * for all others: source keys, best first, at most ${MAX_SOURCES}`,
});
const SETTINGS = { athlete_id: Type.String(), zones: zonesSchema, source_order: orderSchema };
const nullableDate = Type.Union([Type.String(), Type.Null()]);
const recomputingSchema = Type.Object({ days: Type.Integer(), from: nullableDate, to: nullableDate });

const PATH = "/v1/athletes/{athlete_id}/settings";

/** An athlete's zone history and order of sources; a change says which days are computed again for it. */
export const settingsRoutes = (deps: EditRoutesDeps): Route[] => [
  {
    method: "GET",
    path: PATH,
    scope: "read",
    summary: "The athlete's zone history and order of sources",
    schema: { responses: { 200: { description: "As they are", schema: Type.Object(SETTINGS) } } },
    handler: (request) => whileAway(deps, () => get(deps, request)),
  },
  {
    method: "PUT",
    path: PATH,
    scope: "write",
    summary: "Set zone history, order of sources, or both; what is absent stays as it is",
    schema: {
      body: Type.Object(
        { zones: Type.Optional(zonesSchema), source_order: Type.Optional(orderSchema) },
        { additionalProperties: false },
      ),
      responses: {
        200: {
          description: "As they are now, and which days are computed again for it",
          schema: Type.Object({ ...SETTINGS, recomputing: recomputingSchema }),
        },
      },
    },
    handler: (request) => whileAway(deps, () => put(deps, request)),
  },
];
