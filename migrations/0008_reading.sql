-- What saves a reader the object: null means that nobody noted it, so read.
alter table health_streams
  -- The zone of the row that starts last.
  add column newest_tz text,
  -- Metrics of which a row stands for several readings: an aggregate, or one with a smallest and largest of its own.
  add column summaries text[];
