import { afterAll, beforeAll, expect, test } from "vitest";
import { isTransient } from "../../src/app.ts";
import { storedSamples } from "../../src/app-stored.ts";
import { digest } from "../../src/flow/digest.ts";
import type { Route } from "../../src/flow/route.ts";
import { doorRoutes } from "../../src/ingest/door-routes.ts";
import { reconcileRoute } from "../../src/ingest/reconcile-route.ts";
import { ingestRoutes } from "../../src/ingest/route.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { openCorner } from "../support/corner.ts";
import { openEdge, post } from "../support/ingest/edge.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("openapi");
const { kafka, db, objects, codec, topics, clock, applyTopics } = await openCorner(here);
const producer = kafka.producer();
const deps = { producer, codec, topics, db, isTransient, clock };
const stored = storedSamples({ db, objects, parquet: parquetFormat, digest });
const routes: Route[] = [...ingestRoutes(deps), ...doorRoutes(deps), reconcileRoute({ ...deps, stored })];
const edge = await openEdge(routes);
beforeAll(applyTopics);
afterAll(() => producer.close());

const posts = routes.filter(({ method }) => method === "POST");
const nameOf = ({ path }: Route): string => path.split("/").at(-1) ?? "";

test("every way in is described, with its body, its answer and the scope that it needs", async () => {
  const { body } = await edge.ask("/openapi.json");
  const paths = body["paths"] as Record<string, Record<string, Record<string, unknown>>>;
  expect(new Set(posts.map(nameOf))).toEqual(
    new Set(["apple-export", "batches", "health-auto-export", "open-mhealth", "open-wearables", "reconcile"]),
  );
  for (const { path } of posts) {
    const operation = paths[path]?.["post"] ?? {};
    expect(operation["requestBody"], path).toMatchObject({ required: true });
    expect(operation["responses"], path).toHaveProperty("202");
    expect(operation["x-scope"], path).toBe("ingest");
  }
});

const takingJson = posts.filter(({ upload }) => !upload);

test.each(takingJson.map((route) => [nameOf(route), route] as const))(
  "the example of %s is taken whole",
  async (_, route) => {
    const { examples = [] } = route.schema.body as { examples?: unknown[] };
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const answer = await edge.ask(route.path.replace("{athlete_id}", "a1"), post(example));
      expect(answer).toMatchObject({ status: 202, body: { state: "accepted", rejected: [], ignored: {} } });
    }
  },
);
