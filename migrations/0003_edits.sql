-- A person's hand: which revision an edit made, and the history of one value in order.
alter table metric_edits add column revision bigint;
create index metric_edits_value on metric_edits (athlete_id, date, metric, id);

-- Who changed an athlete's settings, when, and what that recomputed: {"days", "from", "to"}.
create table settings_edits (
  id bigint generated always as identity primary key, athlete_id text not null, actor text not null,
  before jsonb not null, after jsonb not null, recomputing jsonb not null, edited_at timestamptz not null
);
create index settings_edits_athlete on settings_edits (athlete_id, id);
