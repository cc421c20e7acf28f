import { expect, test } from "vitest";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("live");

type Event = { id: string; event: string; data: Record<string, unknown> };

const eventOf = (block: string): Event | null => {
  const lines = new Map(block.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]));
  const [id, event, data] = [lines.get("id"), lines.get("event"), lines.get("data")];
  return id === undefined || event === undefined || data === undefined
    ? null
    : { id, event, data: JSON.parse(data) as Record<string, unknown> };
};

/** Reads events of a stream until one passes; throws when the stream ends before. */
const reader = (body: ReadableStream<Uint8Array>) => {
  const chunks = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async (passes: (event: Event) => boolean): Promise<Event> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await chunks.read();
        if (done) throw new Error("the stream ended");
        text += value;
        continue;
      }
      const event = eventOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (event && passes(event)) return event;
    }
  };
};

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const weight = (n: number, value: number) => ({
  uuid: uuid(n),
  type: "HKQuantityTypeIdentifierBodyMass",
  start: "2026-09-02T06:00:00Z",
  end: "2026-09-02T06:00:00Z",
  value,
  unit: "kg",
  source: { name: "Scale" },
});

test("a reader sees an athlete's metrics change and go as they are published, and nobody else's", async () => {
  const service = await openService(here);
  service.worker();
  const open = (athlete: string) =>
    fetch(`${service.url}/v1/athletes/${athlete}/live`, { headers: { authorization: `Bearer ${service.token}` } });
  const answer = await open("anna");
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const next = reader(answer.body as ReadableStream<Uint8Array>);
  const send = (athlete_id: string, body: object) =>
    service.client.send({ athlete_id, body: { provider: "apple_health", time_zone: "UTC", ...body } } as never);
  await send("berta", { batch_id: "b1", samples: [weight(9, 50)] });
  await send("anna", { batch_id: "a1", samples: [weight(1, 61.5)] });
  const first = await next(({ event }) => event === "metric");
  expect(first.data).toMatchObject({ athlete_id: "anna", date: "2026-09-02", metric: "weight", value: 61.5 });
  expect(Number(first.id)).toBe(first.data["revision"]);
  await send("anna", { batch_id: "a2", samples: [], deleted: [{ uuid: uuid(1) }] });
  const gone = await next(({ data }) => data["removed"] === true);
  expect(gone.data).toEqual({ date: "2026-09-02", metric: "weight", source: "apple_health", removed: true });
  expect(Number(gone.id)).toBeGreaterThan(Number(first.id));
  await service.close();
  await expect(next(() => true)).rejects.toThrow("the stream ended");
});
