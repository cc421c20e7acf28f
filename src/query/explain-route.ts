import { Type } from "typebox";
import { isLocalDate } from "../domain/local-day.ts";
import type { Database } from "../flow/ports.ts";
import { Problem, type Route } from "../flow/route.ts";
import { explain } from "./explain.ts";
import { sourceParameter } from "./metrics.ts";

const querySchema = Type.Object({
  source: Type.Optional(Type.String({ description: "apple_health, derived or manual; absent: the value that counts" })),
});

/** Throws Problem 400. */
const dateOf = (text: string): string => {
  if (isLocalDate(text)) return text;
  const detail = "write a local date like 2026-11-21";
  throw new Problem(400, `path parameter date: ${detail}`, { errors: [{ path: "date", detail }] });
};

export const explainRoute = (deps: { db: Database }): Route => ({
  method: "GET",
  path: "/v1/athletes/{athlete_id}/metrics/{date}/{metric}/explain",
  scope: "read",
  summary: "How a daily value came about: rule, inputs, sources used and set aside, whose value counts, who edited it",
  schema: { query: querySchema, responses: { 200: { description: "The explanation", schema: Type.Object({}) } } },
  handler: async ({ athlete_id, params, query }) => {
    const source = sourceParameter(query["source"] as string | undefined);
    const request = {
      athlete_id: athlete_id ?? "",
      date: dateOf(params["date"] ?? ""),
      metric: params["metric"] ?? "",
      source,
    };
    return { status: 200, body: await explain(deps.db, request) };
  },
});
