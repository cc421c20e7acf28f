import { Type } from "typebox";
import { WELLNESS } from "../domain/athlete-metrics.ts";
import type { Route, RouteRequest } from "../flow/route.ts";
import { answerOf, removedSchema, rowSchema } from "./answer.ts";
import { type Outcome, type Request, applyEdit } from "./apply.ts";
import { type EditRoutesDeps, whileAway } from "./away.ts";
import {
  type WellnessBody,
  checkDate,
  checkMetric,
  checkSource,
  checkValue,
  checkWellness,
  impossible,
} from "./check.ts";

const ATHLETE = "/v1/athletes/{athlete_id}";
const METRIC = `${ATHLETE}/metrics/{date}/{metric}`;

const UNIT = Type.String({ maxLength: 64, description: "The metric's own if absent; others are converted" });
const enterSchema = Type.Object(
  {
    value: Type.Number(),
    unit: Type.Optional(UNIT),
    locked: Type.Optional(Type.Boolean({ description: "As it was if absent; a new value is not locked" })),
  },
  { additionalProperties: false },
);
const changeSchema = Type.Object(
  { value: Type.Optional(Type.Number()), unit: Type.Optional(UNIT), locked: Type.Boolean() },
  { additionalProperties: false },
);
const wellnessSchema = Type.Object(
  Object.fromEntries(WELLNESS.map((scale) => [scale, Type.Optional(Type.Number({ description: "1 to 5, whole" }))])),
);

type Enter = { value: number; unit?: string; locked?: boolean };
type Change = { value?: number; unit?: string; locked: boolean };

/** Who edits which date of whom. The date is checked here too, so that nonsense costs no transaction. */
const common = ({ athlete_id, params, subject, received_at }: RouteRequest): Omit<Request, "wishes"> => ({
  athlete_id: athlete_id ?? "",
  actor: subject ?? "unknown",
  received_at,
  date: checkDate(params["date"] ?? "", null),
});

const enterRequest = (request: RouteRequest): Request => {
  const body = request.body as Enter;
  const to = common(request);
  const metric = checkMetric(request.params["metric"] ?? "");
  const value = checkValue(metric, body);
  return { ...to, wishes: [{ metric, source: "manual", wish: { kind: "enter", value, locked: body.locked ?? null } }] };
};

const changeRequest = (request: RouteRequest): Request => {
  const { value, unit, locked } = request.body as Change;
  const to = common(request);
  const metric = checkMetric(request.params["metric"] ?? "");
  const source = checkSource(request.params["source"] ?? "");
  if (value === undefined && unit !== undefined) throw impossible({ path: "unit", detail: "needs a value beside it" });
  const canonical = value === undefined ? null : checkValue(metric, { value, unit });
  return { ...to, wishes: [{ metric, source, wish: { kind: "change", value: canonical, locked } }] };
};

const deleteRequest = (request: RouteRequest): Request => {
  const to = common(request);
  const metric = checkMetric(request.params["metric"] ?? "");
  if (checkSource(request.params["source"] ?? "") !== "manual") {
    const detail = "must be manual: computed values come from samples, so delete those, or lock another value";
    throw impossible({ path: "source", detail });
  }
  return { ...to, wishes: [{ metric, source: "manual", wish: { kind: "delete" } }] };
};

const wellnessRequest = (request: RouteRequest): Request => ({
  ...common(request),
  wishes: checkWellness(request.body as WellnessBody).map(({ metric, value }) => ({
    metric,
    source: "manual",
    wish: { kind: "enter", value, locked: null },
  })),
});

const handler =
  (
    deps: EditRoutesDeps,
    read: (request: RouteRequest) => Request,
    answer: (request: Request, done: Outcome[]) => unknown,
  ) =>
  async (request: RouteRequest): Promise<{ status: number; body: unknown }> => {
    const wished = read(request);
    return { status: 200, body: answer(wished, await whileAway(deps, () => applyEdit(deps, wished))) };
  };

const one = ({ athlete_id }: Request, done: Outcome[]): unknown => answerOf(athlete_id, done[0] as Outcome);

const day = ({ athlete_id, date }: Request, done: Outcome[]): unknown => ({
  athlete_id,
  date,
  metrics: done.map((outcome) => answerOf(athlete_id, outcome)),
});

const written = (schema: object, description = "The row as it stands now") => ({ 200: { description, schema } });

/** A person's hand on daily values: manual ones, edits, locks, the scales of wellness. */
export const editRoutes = (deps: EditRoutesDeps): Route[] => [
  {
    method: "PUT",
    path: METRIC,
    scope: "write",
    summary: "Enter a value by hand: source manual, which outranks what is computed",
    schema: { body: enterSchema, responses: written(rowSchema) },
    handler: handler(deps, enterRequest, one),
  },
  {
    method: "PATCH",
    path: `${METRIC}/{source}`,
    scope: "write",
    summary: "Edit and lock a row, lock it as it is, or unlock it, which brings the synced value back",
    schema: {
      body: changeSchema,
      responses: written(
        Type.Union([rowSchema, removedSchema]),
        "The row as it stands now, or that nothing was left to bring back",
      ),
    },
    handler: handler(deps, changeRequest, one),
  },
  {
    method: "DELETE",
    path: `${METRIC}/{source}`,
    scope: "write",
    summary: "Take a manual value back",
    schema: { responses: written(removedSchema, "It is gone, or was not there") },
    handler: handler(deps, deleteRequest, one),
  },
  {
    method: "PUT",
    path: `${ATHLETE}/wellness/{date}`,
    scope: "write",
    summary: "Enter scales of 1 to 5: mood and motivation 5 is best, soreness and fatigue 5 is most",
    schema: {
      body: wellnessSchema,
      responses: written(
        Type.Object({ athlete_id: Type.String(), date: Type.String(), metrics: Type.Array(rowSchema) }),
        "The rows as they stand now",
      ),
    },
    handler: handler(deps, wellnessRequest, day),
  },
];
