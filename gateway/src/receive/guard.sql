-- When an upload last came a byte further; milliseconds since 1970, 0 for those begun before this.
ALTER TABLE uploads ADD COLUMN progress_at INTEGER NOT NULL DEFAULT 0;

-- Terminals whose certificate has been seen here, or that an operator has vouched for.
CREATE TABLE known_devices (
  device_id TEXT PRIMARY KEY,
  since     TEXT NOT NULL
) STRICT;
INSERT INTO known_devices (device_id, since)
  SELECT device_id, min(created_at) FROM uploads GROUP BY device_id;

-- Terminals that are let in no more, whatever their certificate says.
CREATE TABLE denied_devices (
  device_id TEXT PRIMARY KEY,
  since     TEXT NOT NULL,
  why       TEXT NOT NULL
) STRICT;

-- What a terminal has used of its daily measure; days are counted from 1970, UTC.
CREATE TABLE device_days (
  device_id TEXT NOT NULL,
  day       INTEGER NOT NULL,
  bytes     INTEGER NOT NULL DEFAULT 0,
  begun     INTEGER NOT NULL DEFAULT 0,
  misses    INTEGER NOT NULL DEFAULT 0,      -- questions about people it could not know of
  PRIMARY KEY (device_id, day)
) STRICT;
