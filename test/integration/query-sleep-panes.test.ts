import { afterAll, beforeEach, expect, test } from "vitest";
import type { RouteRequest } from "../../src/flow/route.ts";
import { queryRoutes } from "../../src/query/routes.ts";
import { isTransient } from "../../src/io/postgres.ts";
import { parquetFormat } from "../../src/io/parquet.ts";
import { digest } from "../../src/flow/digest.ts";
import { at, uuid } from "../domain/make.ts";
import { night, segment, vital } from "../domain/sleep/night.ts";
import { isolated } from "../support/stack.ts";
import { clear, openBench, quiesce } from "../support/windows/bench.ts";

const bench = openBench(await isolated("query-sleep-panes"));
afterAll(bench.close);
const routes = queryRoutes({
  db: bench.db,
  objects: bench.objects,
  parquet: parquetFormat,
  digest,
  clock: { now: () => bench.now },
  isTransient,
});

type Night = { session_id: string; revision: number; is_final: boolean } & Record<string, unknown>;
type Answer = { sessions: Night[]; hypnogram: { stage: string }[]; streams: { channel: string; points: unknown[] }[] };

const ask = async (path: string, params: Record<string, string>): Promise<Answer> => {
  const route = routes.find((one) => one.path === `/v1/athletes/{athlete_id}/sleep${path}`);
  const response = await route?.handler({ athlete_id: "anna", params, query: params } as unknown as RouteRequest);
  return JSON.parse(JSON.stringify(response?.body)) as Answer;
};
const list = async (): Promise<Night[]> => (await ask("", { from: "2026-11-01", to: "2026-11-30" })).sessions;
const shown = async (session: Night | undefined) => {
  const { hypnogram, streams } = await ask("/{session_id}", { session_id: session?.session_id ?? "" });
  return { hypnogram, streams };
};

const OF = { athlete_id: "anna", tz: "Europe/Amsterdam" } as const;
const asleep = night(
  "watch",
  "2026-11-19T22:00:00Z",
  [
    ["core", 120],
    ["deep", 60],
    ["awake", 10],
    ["rem", 110],
  ],
  OF,
);
const hearts = [23, 24, 25].map((hour, n) =>
  vital("heart_rate", at("2026-11-19T00:00:00Z") + hour * 3_600_000, 50 + n, {
    ...OF,
    local_date: "2026-11-20",
  }),
);

beforeEach(async () => {
  await clear(bench);
  await bench.db.query("truncate sleep_sessions, sleep_streams, day_facts");
});

test("a night reads alike before its day closes, while it moves, after, and after heart rate came late", async () => {
  await bench.stage(asleep);
  await quiesce(bench);
  const [open] = await list();
  expect(open).toMatchObject({
    kind: "main",
    date: "2026-11-20",
    total_sleep_s: 290 * 60,
    avg_hr: null,
    is_final: false,
  });
  const before = await shown(open);
  expect(before.hypnogram.map(({ stage }) => stage)).toEqual(["core", "deep", "awake", "rem"]);
  const during: unknown[] = [];
  bench.onStep = async () => {
    during.push(await shown(open));
  };
  bench.now = at("2026-11-21T12:00:00Z");
  await quiesce(bench);
  expect(during.length).toBeGreaterThan(2);
  for (const one of during) expect(one).toEqual(before);
  bench.onStep = () => undefined;
  const [closed] = await list();
  expect(closed).toMatchObject({ session_id: open?.session_id, is_final: true });
  expect(closed?.revision).toBeGreaterThan(open?.revision ?? Infinity);
  expect(await bench.db.query("select count(*)::int as n from sleep_streams")).toEqual([{ n: 1 }]);
  expect(await shown(closed)).toEqual(before);
  await bench.stage(hearts);
  await quiesce(bench);
  const [later] = await list();
  expect(later).toMatchObject({ session_id: open?.session_id, avg_hr: 51, min_hr: 50 });
  const { hypnogram, streams } = await shown(later);
  expect(hypnogram).toEqual(before.hypnogram);
  expect(streams).toMatchObject([{ channel: "heart_rate", points: { length: 3 } }]);
});

test("a corrected stage shows at once in an open night, and no reader meets a gap; a deleted night is a 404", async () => {
  await bench.stage(asleep);
  await quiesce(bench);
  const [open] = await list();
  const wrong = asleep[2];
  const right = segment("watch", "rem", [wrong?.start_at ?? 0, wrong?.end_at ?? 0], { ...OF, sample_id: uuid(7) });
  await bench.delete([wrong?.sample_id ?? ""]);
  await bench.stage([right]);
  expect((await shown(open)).hypnogram.map(({ stage }) => stage)).toEqual(["core", "deep", "rem"]);
  await quiesce(bench);
  const [corrected, ...others] = await list();
  expect(others).toEqual([]);
  expect(corrected).toMatchObject({ session_id: open?.session_id, total_sleep_s: 300 * 60, awake_s: 0 });
  await bench.delete([...asleep, right].map(({ sample_id }) => sample_id));
  await quiesce(bench);
  expect(await list()).toEqual([]);
  await expect(shown(open)).rejects.toMatchObject({ status: 404 });
});
