-- All tables of the public contract, and what the commit protocol needs beside them.
-- Instants are timestamptz in UTC; a `date` is the athlete's local date.

create extension if not exists btree_gist;

-- One row an athlete. `version` is raised by panes, tombstones, edits, settings and erasure:
-- a pane that read an older version starts over.
create table athletes (
  athlete_id    text primary key check (athlete_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
  version       bigint not null default 0,
  zones         jsonb not null default '[]',   -- [{"from": instant, "zone": IANA}], ascending
  source_order  jsonb not null default '{}',   -- {"*" or metric: [source_key]}
  zones_seen    text[] not null default '{}',  -- every zone that samples came in: one timeline is merged over all of them
  erased_before timestamptz,
  created_at    timestamptz not null default now()
);

create table health_samples_staging (
  athlete_id  text not null,
  sample_id   uuid not null,
  metric      text not null,
  start_at    timestamptz not null,
  end_at      timestamptz not null,
  value       double precision not null,
  unit        text not null,
  source      text not null,
  device      text,
  tz          text not null,
  local_date  date not null,
  attributes  jsonb,
  received_at timestamptz not null,
  rev         bigint not null,                 -- windows.dirty of (athlete_id, local_date) when the row was written
  primary key (athlete_id, sample_id)
);
create index health_samples_staging_day on health_samples_staging (athlete_id, local_date, metric);
create index health_samples_staging_time on health_samples_staging (athlete_id, start_at);

create table health_streams (
  athlete_id   text not null,
  period_start date not null,
  period_end   date not null,
  level        text not null check (level in ('day', 'month')),
  object_key   text not null unique,
  generation   bigint not null,
  row_count    bigint not null,
  bytes        bigint not null,
  content_hash text not null,
  rows_hash    text not null,
  footer       bytea,
  stats        jsonb not null,
  revision     bigint not null,
  written_at   timestamptz not null,
  primary key (athlete_id, period_start),
  check (period_end >= period_start),
  exclude using gist (athlete_id with =, daterange(period_start, period_end, '[]') with &&)
);

create table sleep_sessions (
  session_id uuid primary key, athlete_id text not null, date date not null, source text not null,
  kind text not null check (kind in ('main', 'nap', 'secondary', 'in_bed_only')),
  is_main_sleep boolean not null, start_at timestamptz not null, end_at timestamptz not null, tz text not null,
  time_in_bed_s double precision, total_sleep_s double precision, deep_s double precision, rem_s double precision,
  light_s double precision, awake_s double precision, unspecified_s double precision, onset_latency_s double precision,
  wakeup_count integer, efficiency double precision, sleep_score double precision, score_components jsonb,
  score_method text, hrv_ms double precision, resting_hr double precision, avg_hr double precision,
  min_hr double precision, respiratory_rate double precision, spo2 double precision, spo2_min double precision,
  superseded_by uuid, is_final boolean not null default false, revision bigint not null, updated_at timestamptz not null
);
create index sleep_sessions_day on sleep_sessions (athlete_id, date);

create table sleep_streams (
  session_id uuid primary key, athlete_id text not null, object_key text not null unique, generation bigint not null,
  row_count bigint not null, bytes bigint not null, content_hash text not null, channels text[] not null,
  written_at timestamptz not null
);

create table athlete_metrics (
  athlete_id   text not null,
  date         date not null,
  metric       text not null,
  source       text not null check (source in ('apple_health', 'derived', 'manual')),
  value        double precision,
  unit         text not null,
  locked       boolean not null default false,
  synced_value double precision,
  is_final     boolean not null,
  pane         text,
  method       text,
  input_hash   text,
  provenance   jsonb,
  revision     bigint not null,
  updated_at   timestamptz not null,
  primary key (athlete_id, date, metric, source)
);

-- One row per athlete, date and metric: locked > manual > provider > derived.
create view athlete_metrics_effective as
select distinct on (athlete_id, date, metric) *
from athlete_metrics
order by athlete_id, date, metric, locked desc,
  case source when 'manual' then 0 when 'apple_health' then 1 else 2 end;

create table metric_edits (
  id bigint generated always as identity primary key, athlete_id text not null, date date not null, metric text not null,
  source text not null, actor text not null, action text not null, before jsonb, after jsonb, edited_at timestamptz not null
);

create table daily_totals (
  athlete_id     text not null,
  date           date not null,
  metric         text not null,
  value          double precision not null,
  unit           text not null,
  value_received double precision not null,
  unit_received  text not null,
  received_at    timestamptz not null,
  content_hash   text not null,
  primary key (athlete_id, date, metric)
);

create table sample_syncs (
  athlete_id text not null, bundle_id text not null, type text not null, sync_id text not null,
  sync_version bigint not null, sample_id uuid not null,
  primary key (athlete_id, bundle_id, type, sync_id)
);

-- Kept for ever, so that a late insert or a replay cannot bring a deleted sample back.
create table sample_tombstones (
  athlete_id   text not null,
  sample_id    uuid not null,
  reason       text not null check (reason in ('deleted', 'adopted', 'superseded')),
  type         text,                           -- the hint that came with the deletion
  twin_key     jsonb,                          -- [metric, start second, end second, source, value]; null until the content was seen
  twin_start   timestamptz,                    -- the start in twin_key, to find twins by time
  deleted_at   timestamptz not null,
  searched_to  date,                           -- how far back closed days were searched (newest first)
  resolved_at  timestamptz,
  primary key (athlete_id, sample_id)
);
create index sample_tombstones_open on sample_tombstones (athlete_id) where resolved_at is null;
create index sample_tombstones_twin on sample_tombstones (athlete_id, twin_start) where twin_start is not null;

-- What is due. dirty is raised by staging for each day it touches, fired by panes.
create table windows (
  athlete_id      text not null,
  local_date      date not null,
  dirty           bigint not null default 0,
  fired           bigint not null default 0,
  closes_at       timestamptz not null,        -- the latest next midnight among its samples' zones and the athlete's; grace is added on reading
  closed_at       timestamptz,                 -- when the first closing pane fired
  touched_at      timestamptz not null,
  fired_at        timestamptz,
  lane            text not null check (lane in ('live', 'backfill')),
  reason          text not null,
  topic_partition integer not null,
  primary key (athlete_id, local_date)
);
create index windows_due on windows (topic_partition, athlete_id, local_date) where dirty > fired;
create index windows_open on windows (topic_partition, closes_at) where closed_at is null;

create table day_facts (
  athlete_id text not null, date date not null, facts jsonb not null, hash text not null, updated_at timestamptz not null,
  primary key (athlete_id, date)
);

-- Position and epoch of every group and topic partition, written with the effects: the truth on restart.
create table consumer_offsets (
  group_id        text not null,
  topic           text not null,
  topic_partition integer not null,
  position        bigint not null default -1,  -- next offset to apply; -1: none yet, start of the log
  epoch           bigint not null default 0,   -- raised by each new owner; a commit needs the epoch it took
  fingerprint     text,                        -- of the record at position - 1
  last_offset     bigint,
  last_timestamp  timestamptz,                 -- broker time of the last applied record
  cluster_id      text,
  attempts        integer not null default 0,  -- tries at the record at `position` that have not been committed
  crashed_offset  bigint,                      -- the last record given up as `crashed`
  updated_at      timestamptz not null default now(),
  primary key (group_id, topic, topic_partition)
);

-- What must still be published. Rows leave after Kafka's acknowledgement.
create table outbox (
  id         bigint generated always as identity primary key,
  shard      smallint not null,                -- of the athlete; -1 is the plain lane (dead letters)
  athlete_id text,
  topic      text not null,
  key        text,
  value      jsonb,                            -- null is a tombstone
  headers    jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index outbox_shard on outbox (shard, id);
create table outbox_shards (
  shard smallint primary key, owner text, lease_until timestamptz not null default '-infinity'
);

-- An object that is being written, or that nothing points to any more. The sweeper condemns a row
-- before it deletes the object; a commit that does not find its own uncondemned intent starts over.
create table object_intents (
  object_key   text primary key,
  athlete_id   text not null,
  reason       text not null check (reason in ('writing', 'superseded')),
  noted_at     timestamptz not null,
  condemned_at timestamptz
);
create index object_intents_age on object_intents (noted_at);

create table dead_letters (
  id uuid primary key, athlete_id text, reason text not null, path text, detail text not null, content_type text not null,
  payload bytea not null, origin jsonb not null, attempts integer not null, first_seen_at timestamptz not null,
  retried_at timestamptz
);
create index dead_letters_athlete on dead_letters (athlete_id, first_seen_at);

create table ingest_batches (
  athlete_id text not null, batch_id text not null, received_at timestamptz not null, body_hash text not null, anchor text,
  received integer not null, accepted integer not null, deletions integer not null, rejected jsonb not null,
  ignored jsonb not null, written jsonb not null,
  primary key (athlete_id, batch_id)
);

create sequence revisions;           -- of rows in athlete_metrics, sleep_sessions, health_streams
create sequence object_generations;  -- of Parquet objects, never used again
