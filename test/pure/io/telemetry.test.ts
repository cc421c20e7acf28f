import { expect, test } from "vitest";
import { createTelemetry } from "../../../src/io/telemetry.ts";

const CANARY = "61.0625";

const logged = (fields: Record<string, unknown>): Record<string, unknown> => {
  const lines: string[] = [];
  createTelemetry({ level: "info", role: "worker", write: (line) => lines.push(line) }).info("applied", fields);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "") as Record<string, unknown>;
};

test("a line carries its event, the role and the fields that are allowed", () => {
  expect(logged({ topic: "t", topic_partition: 3, tally: { inserted: 5 } })).toMatchObject({
    event: "applied",
    role: "worker",
    topic: "t",
    topic_partition: 3,
    tally: { inserted: 5 },
  });
});

test("no value gets into the log: not by an unknown name, not inside an allowed one, not on an error", () => {
  const error = Object.assign(new Error("insert failed"), { code: "23505", detail: `Key (value)=(${CANARY})` });
  const line = logged({
    value: CANARY,
    sample: { value: Number(CANARY) },
    body: `{"value": ${CANARY}}`,
    reason: { text: CANARY },
    rows: [{ value: CANARY }],
    error,
  });
  expect(JSON.stringify(line)).not.toContain(CANARY);
  expect(line["dropped_fields"]).toEqual(["value", "sample", "body"]);
  expect(line["error"]).toBe("Error: insert failed (23505)");
});

test("figures of a parent and its child stand in one text, each under its role", async () => {
  const parent = createTelemetry({ level: "silent", role: "edge" });
  const child = createTelemetry({ level: "silent", role: "worker" });
  parent.count("records", { stage: "ingest", fate: "accepted" }, 3);
  child.count("records", { stage: "staging", fate: "inserted" }, 4);
  child.gauge("dirty_windows", {}, 7);
  child.time("commit_ms", { stage: "staging" }, 12);
  const overIpc = JSON.parse(JSON.stringify(await child.figures())) as unknown[];
  const text = await parent.metricsText([overIpc]);
  expect(text).toContain('health_sync_records_total{stage="ingest",fate="accepted",role="edge"} 3');
  expect(text).toContain('health_sync_records_total{stage="staging",fate="inserted",role="worker"} 4');
  expect(text).toContain('health_sync_dirty_windows{role="worker"} 7');
  expect(text).toContain('health_sync_commit_ms_count{stage="staging",role="worker"} 1');
  expect(text.match(/# TYPE health_sync_records_total counter/g)).toHaveLength(1);
});

test("a label that is not on the list makes no series", async () => {
  const telemetry = createTelemetry({ level: "silent", role: "edge" });
  telemetry.count("records", { stage: "ingest", athlete_id: "anna" });
  expect(await telemetry.metricsText()).not.toContain("anna");
});
