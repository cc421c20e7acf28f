-- Who was erased, for the sweep that follows an erasure.
create index athletes_erased on athletes (erased_before) where erased_before is not null;

-- Tokens that are refused before they expire, by their `jti`. A row may go once its token has expired.
create table revoked_tokens (
  jti text primary key check (jti ~ '^[A-Za-z0-9._-]{1,128}$'),
  expires_at timestamptz not null,
  revoked_at timestamptz not null default now()
);
create index revoked_tokens_expiry on revoked_tokens (expires_at);
