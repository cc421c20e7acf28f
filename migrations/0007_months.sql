-- Days of months that are over and not yet one object: none, mostly.
create index health_streams_days on health_streams (period_start) where level = 'day';
