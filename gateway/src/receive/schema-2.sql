-- The parts of an upload, where bytes lie in an object store. They count as far as uploads.received
-- says, and are written in the transaction that raises it.
CREATE TABLE upload_segments (
  submission_id TEXT NOT NULL,
  at            INTEGER NOT NULL,             -- place of its first byte
  bytes         INTEGER NOT NULL,
  object        TEXT NOT NULL UNIQUE,
  PRIMARY KEY (submission_id, at)
) STRICT;

-- Objects that no row needs any more and that may still be there.
CREATE TABLE unwanted_objects (
  object TEXT PRIMARY KEY
) STRICT;

-- Housekeeping that processes take turns with.
CREATE TABLE chores (
  name        TEXT PRIMARY KEY,
  done_until  TEXT NOT NULL,
  lease_until INTEGER NOT NULL                -- milliseconds since 1970
) STRICT;

-- Terminals number what they seal. A number that never arrives is a submission that somebody
-- withholds; a number that arrives twice is one identity in two terminals.
CREATE TABLE device_sequences (
  device_id TEXT PRIMARY KEY,
  highest   INTEGER NOT NULL
) STRICT;
CREATE TABLE sequence_gaps (
  device_id TEXT NOT NULL,
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,                 -- milliseconds since 1970
  told      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device_id, first)
) STRICT;
CREATE INDEX sequence_gaps_untold ON sequence_gaps (opened_at) WHERE told = 0;
CREATE INDEX submissions_sequence ON submissions (device_id, device_seq);

-- What came before these tables is not looked at for gaps.
INSERT INTO device_sequences (device_id, highest)
  SELECT device_id, max(device_seq) FROM submissions GROUP BY device_id;
