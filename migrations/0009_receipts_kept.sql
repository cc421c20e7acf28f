-- Receipts are removed by age, oldest first.
create index ingest_batches_age on ingest_batches (received_at);
