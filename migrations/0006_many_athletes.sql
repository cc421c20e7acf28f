-- When an athlete last synced, without reading all of their receipts.
create index ingest_batches_newest on ingest_batches (athlete_id, received_at desc);
