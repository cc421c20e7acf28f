import { type Static, Type } from "typebox";

const nullable = (schema: Type.TSchema) => Type.Union([schema, Type.Null()]);

/** So that a receipt, which lists every rejection, always fits into one Kafka record. */
export const MAX_ENTRIES = 5000;

/**
 * The envelope of a native batch (contract §5). What stands in the lists is checked sample by sample: a bad
 * one is a rejection, never a 400. Unknown members are left alone, so that newer clients keep working.
 */
export const batchSchema = Type.Object(
  {
    batch_id: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$" })),
    provider: Type.Optional(Type.Literal("apple_health")),
    time_zone: Type.Optional(nullable(Type.String({ maxLength: 64 }))),
    samples: Type.Optional(Type.Array(Type.Unknown(), { maxItems: MAX_ENTRIES })),
    deleted: Type.Optional(Type.Array(Type.Unknown(), { maxItems: MAX_ENTRIES })),
    daily: Type.Optional(Type.Array(Type.Unknown(), { maxItems: MAX_ENTRIES })),
    anchor: Type.Optional(nullable(Type.String({ maxLength: 8192 }))),
  },
  {
    examples: [
      {
        time_zone: "Europe/Amsterdam",
        samples: [
          {
            uuid: "4f6f2c5e-3c52-4b0e-9f0a-0d5d6f1f7a11",
            type: "HKQuantityTypeIdentifierHeartRate",
            start: "2026-11-21T06:00:00Z",
            end: "2026-11-21T06:00:00Z",
            value: 57,
            unit: "count/min",
            source: { name: "Watch", bundle_id: "com.apple.health.1", product_type: "Watch7,5" },
            metadata: { HKTimeZone: "Europe/Amsterdam" },
          },
        ],
        deleted: [{ uuid: "0b8a5f0e-7a51-4d6e-9b43-3b3a1f1f0c22" }],
        daily: [{ date: "2026-11-20", type: "HKQuantityTypeIdentifierStepCount", value: 12_034, unit: "count" }],
      },
    ],
  },
);

/** A batch whose envelope is right. */
export type BatchBody = {
  batch_id?: string;
  provider?: string;
  time_zone?: string | null;
  samples?: readonly unknown[];
  deleted?: readonly unknown[];
  daily?: readonly unknown[];
  anchor?: string | null;
};

const rejectionSchema = Type.Object({
  index: Type.Integer(),
  uuid: nullable(Type.String()),
  reason: Type.String(),
  path: Type.String(),
  detail: Type.String(),
});

/** One refused entry. `index` is −1 for `deleted` and `daily` entries. */
export type Rejection = { index: number; uuid: string | null } & Omit<Static<typeof rejectionSchema>, "index" | "uuid">;

const counts = {
  received: Type.Integer(),
  accepted: Type.Integer(),
  deletions: Type.Integer(),
  rejected: Type.Array(rejectionSchema),
  ignored: Type.Record(Type.String(), Type.Integer()),
};

/** The answer to a batch. */
export const answerSchema = Type.Object({
  batch_id: Type.String(),
  state: Type.Union([Type.Literal("accepted"), Type.Literal("applied")]),
  ...counts,
});

/** The receipt as asked for later. */
export const receiptSchema = Type.Object({
  ...answerSchema.properties,
  received_at: Type.String({ description: "ISO 8601, UTC" }),
  body_hash: Type.String(),
  anchor: nullable(Type.String()),
});

export type BatchAnswer = {
  batch_id: string;
  state: "accepted" | "applied";
  received: number;
  accepted: number;
  deletions: number;
  rejected: Rejection[];
  ignored: Record<string, number>;
};

/** The Avro record `health.v1.BatchReceipt` without what it wrote, which is known once Kafka acknowledged it. */
export type UnsentReceipt = Omit<BatchAnswer, "state"> & {
  athlete_id: string;
  received_at: number;
  body_hash: string;
  anchor: string | null;
};
