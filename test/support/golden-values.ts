/**
 * Values for the golden bytes of the current schemas: each schema once with every field filled (unicode, extremes), and
 * once with every nullable field null or left to its default. Add to these when a schema gains a field, then
 * run record-golden.ts.
 */
const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const AT = 1_795_365_429_595;

export const GOLDEN_VALUES: Record<string, object[]> = {
  "sample-chunk": [
    {
      ...{ athlete_id: "athlete-1", provider: "apple_health", batch_id: "c1f0-ø", chunk: 3, received_at: AT },
      batch_time_zone: "Europe/Amsterdam",
      series: [
        {
          ...{ type: "HKQuantityTypeIdentifierHeartRate", unit: "count/min", source_name: "Zoë’s Apple Watch ⌚️" },
          ...{ bundle_id: "com.apple.health.A1", product_type: "Watch7,5", device: "Apple Watch", door: "native" },
          samples: [
            {
              ...{ sample_id: ID, synthetic: true, start_at: AT - 60_000, end_at: AT, value: 57.25 },
              ...{ time_zone: "+05:45", created: AT + 1, sync_id: "synchroniséé", sync_version: 9_007_199_254_740_990 },
              ...{ user_entered: true, count: 12, min: -0.5, max: 1e300, aggregated: true, group_id: ID },
              metadata: '{"HKWasUserEntered":1,"note":"日本語"}',
            },
            {
              ...{ sample_id: ID, synthetic: false, start_at: -1, end_at: 0, value: 0, time_zone: null, created: null },
              ...{ sync_id: null, sync_version: null, user_entered: false, count: null, min: null, max: null },
              ...{ aggregated: false, group_id: null, metadata: null },
            },
          ],
        },
        {
          ...{ type: "HKQuantityTypeIdentifierStepCount", unit: null, source_name: null, bundle_id: null },
          ...{ product_type: null, device: null, door: "kafka", samples: [] },
        },
      ],
      deletions: [
        { sample_id: ID, type: "HKQuantityTypeIdentifierStepCount" },
        { sample_id: ID, type: null },
      ],
      daily: [{ date: 20_778, type: "HKQuantityTypeIdentifierStepCount", value: 12_034, unit: "count" }],
    },
    {
      ...{ athlete_id: "1", provider: "", batch_id: "", chunk: 0, received_at: 0, batch_time_zone: null },
      ...{ series: [], deletions: [], daily: [] },
    },
  ],
  "batch-receipt": [
    {
      ...{ athlete_id: "athlete-1", batch_id: "b", received_at: AT, body_hash: "ab12", anchor: "⚓️" },
      ...{ received: 120, accepted: 118, deletions: 2 },
      rejected: [
        { index: 7, uuid: ID, reason: "out_of_range", path: "samples[7].value", detail: "über 300" },
        { index: -1, uuid: null, reason: "bad_unit", path: "daily[0].unit", detail: "" },
      ],
      written: [{ topic: "health.samples.v1", topic_partition: 23, last_offset: 9_007_199_254_740_990 }],
      ignored: { HKQuantityTypeIdentifierUVExposure: 3 },
    },
    {
      ...{ athlete_id: "a", batch_id: "b", received_at: 0, body_hash: "", anchor: null, received: 0, accepted: 0 },
      ...{ deletions: 0, rejected: [], written: [], ignored: {} },
    },
  ],
  "window-touched": [
    { athlete_id: "athlete-1", dates: [20_778, -1, 0], reason: "récit" },
    { athlete_id: "a", dates: [], reason: "" },
  ],
  "athlete-metric": [
    {
      ...{ athlete_id: "athlete-1", date: 20_778, metric: "resting_hr", source: "derived", value: 51.5, unit: "bpm" },
      ...{ locked: true, synced_value: 52.25, is_final: true, pane: "on_time", method: "rhr/1", input_hash: "00ff" },
      ...{ revision: 9_007_199_254_740_990, updated_at: AT, provenance: '{"sources":["Zoë"]}' },
    },
    {
      ...{ athlete_id: "a", date: 0, metric: "steps", source: "manual", value: null, unit: "", locked: false },
      ...{ synced_value: null, is_final: false, pane: null, method: null, input_hash: null, revision: 0 },
      ...{ updated_at: 0, provenance: null },
    },
  ],
  "sleep-session": [
    {
      ...{ athlete_id: "athlete-1", session_id: ID, date: 20_778, source: "oura ✓", kind: "main", is_main_sleep: true },
      ...{ start_at: AT - 28_800_000, end_at: AT, tz: "Asia/Kathmandu", time_in_bed_s: 28_800, total_sleep_s: 27_000 },
      ...{ deep_s: 5400, rem_s: 5401, light_s: 16_199, awake_s: 1800, unspecified_s: 0, onset_latency_s: 300 },
      ...{ wakeup_count: 4, efficiency: 0.9375, sleep_score: 81, hrv_ms: 62.5, resting_hr: 48, avg_hr: 52.5, min_hr: 45 },
      ...{ respiratory_rate: 14.25, spo2: 0.97, spo2_min: 0.91, score_method: "sleep_score/1", superseded_by: ID },
      ...{ revision: 7, updated_at: AT, score_components: '{"duration":40}', is_final: false },
    },
    {
      ...{ athlete_id: "a", session_id: ID, date: 0, source: "", kind: "in_bed_only", is_main_sleep: false },
      ...{ start_at: 0, end_at: 0, tz: "UTC", time_in_bed_s: null, total_sleep_s: null, deep_s: null, rem_s: null },
      ...{ light_s: null, awake_s: null, unspecified_s: null, onset_latency_s: null, wakeup_count: null },
      ...{ efficiency: null, sleep_score: null, hrv_ms: null, resting_hr: null, avg_hr: null, min_hr: null },
      ...{ respiratory_rate: null, spo2: null, spo2_min: null, score_method: null, superseded_by: null },
      ...{ revision: 0, updated_at: 0, score_components: null, is_final: true },
    },
  ],
  "day-partition": [
    {
      ...{ athlete_id: "athlete-1", period_start: 20_778, period_end: 20_808, level: "month", generation: 12 },
      object_key: "health_streams/athlete=a_athlete-1/month=2026-11/2026-11.g12.ab.parquet",
      ...{ row_count: 100_000, bytes: 1_000_000, content_hash: "ab", written_at: AT, rows_hash: "cd", revision: 3 },
    },
    {
      ...{ athlete_id: "a", period_start: 0, period_end: 0, level: "day", generation: 1, object_key: "k", row_count: 0 },
      ...{ bytes: 0, content_hash: "", written_at: 0, rows_hash: null, revision: 0 },
    },
  ],
  "dead-letter": [
    {
      ...{ id: ID, athlete_id: "athlete-1", reason: "out_of_range", path: "samples[7].value", detail: "über 300" },
      ...{ content_type: "application/json", payload: Buffer.from([0, 1, 127, 128, 255]), attempts: 3 },
      origin: { kind: "http", batch_id: "b", index: 7, topic: "t", topic_partition: 23, offset: 9_007_199_254_740_990 },
      first_seen_at: AT,
    },
    {
      ...{ id: ID, athlete_id: null, reason: "bad_frame", path: null, detail: "", content_type: "" },
      ...{ payload: Buffer.alloc(0), attempts: 0, first_seen_at: 0 },
      origin: { kind: "topic", batch_id: null, index: null, topic: null, topic_partition: null, offset: null },
    },
  ],
};
