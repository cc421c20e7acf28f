import { afterAll, describe, expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { openObjects } from "../../src/io/objects.ts";
import { openDatabase } from "../../src/io/postgres.ts";
import { sweep } from "../../src/windows/sweeper.ts";
import type { LedgerLine } from "../support/audit/ledger.ts";
import { type Build, type Patch, patchedBuild } from "../support/service/build.ts";
import { SEED, slices } from "../support/service/fault-input.ts";
import { endOf, sendAll, stopped } from "../support/service/fault-run.ts";
import { type Service, openService } from "../support/service/service.ts";
import { type Isolated, isolated } from "../support/stack.ts";

/**
 * Deliberately broken builds: the auditor must name the invariant that each violates, and must find nothing where the
 * same is done to the source as it is.
 */
type Scenario = (service: Service, main?: string) => Promise<LedgerLine[]>;
type Broken = {
  name: string;
  slug: string;
  patches: Patch[];
  scenario: Scenario;
  finds: RegExp;
  extra?: { SWEEP_GRACE: string };
};

const [FIRST_DATE, DATE] = ["2026-09-01", "2026-09-02"] as const;
const input = sendings({ seed: SEED, athletes: 1, days: 3, firstDate: FIRST_DATE, size: 40, density: 0.3 });
const [early = [], late = []] = slices(input, 2);

/** A worker that runs until nothing is under way, or until so long after it stopped being of use. */
const settle = async (service: Service, main?: string): Promise<void> => {
  const worker = service.worker({}, main);
  await worker.event("worker.ready");
  await service.wait().catch((error: unknown) => {
    throw new Error(`${String(error)}:\n${worker.log()}`);
  });
  await worker.stop();
};

const killedAt =
  (step: string): Scenario =>
  async (service, main) => {
    const worker = service.worker({ FAILPOINT: step }, main);
    await sendAll(service, input);
    expect((await endOf(worker))?.signal, worker.log()).toBe("SIGKILL");
    await settle(service, main);
    return [];
  };

/** As a sweeper an hour later: what was put and is pointed to by nothing goes. */
const sweepLater = async ({ env }: Service): Promise<number> => {
  const db = openDatabase({ url: env["DATABASE_URL"] ?? "" });
  const keys = { accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "" };
  const place = { endpoint: env["S3_ENDPOINT"] ?? "", region: env["S3_REGION"] ?? "", bucket: env["S3_BUCKET"] ?? "" };
  const objects = openObjects({ ...place, ...keys });
  const clock = { now: () => Date.now() + 3_600_000 };
  try {
    return await sweep({ db, objects, clock, onStep: () => undefined, config: { sweep_grace: 3_600_000 } });
  } finally {
    objects.close();
    await db.close();
  }
};

const sweptWhileItSlept: Scenario = async (service, main) => {
  const worker = service.worker({ FAILPOINT_STOP: "pane.put-some" }, main);
  await sendAll(service, input.slice(0, 1));
  await stopped(worker);
  expect(await sweepLater(service)).toBeGreaterThan(0);
  worker.signal("SIGCONT");
  await service.wait();
  await worker.stop();
  return [];
};

const overtakenWhileItSlept: Scenario = async (service, main) => {
  const sleeper = service.worker({ FAILPOINT_STOP: "pane.put-some" }, main);
  await sendAll(service, early);
  await stopped(sleeper);
  const other = service.worker({}, main);
  await sendAll(service, late);
  await service.wait();
  sleeper.signal("SIGCONT");
  await sleeper.event("assigned");
  await Promise.all([other, sleeper].map((worker) => worker.stop()));
  await settle(service, main);
  return [];
};

const lateDataUnderALock: Scenario = async (service, main) => {
  await sendAll(service, early);
  await settle(service, main);
  const athlete_id = input[0]?.athlete_id ?? "";
  const row = { athlete_id, date: DATE, metric: "steps", source: "derived" };
  const value = 54_321;
  const answer = await fetch(`${service.url}/v1/athletes/${athlete_id}/metrics/${DATE}/steps/derived`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
    body: JSON.stringify({ value, locked: true }),
  });
  expect(answer.status).toBe(200);
  await sendAll(service, late);
  await settle(service, main);
  return [{ kind: "lock", ...row, value }];
};

const BROKEN: readonly Broken[] = [
  {
    name: "the position is committed before the rows",
    slug: "position",
    patches: [
      { file: "src/flow/apply.ts", find: "      await advance(tx, deps.group, lane, to);\n", replace: "" },
      {
        file: "src/flow/apply.ts",
        find: "  const effects = await startingOver(once);\n",
        replace:
          "  await deps.db.transaction((tx) => advance(tx, deps.group, lane, to));\n  const effects = await startingOver(once);\n",
      },
    ],
    scenario: killedAt("staging.decided:2"),
    // The chunk that is skipped holds samples, or deletions.
    finds: /I2 +FAIL[^]*\b(lost|resurrected) /,
  },
  {
    name: "an object is put without its intent",
    slug: "intent",
    patches: [
      { file: "src/flow/commit.ts", find: "  if (writes.length > 0) {\n", replace: "  if (writes.length < 0) {\n" },
      {
        file: "src/flow/commit.ts",
        find: "if (used.length !== effects.objects.length) throw",
        replace: "if (false) throw",
      },
    ],
    scenario: killedAt("pane.put-some"),
    finds: /I6 +FAIL[^]*\borphan .*no pointer, no intent/,
  },
  {
    name: "a pointer is moved without its intent",
    slug: "pointer",
    patches: [
      {
        file: "src/flow/commit.ts",
        find: "if (used.length !== effects.objects.length) throw",
        replace: "if (false) throw",
      },
    ],
    scenario: sweptWhileItSlept,
    extra: { SWEEP_GRACE: "1h" },
    finds: /I6 +FAIL[^]*\bpointer to nothing /,
  },
  {
    name: "a locked value is ignored",
    slug: "lock",
    patches: [
      {
        file: "src/windows/metric-changes.ts",
        find: "const after = before?.locked\n",
        replace: "const after = false\n",
      },
    ],
    scenario: lateDataUnderALock,
    finds: /I7 +FAIL[^]*\boverwritten /,
  },
  {
    name: "the version under the athlete's lock is ignored",
    slug: "version",
    patches: [
      { file: "src/windows/commit.ts", find: "  if (version !== facts.version) throw", replace: "  if (false) throw" },
    ],
    scenario: overtakenWhileItSlept,
    extra: { SWEEP_GRACE: "1h" },
    finds: /I2 +FAIL[^]*\blost /,
  },
];

/** Nothing that the sweeper knows of is left, so what it does not know of need not wait long. */
const ORPHAN_MS = 2_000;

const audited = async (
  here: Isolated,
  { scenario, extra = { SWEEP_GRACE: "1s" } }: Broken,
  build?: Build,
): Promise<string> => {
  const service = await openService(here, extra);
  try {
    const hands = await scenario(service, build?.main);
    return (await service.audit(hands, ORPHAN_MS)).report;
  } finally {
    await service.close();
  }
};

const corners = await Promise.all(
  BROKEN.flatMap(({ slug }) => [isolated(`whole-${slug}`), isolated(`broken-${slug}`)]),
);
const builds: Build[] = [];
afterAll(() => builds.forEach((build) => build.drop()));

describe.concurrent(`deliberately broken builds (seed ${SEED})`, () => {
  test.each(BROKEN.map((broken, n) => ({ ...broken, n })))(
    "where $name, the auditor says so, and nothing of the source as it is",
    async ({ n, ...broken }) => {
      const [whole, other] = corners.slice(2 * n);
      if (!whole || !other) throw new Error("no corner");
      const build = patchedBuild(broken.patches);
      builds.push(build);
      await expect(audited(other, broken, build)).rejects.toThrow(broken.finds);
      expect(await audited(whole, broken)).toContain("I2  ok");
    },
    5 * 60_000,
  );
});

test("a patch whose text is no longer there is refused, so that no build passes for broken that is not", () => {
  const gone: Patch = { file: "src/flow/apply.ts", find: "this text is nowhere", replace: "" };
  expect(() => patchedBuild([gone])).toThrow("the text that a broken build changes");
});
