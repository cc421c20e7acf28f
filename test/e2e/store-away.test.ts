import { expect, test } from "vitest";
import { heartRate } from "../support/ingest/edge.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("store-away");
/** A port nobody listens on. */
const NOWHERE = "http://127.0.0.1:9";

test("with no object store at all, samples are taken, staged and shown as today", async () => {
  const service = await openService(here, { S3_ENDPOINT: NOWHERE });
  service.worker();
  try {
    await service.client.send({
      athlete_id: "anna",
      body: { batch_id: "b1", provider: "apple_health", time_zone: "UTC", samples: [heartRate(59_000)] },
    } as never);
    const ask = () =>
      fetch(`${service.url}/v1/athletes/anna/today`, { headers: { authorization: `Bearer ${service.token}` } });
    const shown = async (): Promise<unknown> => {
      const answer = await ask();
      return answer.ok ? answer.json() : answer.status;
    };
    await expect
      .poll(shown, { timeout: 60_000 })
      .toMatchObject({ metrics: [{ metric: "heart_rate", points: [expect.anything()] }] });
  } finally {
    await service.close();
  }
});
