import { afterAll } from "vitest";
import { connect } from "../../src/app.ts";
import { apiRoutes, edgeRoutes } from "../../src/app-routes.ts";
import { readConfig } from "../../src/config.ts";
import type { Database } from "../../src/flow/ports.ts";
import type { Route } from "../../src/flow/route.ts";
import type { Isolated } from "./stack.ts";

/** The route table as it is served, on a corner of the stack: a route added tomorrow is tested tomorrow. */
export const openRouteTable = (here: Isolated): { routes: Route[]; db: Database } => {
  const connections = connect(readConfig(here.env), "test");
  const db = connections.openDatabase(6);
  const objects = connections.openObjects();
  const producer = connections.kafka.producer();
  const ending = new AbortController();
  afterAll(async () => {
    ending.abort();
    objects.close();
    await Promise.all([db.close(), producer.close()]);
  });
  const routes = [
    ...edgeRoutes(connections, { db, producer, objects }),
    ...apiRoutes(connections, { db, objects, signal: ending.signal }),
  ];
  return { routes, db };
};
