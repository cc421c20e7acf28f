import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { random } from "../../bench/generator/random.ts";
import { startPart } from "../../stack/parts.ts";
import { down, up } from "../../stack/stack.ts";
import { createClient } from "../support/service/client.ts";
import { type Disk, mountDisk } from "../support/service/disk.ts";
import { exportedDays } from "../support/service/exported.ts";
import { SEED, WHOLE_MATRIX, faultInput, slices } from "../support/service/fault-input.ts";
import { finish, sendAll, undisturbed } from "../support/service/fault-run.ts";
import { differences } from "../support/service/final-state.ts";
import { judged } from "../support/service/judged.ts";
import { startCommand, startLimited } from "../support/service/processes.ts";
import { openService, type Service } from "../support/service/service.ts";
import { isolated, makeIsolated } from "../support/stack.ts";

const [few, small] = [await isolated("few-handles"), await isolated("small-memory")];
const dice = random(SEED, "limits");

/** What Node, its listener and its connections to the stores need, and hardly any more. */
const HANDLES = dice.whole(48, 60);
/** Clients that are there at the same time. */
const CLIENTS = 60;

test(`F11 an edge with hardly a file handle left loses nothing that it acknowledged (seed ${SEED})`, async (context) => {
  const service = await openService(few);
  const edge = await startLimited(service.env, `-n ${HANDLES}`);
  const client = createClient(() => edge.url, service.token);
  try {
    const input = faultInput();
    const [first, ...queue] = input;
    // Its connections to the stores stand before clients take what is left.
    if (first) await client.send(first);
    const oneClient = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) await client.send(next);
    };
    await Promise.all(Array.from({ length: CLIENTS }, oneClient));
    // No answer, or not now (they all share a token): nothing else is allowed, and the process lives.
    for (const status of client.statuses.keys()) expect([0, 202, 429, 503]).toContain(status);
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
    service.client.ledger.push(...client.ledger);
    await finish(service);
    judged(context);
  } finally {
    await edge.stop();
    await service.close();
  }
});

const HEAP_MB = 128;
const DAYS = WHOLE_MATRIX ? 120 : 4;
const ATHLETE = "imported-1";

test(
  `F11 all of the service in ${HEAP_MB} MB of heap a process takes an import and live batches, and no process ends (seed ${SEED})`,
  async (context) => {
    const heap = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
    const service = await openService(small, heap);
    const worker = startCommand(["serve", "--roles", "worker"], service.env);
    try {
      const { file, home, lines } = exportedDays(SEED, DAYS);
      const imported = service.command("import", file, "--athlete", ATHLETE, "--time-zone", home);
      await Promise.all(faultInput().map((sending) => service.client.send(sending)));
      await imported;
      // One by one: so many are no argument list.
      for (const line of lines(ATHLETE)) service.client.ledger.push(line);
      await service.wait().catch((error: unknown) => {
        throw new Error(`${String(error)}\n${worker.log()}`);
      });
      expect(worker.wholeLog()).not.toContain("worker.restarting");
      await worker.stop();
      await finish(service);
      judged(context);
    } finally {
      await worker.stop();
      await service.close();
    }
  },
  10 * 60_000,
);

/** A stack of its own, without containers: each store on a small disk. */
const STACK = `full-${process.pid}`;
const PARTS = ["kafka", "postgres", "objects"] as const;
const FULL_MS = [3000, 7000] as const;
const before = { ...process.env };
const disks = new Map<string, Disk>();
const say = (): void => undefined;

const makeStack = async (): Promise<void> => {
  const dataDir = mkdtempSync(join(tmpdir(), "health-sync-full-"));
  for (const name of [...PARTS, "temp"]) {
    disks.set(name, mountDisk(join(dataDir, name), name === "temp" ? "1m" : "700m"));
  }
  Object.assign(process.env, await up({ name: STACK, dataDir, docker: "never", say }));
};

const dropStack = async (): Promise<void> => {
  for (const disk of disks.values()) disk.free();
  Object.assign(process.env, before);
  // What is mounted cannot be removed, and what is in use cannot be unmounted.
  await down(STACK, true, say);
  for (const disk of disks.values()) disk.drop();
  await down(STACK, false, say);
};

/** A refusal that says when to come again; the process that refuses lives. */
const refused = async (answer: Response): Promise<void> => {
  expect(answer.status, await answer.text()).toBe(503);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
};

const uploaded = async (service: Service, file: string, home: string): Promise<Response> => {
  return fetch(`${service.url}/v1/athletes/uploader/apple-export?time_zone=${home}`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.token}`, "content-type": "application/octet-stream" },
    body: readFileSync(file),
  });
};

const onFullDisks = (): void => {
  beforeAll(makeStack, 15 * 60_000);
  afterAll(dropStack, 60_000);

  test(
    `F11 a full disk of the broker, Postgres, the object store, and for temporary files: 503, and nothing acknowledged is lost (seed ${SEED})`,
    async (context) => {
      const dice = random(SEED, "full disks");
      const [calm, full] = [await makeIsolated("full-calm"), await makeIsolated("full")];
      const right = await undisturbed(calm, faultInput());
      const temp = disks.get("temp");
      const service = await openService(full, { TMPDIR: temp?.folder ?? "" }, "edge,worker,api");
      try {
        const { file, home } = exportedDays(SEED, 10);
        await refused(await uploaded(service, file, home));
        const parts = slices(faultInput(), PARTS.length);
        for (const [n, part] of dice.shuffled(PARTS).entries()) {
          disks.get(part)?.fill();
          const sent = sendAll(service, parts[n] ?? []);
          await sleep(dice.whole(...FULL_MS));
          disks.get(part)?.free();
          // A broker and a Postgres without room end themselves; whoever makes room starts them.
          await startPart(part);
          await sent;
          await service.wait();
          await service.audit();
          judged(context);
        }
        for (const status of service.client.statuses.keys()) expect([202, 503]).toContain(status);
        expect(service.client.statuses.get(503)).toBeGreaterThan(0);
        expect(differences(right, await finish(service))).toEqual([]);
      } finally {
        await service.close();
      }
    },
    15 * 60_000,
  );
};

// It needs to mount file systems, and says so where it may not.
if (WHOLE_MATRIX) onFullDisks();
