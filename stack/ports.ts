import { createServer } from "node:net";
import type { Ports } from "./state.ts";

/** Where a stack listens when nobody else does. */
export const USUAL_PORTS: Ports = {
  kafka: 19092,
  controller: 19093,
  registry: 18081,
  postgres: 15432,
  objects: 19000,
};

const LISTENERS = ["kafka", "controller", "registry", "postgres", "objects"] as const;

/** The wished ports that are free now, and free ones of the system's choice in place of the others. */
export async function pickPorts(wished: Ports): Promise<Ports> {
  const picked = { ...wished };
  const used = new Set<number>();
  for (const part of LISTENERS) {
    let port = (await isFree(wished[part])) && !used.has(wished[part]) ? wished[part] : 0;
    while (port === 0 || used.has(port)) port = await anyFree();
    used.add(port);
    picked[part] = port;
  }
  return picked;
}

export async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

async function anyFree(): Promise<number> {
  const port = await listenOnce(0);
  if (port === undefined) throw new Error("the system has no free port on 127.0.0.1");
  return port;
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}
