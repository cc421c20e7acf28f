-- Sleep sessions say when sleep began and ended and how they came about; streams know their rows; days know what the
-- days after them have read of them.

alter table sleep_sessions
  add onset_at timestamptz,
  add final_wake_at timestamptz,
  add gap_s double precision,
  add provenance jsonb;

alter table sleep_streams
  add rows_hash text not null;
create index sleep_streams_athlete on sleep_streams (athlete_id);

-- `facts` is the JSON null where a day that had some has none any more, until later days were computed without it.
-- `passed_hash` is the hash that all later days were computed with.
alter table day_facts
  add passed_hash text;
create index day_facts_pending on day_facts (athlete_id) where passed_hash is distinct from hash;
