import { execFile } from "node:child_process";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { mintToken } from "../../src/ops/token.ts";
import { startServing } from "../../src/ops/serving.ts";
import { heartRate } from "../support/ingest/edge.ts";
import { MAIN } from "../support/service/processes.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("serve-start");
const doors: Server[] = [];
afterAll(() => doors.forEach((door) => door.close()));

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** What connects to `port` from now on speaks to the other address. */
const openDoor = async (port: number, to: URL): Promise<void> => {
  const door = createServer((socket) => {
    const far = connect(Number(to.port), to.hostname);
    socket.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => socket.destroy()).pipe(socket);
  });
  doors.push(door);
  await new Promise<void>((resolve) => door.listen(port, "127.0.0.1", resolve));
};

test("serve --setup with Postgres away takes batches, says why it is not ready, and heals by itself", async () => {
  const [port, behind] = [await freePort(), await freePort()];
  const database = new URL(here.databaseUrl);
  const away = new URL(here.databaseUrl);
  away.port = String(behind);
  const env = { ...process.env, ...here.env, PORT: String(port), DATABASE_URL: away.href };
  const starting = startServing(MAIN, env);
  const base = `http://127.0.0.1:${port}`;
  const readiness = () => fetch(`${base}/readyz`).then((answer) => answer.json(), String);
  await expect
    .poll(readiness, { timeout: 60_000 })
    .toMatchObject({ ready: false, parts: { setup: { ok: false, why: expect.stringContaining("ECONNREFUSED") } } });
  const token = await mintToken({ secret: here.env.AUTH_SECRET, athletes: ["a1"], scopes: ["ingest"], ttl: 600 });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${base}/v1/athletes/a1/batches${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
  const body = JSON.stringify({ batch_id: "early", samples: [heartRate(1)] });
  expect((await ask("", { method: "POST", body })).status).toBe(202);
  await openDoor(behind, database);
  const serving = await starting;
  const state = async () => ((await (await ask("/early")).json()) as { state?: string }).state;
  await expect.poll(state, { timeout: 60_000 }).toBe("applied");
  await serving.stop();
});

test("serve --setup --dry-run says what would be set up, starts nothing and changes nothing", async () => {
  const env = { ...process.env, ...here.env, TOPIC_PREFIX: `${here.prefix}planned.`, S3_BUCKET: `${here.bucket}-none` };
  const run = async (...more: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [MAIN, "serve", "--setup", "--dry-run", ...more], { env })).stdout;
  const plan = JSON.parse(await run("--json")) as { topics: string[] };
  expect(plan).toMatchObject({ refused: [], migrations: [], bucket: `${here.bucket}-none` });
  expect(plan.topics).toContainEqual(expect.stringContaining(`create ${here.prefix}planned.health.samples.v1 with 24`));
  const text = await run();
  expect(text.trim().split("\n")).toHaveLength(plan.topics.length + 1);
  expect(text).toContain(`would create the bucket ${here.bucket}-none`);
});
