import { afterAll, expect, test } from "vitest";
import { heartRate } from "../support/ingest/edge.ts";
import { asking } from "../support/service/asking.ts";
import { openService, type Service } from "../support/service/service.ts";
import { withClient } from "../support/stack-database.ts";
import { isolated } from "../support/stack.ts";

const patient = { timeout: 60_000, interval: 50 };
const [LIVE, BACKGROUND] = ["worker-live", "worker-background"] as const;
const open: Service[] = [];
afterAll(() => Promise.all(open.map((service) => service.close())), 60_000);

type Line = { event?: string; part?: string; role?: string; child_pid?: number };

/** The service with its supervised workers, and what its log tells about them. */
const serving = async (here: Awaited<ReturnType<typeof isolated>>, extra: Record<string, string> = {}) => {
  const service = await openService(here, extra, "edge,api,worker");
  open.push(service);
  const lines = (event: string): Line[] =>
    service
      .edgeLog()
      .split("\n")
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Line);
  const pids = (part: string): number[] =>
    lines("worker.started").flatMap((line) => (line.part === part ? [line.child_pid ?? 0] : []));
  const text = (path: string): Promise<string> => fetch(service.url + path).then((answer) => answer.text());
  const parts = async () => (JSON.parse(await text("/readyz")) as { parts: Record<string, unknown> }).parts;
  const ready = async (): Promise<void> => {
    await expect.poll(parts, patient).toMatchObject({ [LIVE]: { ok: true }, [BACKGROUND]: { ok: true } });
  };
  const { ask, post } = asking(() => service);
  let n = 0;
  /** Sends a heart rate and waits until it is applied. */
  const applied = async (): Promise<void> => {
    n += 1;
    const sent = await post("a1/batches", { batch_id: `b${n}`, samples: [heartRate(n)] });
    expect(sent.status).toBe(202);
    const state = async () => (await ask(`a1/batches/b${n}`)).body["state"];
    await expect.poll(state, patient).toBe("applied");
  };
  return { service, lines, pids, text, parts, ready, applied };
};

const kill = (pids: readonly number[], signal: NodeJS.Signals): void => void process.kill(pids.at(-1) ?? 0, signal);
const isGone = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
};

test("each part of the worker lives, dies and is started again alone, and a drain ends both", async () => {
  const { service, lines, pids, parts, ready, applied } = await serving(await isolated("parts"));
  await ready();
  kill(pids(BACKGROUND), "SIGSTOP");
  await applied();
  kill(pids(BACKGROUND), "SIGKILL");
  await expect.poll(parts, patient).toMatchObject({ [LIVE]: { ok: true }, [BACKGROUND]: { ok: false } });
  await ready();
  expect([pids(LIVE).length, pids(BACKGROUND).length]).toEqual([1, 2]);
  kill(pids(LIVE), "SIGKILL");
  await expect.poll(parts, patient).toMatchObject({ [LIVE]: { ok: false }, [BACKGROUND]: { ok: true } });
  await applied();
  expect([pids(LIVE).length, pids(BACKGROUND).length]).toEqual([2, 2]);
  await service.close();
  expect([...pids(LIVE), ...pids(BACKGROUND)].every(isGone)).toBe(true);
  expect(new Set(lines("worker.drained").map(({ role }) => role))).toEqual(new Set([LIVE, BACKGROUND]));
});

test("a part that refuses to start is named with its reason, and the other goes on", async () => {
  const here = await isolated("parts-refusal");
  await withClient(here.databaseUrl, (client) =>
    client.query(
      `insert into consumer_offsets (group_id, topic, topic_partition, position) values ('staging', $1, 0, 999)`,
      [`${here.prefix}health.backfill.v1`],
    ),
  );
  const { parts, applied } = await serving(here);
  await expect.poll(parts, patient).toMatchObject({
    [LIVE]: { ok: true },
    [BACKGROUND]: { ok: false, why: expect.stringContaining("position 999 is beyond the end of the log") },
  });
  await applied();
});

test("a failpoint kills the part that comes to its step, each time, and no other", async () => {
  const { text, ready, applied } = await serving(await isolated("parts-failpoint"), { FAILPOINT: "pane.begun" });
  await ready();
  await applied();
  const restarts = async () =>
    /health_sync_restarts_total\{part="(.+?)",role="serve"\} ([2-9])/.exec(await text("/metrics"));
  await expect.poll(restarts, patient).toMatchObject({ 1: BACKGROUND });
  await applied();
  expect(await text("/metrics")).not.toContain(`health_sync_restarts_total{part="${LIVE}"`);
});
