import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { sendings } from "../../bench/generator/batches.ts";
import { SEED } from "../support/service/fault-input.ts";
import { sendAll } from "../support/service/fault-run.ts";
import { differences } from "../support/service/final-state.ts";
import { openService } from "../support/service/service.ts";
import { isolated } from "../support/stack.ts";

const here = await isolated("beyond-retention");

/** No sample that was sent is in the log any more, as after its retention. */
const forgetSamples = async (): Promise<number> => {
  const kafka = new Kafka({ brokers: here.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  let forgotten = 0;
  for (const name of ["samples", "sleep", "backfill"]) {
    const topic = `${here.prefix}health.${name}.v1`;
    const held = (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => low !== high);
    const partitions = held.map(({ partition, high }) => ({ partition, offset: high }));
    if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
    forgotten += partitions.length;
  }
  await admin.disconnect();
  return forgotten;
};

test(`when the topics are truncated and every result is gone, a recompute makes them again from what is stored (seed ${SEED})`, async () => {
  const service = await openService(here);
  try {
    const input = { seed: SEED, athletes: 2, days: 6, firstDate: "2026-03-25", size: 120, density: 0.1, nights: true };
    await service.settled(() => sendAll(service, sendings(input)));
    const first = (await service.audit()).state;
    expect(first["sleep_sessions"]?.length).toBeGreaterThan(4);
    expect(await forgetSamples()).toBeGreaterThan(2);
    for (const table of ["day_facts", "sleep_streams", "sleep_sessions"]) await service.sql(`delete from ${table}`);
    await service.sql(`delete from athlete_metrics where source = 'derived'`);
    await service.settled(() => service.command("recompute", "--all-athletes", "--wait"));
    const { state } = await service.audit();
    expect(differences(first, state)).toEqual([]);
  } finally {
    await service.close();
  }
}, 180_000);
