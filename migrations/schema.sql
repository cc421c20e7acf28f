-- What the migrations add up to. Written by `health-sync migrate --dump`; a test tells when it is stale.

create extension btree_gist;

create sequence object_generations as bigint start 1 increment 1 minvalue 1 maxvalue 9223372036854775807 cache 1;
create sequence revisions as bigint start 1 increment 1 minvalue 1 maxvalue 9223372036854775807 cache 1;

create table athlete_metrics (
  athlete_id text not null,
  date date not null,
  metric text not null,
  source text not null,
  value double precision,
  unit text not null,
  locked boolean not null default false,
  synced_value double precision,
  is_final boolean not null,
  pane text,
  method text,
  input_hash text,
  provenance jsonb,
  revision bigint not null,
  updated_at timestamp with time zone not null,
  constraint athlete_metrics_source_check CHECK ((source = ANY (ARRAY['apple_health'::text, 'derived'::text, 'manual'::text]))),
  constraint athlete_metrics_pkey PRIMARY KEY (athlete_id, date, metric, source)
);

create table athletes (
  athlete_id text not null,
  version bigint not null default 0,
  zones jsonb not null default '[]'::jsonb,
  source_order jsonb not null default '{}'::jsonb,
  zones_seen text[] not null default '{}'::text[],
  erased_before timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint athletes_athlete_id_check CHECK ((athlete_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'::text)),
  constraint athletes_pkey PRIMARY KEY (athlete_id)
);

create table consumer_offsets (
  group_id text not null,
  topic text not null,
  topic_partition integer not null,
  "position" bigint not null default '-1'::integer,
  epoch bigint not null default 0,
  fingerprint text,
  last_offset bigint,
  last_timestamp timestamp with time zone,
  cluster_id text,
  attempts integer not null default 0,
  crashed_offset bigint,
  updated_at timestamp with time zone not null default now(),
  constraint consumer_offsets_pkey PRIMARY KEY (group_id, topic, topic_partition)
);

create table daily_totals (
  athlete_id text not null,
  date date not null,
  metric text not null,
  value double precision not null,
  unit text not null,
  value_received double precision not null,
  unit_received text not null,
  received_at timestamp with time zone not null,
  content_hash text not null,
  constraint daily_totals_pkey PRIMARY KEY (athlete_id, date, metric)
);

create table day_facts (
  athlete_id text not null,
  date date not null,
  facts jsonb not null,
  hash text not null,
  updated_at timestamp with time zone not null,
  passed_hash text,
  constraint day_facts_pkey PRIMARY KEY (athlete_id, date)
);

create table dead_letters (
  id uuid not null,
  athlete_id text,
  reason text not null,
  path text,
  detail text not null,
  content_type text not null,
  payload bytea not null,
  origin jsonb not null,
  attempts integer not null,
  first_seen_at timestamp with time zone not null,
  retried_at timestamp with time zone,
  constraint dead_letters_pkey PRIMARY KEY (id)
);

create table health_samples_staging (
  athlete_id text not null,
  sample_id uuid not null,
  metric text not null,
  start_at timestamp with time zone not null,
  end_at timestamp with time zone not null,
  value double precision not null,
  unit text not null,
  source text not null,
  device text,
  tz text not null,
  local_date date not null,
  attributes jsonb,
  received_at timestamp with time zone not null,
  rev bigint not null,
  constraint health_samples_staging_pkey PRIMARY KEY (athlete_id, sample_id)
);

create table health_streams (
  athlete_id text not null,
  period_start date not null,
  period_end date not null,
  level text not null,
  object_key text not null,
  generation bigint not null,
  row_count bigint not null,
  bytes bigint not null,
  content_hash text not null,
  rows_hash text not null,
  footer bytea,
  stats jsonb not null,
  revision bigint not null,
  written_at timestamp with time zone not null,
  newest_tz text,
  summaries text[],
  constraint health_streams_check CHECK ((period_end >= period_start)),
  constraint health_streams_level_check CHECK ((level = ANY (ARRAY['day'::text, 'month'::text]))),
  constraint health_streams_pkey PRIMARY KEY (athlete_id, period_start),
  constraint health_streams_object_key_key UNIQUE (object_key),
  constraint health_streams_athlete_id_daterange_excl EXCLUDE USING gist (athlete_id WITH =, daterange(period_start, period_end, '[]'::text) WITH &&)
);

create table ingest_batches (
  athlete_id text not null,
  batch_id text not null,
  received_at timestamp with time zone not null,
  body_hash text not null,
  anchor text,
  received integer not null,
  accepted integer not null,
  deletions integer not null,
  rejected jsonb not null,
  ignored jsonb not null,
  written jsonb not null,
  constraint ingest_batches_pkey PRIMARY KEY (athlete_id, batch_id)
);

create table metric_edits (
  id bigint not null generated always as identity,
  athlete_id text not null,
  date date not null,
  metric text not null,
  source text not null,
  actor text not null,
  action text not null,
  before jsonb,
  after jsonb,
  edited_at timestamp with time zone not null,
  revision bigint,
  constraint metric_edits_pkey PRIMARY KEY (id)
);

create table object_intents (
  object_key text not null,
  athlete_id text not null,
  reason text not null,
  noted_at timestamp with time zone not null,
  condemned_at timestamp with time zone,
  constraint object_intents_reason_check CHECK ((reason = ANY (ARRAY['writing'::text, 'superseded'::text]))),
  constraint object_intents_pkey PRIMARY KEY (object_key)
);

create table outbox (
  id bigint not null generated always as identity,
  shard smallint not null,
  athlete_id text,
  topic text not null,
  key text,
  value jsonb,
  headers jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null default now(),
  constraint outbox_pkey PRIMARY KEY (id)
);

create table outbox_shards (
  shard smallint not null,
  owner text,
  lease_until timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint outbox_shards_pkey PRIMARY KEY (shard)
);

create table replay_ranges (
  replay_id text not null,
  topic text not null,
  topic_partition integer not null,
  from_offset bigint not null,
  to_offset bigint not null,
  constraint replay_ranges_check CHECK ((to_offset >= from_offset)),
  constraint replay_ranges_replay_id_fkey FOREIGN KEY (replay_id) REFERENCES replays(replay_id) ON DELETE CASCADE,
  constraint replay_ranges_pkey PRIMARY KEY (replay_id, topic, topic_partition)
);

create table replays (
  replay_id text not null,
  state text not null,
  selection jsonb not null,
  rate double precision,
  tally jsonb not null default '{}'::jsonb,
  owner text,
  seen_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint replays_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'cancelled'::text, 'done'::text]))),
  constraint replays_pkey PRIMARY KEY (replay_id)
);

create table revoked_tokens (
  jti text not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone not null default now(),
  constraint revoked_tokens_jti_check CHECK ((jti ~ '^[A-Za-z0-9._-]{1,128}$'::text)),
  constraint revoked_tokens_pkey PRIMARY KEY (jti)
);

create table sample_syncs (
  athlete_id text not null,
  bundle_id text not null,
  type text not null,
  sync_id text not null,
  sync_version bigint not null,
  sample_id uuid not null,
  constraint sample_syncs_pkey PRIMARY KEY (athlete_id, bundle_id, type, sync_id)
);

create table sample_tombstones (
  athlete_id text not null,
  sample_id uuid not null,
  reason text not null,
  type text,
  twin_key jsonb,
  twin_start timestamp with time zone,
  deleted_at timestamp with time zone not null,
  searched_to date,
  resolved_at timestamp with time zone,
  constraint sample_tombstones_reason_check CHECK ((reason = ANY (ARRAY['deleted'::text, 'adopted'::text, 'superseded'::text]))),
  constraint sample_tombstones_pkey PRIMARY KEY (athlete_id, sample_id)
);

create table schema_migrations (
  version integer not null,
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_migrations_pkey PRIMARY KEY (version)
);

create table settings_edits (
  id bigint not null generated always as identity,
  athlete_id text not null,
  actor text not null,
  before jsonb not null,
  after jsonb not null,
  recomputing jsonb not null,
  edited_at timestamp with time zone not null,
  constraint settings_edits_pkey PRIMARY KEY (id)
);

create table sleep_sessions (
  session_id uuid not null,
  athlete_id text not null,
  date date not null,
  source text not null,
  kind text not null,
  is_main_sleep boolean not null,
  start_at timestamp with time zone not null,
  end_at timestamp with time zone not null,
  tz text not null,
  time_in_bed_s double precision,
  total_sleep_s double precision,
  deep_s double precision,
  rem_s double precision,
  light_s double precision,
  awake_s double precision,
  unspecified_s double precision,
  onset_latency_s double precision,
  wakeup_count integer,
  efficiency double precision,
  sleep_score double precision,
  score_components jsonb,
  score_method text,
  hrv_ms double precision,
  resting_hr double precision,
  avg_hr double precision,
  min_hr double precision,
  respiratory_rate double precision,
  spo2 double precision,
  spo2_min double precision,
  superseded_by uuid,
  is_final boolean not null default false,
  revision bigint not null,
  updated_at timestamp with time zone not null,
  onset_at timestamp with time zone,
  final_wake_at timestamp with time zone,
  gap_s double precision,
  provenance jsonb,
  constraint sleep_sessions_kind_check CHECK ((kind = ANY (ARRAY['main'::text, 'nap'::text, 'secondary'::text, 'in_bed_only'::text]))),
  constraint sleep_sessions_pkey PRIMARY KEY (session_id)
);

create table sleep_streams (
  session_id uuid not null,
  athlete_id text not null,
  object_key text not null,
  generation bigint not null,
  row_count bigint not null,
  bytes bigint not null,
  content_hash text not null,
  channels text[] not null,
  written_at timestamp with time zone not null,
  rows_hash text not null,
  constraint sleep_streams_pkey PRIMARY KEY (session_id),
  constraint sleep_streams_object_key_key UNIQUE (object_key)
);

create table windows (
  athlete_id text not null,
  local_date date not null,
  dirty bigint not null default 0,
  fired bigint not null default 0,
  closes_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  touched_at timestamp with time zone not null,
  fired_at timestamp with time zone,
  lane text not null,
  reason text not null,
  topic_partition integer not null,
  constraint windows_lane_check CHECK ((lane = ANY (ARRAY['live'::text, 'backfill'::text]))),
  constraint windows_pkey PRIMARY KEY (athlete_id, local_date)
);

CREATE INDEX athletes_erased ON public.athletes USING btree (erased_before) WHERE (erased_before IS NOT NULL);
CREATE INDEX day_facts_pending ON public.day_facts USING btree (athlete_id) WHERE (passed_hash IS DISTINCT FROM hash);
CREATE INDEX dead_letters_age ON public.dead_letters USING btree (first_seen_at, id);
CREATE INDEX dead_letters_athlete ON public.dead_letters USING btree (athlete_id, first_seen_at);
CREATE INDEX health_samples_staging_day ON public.health_samples_staging USING btree (athlete_id, local_date, metric);
CREATE INDEX health_samples_staging_time ON public.health_samples_staging USING btree (athlete_id, start_at);
CREATE INDEX health_streams_days ON public.health_streams USING btree (period_start) WHERE (level = 'day'::text);
CREATE INDEX ingest_batches_age ON public.ingest_batches USING btree (received_at);
CREATE INDEX ingest_batches_newest ON public.ingest_batches USING btree (athlete_id, received_at DESC);
CREATE INDEX metric_edits_value ON public.metric_edits USING btree (athlete_id, date, metric, id);
CREATE INDEX object_intents_age ON public.object_intents USING btree (noted_at);
CREATE INDEX outbox_shard ON public.outbox USING btree (shard, id);
CREATE INDEX revoked_tokens_expiry ON public.revoked_tokens USING btree (expires_at);
CREATE INDEX sample_tombstones_open ON public.sample_tombstones USING btree (athlete_id) WHERE (resolved_at IS NULL);
CREATE INDEX sample_tombstones_twin ON public.sample_tombstones USING btree (athlete_id, twin_start) WHERE (twin_start IS NOT NULL);
CREATE INDEX settings_edits_athlete ON public.settings_edits USING btree (athlete_id, id);
CREATE INDEX sleep_sessions_day ON public.sleep_sessions USING btree (athlete_id, date);
CREATE INDEX sleep_streams_athlete ON public.sleep_streams USING btree (athlete_id);
CREATE INDEX windows_due ON public.windows USING btree (topic_partition, athlete_id, local_date) WHERE (dirty > fired);
CREATE INDEX windows_open ON public.windows USING btree (topic_partition, closes_at) WHERE (closed_at IS NULL);

create view athlete_metrics_effective as
 SELECT DISTINCT ON (athlete_id, date, metric) athlete_id,
    date,
    metric,
    source,
    value,
    unit,
    locked,
    synced_value,
    is_final,
    pane,
    method,
    input_hash,
    provenance,
    revision,
    updated_at
   FROM athlete_metrics
  ORDER BY athlete_id, date, metric, locked DESC,
        CASE source
            WHEN 'manual'::text THEN 0
            WHEN 'apple_health'::text THEN 1
            ELSE 2
        END;
