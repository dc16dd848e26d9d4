-- Everything the receiving side knows. Nothing here is about a person: ids, digests, times.
CREATE TABLE IF NOT EXISTS uploads (
  submission_id TEXT PRIMARY KEY,
  device_id     TEXT NOT NULL,
  digest        TEXT NOT NULL,
  length        INTEGER NOT NULL,
  received      INTEGER NOT NULL DEFAULT 0,  -- only bytes that are synced to the disk
  state         TEXT NOT NULL DEFAULT 'receiving'
                CHECK (state IN ('receiving', 'complete', 'refused', 'terminated')),
  refusal_code    TEXT,
  refusal_message TEXT,
  created_at    TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS uploads_open ON uploads (device_id) WHERE state = 'receiving';

-- How often an upload that came out damaged has been asked for again from its beginning.
CREATE TABLE IF NOT EXISTS upload_restarts (
  submission_id TEXT PRIMARY KEY,
  count         INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS submissions (
  submission_id TEXT PRIMARY KEY,
  device_id     TEXT NOT NULL,
  digest        TEXT NOT NULL,
  bytes         INTEGER NOT NULL,
  device_seq    INTEGER NOT NULL,
  stored_at     TEXT NOT NULL,
  receipt       TEXT NOT NULL,               -- the signed receipt, byte for byte as it is answered
  state         TEXT NOT NULL DEFAULT 'stored' CHECK (state IN ('stored', 'opened', 'quarantined')),
  case_id       TEXT,
  problem       TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS outbox (
  id            INTEGER PRIMARY KEY,
  submission_id TEXT NOT NULL UNIQUE REFERENCES submissions (submission_id),
  state         TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'quarantined')),
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_at       INTEGER NOT NULL DEFAULT 0,  -- milliseconds since 1970
  lease_until   INTEGER NOT NULL DEFAULT 0,
  problem       TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_pending ON outbox (next_at) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS audit (
  id            INTEGER PRIMARY KEY,
  at            TEXT NOT NULL,
  kind          TEXT NOT NULL,
  device_id     TEXT,
  submission_id TEXT,
  detail        TEXT NOT NULL
) STRICT;
