import { Client } from "pg";
import kafkajs from "kafkajs";
import type { Isolated } from "../stack.ts";
import { s3Client, listObjects } from "../audit/object-files.ts";
import { auditEnvironment } from "../audit/environment.ts";

/**
 * Everything that must not change when what is known comes again: every row with its revision, every object's key, and
 * how many events stand in the topics that others read. Not: window counters and positions, which count the repetition.
 */
export type ExactState = { rows: string[]; objects: string[]; events: string[] };

const TABLES = [
  "athlete_metrics",
  "health_streams",
  "sleep_sessions",
  "sleep_streams",
  "day_facts",
  "daily_totals",
  "sample_syncs",
  "sample_tombstones",
  "dead_letters",
  "ingest_batches",
] as const;
const OUTPUTS = ["metrics", "day-partitions", "sleep-sessions"];

const tableRows = async (databaseUrl: string): Promise<string[]> => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const out: string[] = [];
    for (const table of TABLES) {
      const { rows } = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${table} t`);
      out.push(...rows.map(({ row }) => `${table} ${row}`));
    }
    const staged = await client.query<{ row: string }>(
      "select (to_jsonb(t) - 'rev')::text as row from health_samples_staging t",
    );
    out.push(...staged.rows.map(({ row }) => `staging ${row}`));
    return out.toSorted();
  } finally {
    await client.end();
  }
};

const eventCounts = async (here: Isolated): Promise<string[]> => {
  const { Kafka, logLevel } = kafkajs;
  const admin = new Kafka({ brokers: here.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const out: string[] = [];
    for (const name of OUTPUTS) {
      const offsets = await admin.fetchTopicOffsets(`${here.prefix}health.${name}.v1`);
      out.push(...offsets.map((o) => `${name}/${o.partition} ${o.high}`));
    }
    return out.toSorted();
  } finally {
    await admin.disconnect();
  }
};

export const exactState = async (here: Isolated): Promise<ExactState> => {
  const { s3 } = auditEnvironment(here.env);
  const client = s3Client(s3);
  try {
    const listed = [
      ...(await listObjects(client, s3.bucket, "health_streams/")),
      ...(await listObjects(client, s3.bucket, "sleep_streams/")),
    ];
    return {
      rows: await tableRows(here.databaseUrl),
      objects: listed.map((o) => o.key).toSorted(),
      events: await eventCounts(here),
    };
  } finally {
    client.destroy();
  }
};
