-- Reprocessing. A replay's positions stand in consumer_offsets under the group staging@replay-<replay_id>.
create table replays (
  replay_id   text primary key,
  state       text not null check (state in ('running', 'paused', 'cancelled', 'done')),
  selection   jsonb not null,            -- {"athletes": [id] or null, "metrics": [key] or null}
  rate        double precision,          -- records per second; null: as fast as it goes
  tally       jsonb not null default '{}', -- fates of the records applied by the process that ran it last
  owner       text,                      -- the process that runs it
  seen_at     timestamptz not null,      -- its last sign of life
  created_at  timestamptz not null,
  finished_at timestamptz
);

-- What it reads, fixed at its start: offsets from_offset up to and without to_offset.
create table replay_ranges (
  replay_id       text not null references replays on delete cascade,
  topic           text not null,
  topic_partition integer not null,
  from_offset     bigint not null,
  to_offset       bigint not null check (to_offset >= from_offset),
  primary key (replay_id, topic, topic_partition)
);

-- Dead letters are listed and tried again oldest first.
create index dead_letters_age on dead_letters (first_seen_at, id);
