import { expect, test } from "vitest";
import { type Sending, sendings } from "../../bench/generator/batches.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { type Service, openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("edits-e2e");
const PLAN = { seed: SEED, athletes: 1, days: 4, firstDate: "2026-09-01", size: 200, density: 0.3 };
const [DATE, LOCKED] = ["2026-09-02", 54_321] as const;
const AWAY = [
  { from: "2000-01-01T00:00:00.000Z", zone: "Europe/Amsterdam" },
  { from: "2026-09-02T10:00:00.000Z", zone: "Asia/Kathmandu" },
];

/** A client that knows no zone but its own, and is wrong about that: it counts where the athlete says nothing. */
const withoutZones = ({ athlete_id, body }: Sending): Sending => ({
  athlete_id,
  body: {
    ...body,
    time_zone: "America/New_York",
    samples: body.samples.map(({ metadata, ...sample }) => {
      const { HKTimeZone: _, ...rest } = metadata;
      return { ...sample, metadata: rest };
    }),
  },
});

const ask = async (
  service: Service,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${service.url}/v1/athletes/${path}`, {
    method,
    headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
};

test(
  `hands, locks and a zone set right later, through the whole service: the auditor agrees, and sending all again changes nothing, whatever is set meanwhile (seed ${SEED})`,
  async () => {
    const service = await openService(here);
    try {
      service.worker();
      const all = sendings(PLAN).map(withoutZones);
      const athlete_id = all[0]?.athlete_id ?? "";
      await sendAll(service, all);
      await service.wait();
      const day = `${athlete_id}/metrics/${DATE}`;
      await ask(service, "PATCH", `${day}/steps/derived`, { value: LOCKED, locked: true });
      await ask(service, "PUT", `${day}/weight`, { value: 154, unit: "lb" });
      await ask(service, "PUT", `${athlete_id}/wellness/${DATE}`, { mood: 4 });
      const { recomputing } = await ask(service, "PUT", `${athlete_id}/settings`, { zones: AWAY });
      expect((recomputing as { days: number }).days).toBeGreaterThan(3);
      const hand = { athlete_id, date: DATE };
      service.client.ledger.push(
        { kind: "lock", ...hand, metric: "steps", source: "derived", value: LOCKED },
        { kind: "manual", ...hand, metric: "weight", value: 154 * 0.453_592_37, unit: "kg" },
        { kind: "manual", ...hand, metric: "mood", value: 4, unit: "score" },
        { kind: "settings", athlete_id, zones: AWAY },
      );
      await service.wait();
      const first = await service.audit();
      expect(first.report).not.toContain("FAIL");
      const { points } = await ask(
        service,
        "GET",
        `${athlete_id}/samples?metric=steps&from=2026-09-01&to=2026-09-05&resolution=1d`,
      );
      const daily = await ask(
        service,
        "GET",
        `${athlete_id}/metrics?metric=steps&source=derived&view=all&from=2026-09-01&to=2026-09-05`,
      );
      const rows = daily["metrics"] as { date: string; value: number; locked: boolean }[];
      const computed = rows.filter(({ locked }) => !locked).map(({ date, value }) => [date, value]);
      expect(rows.find(({ date }) => date === DATE)).toMatchObject({ value: LOCKED, locked: true });
      const asked = new Map(
        (points as [string, string, string, number][]).map(([date, , , sum]) => [date, Math.round(sum)]),
      );
      expect(computed).toEqual(computed.map(([date]) => [date, asked.get(String(date))]));
      const changeOfMind = async (): Promise<void> => {
        await ask(service, "PUT", `${athlete_id}/settings`, { zones: [] });
        await ask(service, "PUT", `${athlete_id}/settings`, { zones: AWAY });
      };
      await Promise.all([sendAll(service, all), changeOfMind()]);
      await service.wait();
      expect((await service.audit()).state).toEqual(first.state);
    } finally {
      await service.close();
    }
  },
  5 * 60_000,
);
