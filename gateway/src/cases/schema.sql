-- The case store: the only place outside sealed files that holds anything about a person.
CREATE TABLE IF NOT EXISTS cases (
  number        INTEGER PRIMARY KEY,          -- order of arrival, for sorting only
  case_id       TEXT NOT NULL UNIQUE,
  submission_id TEXT NOT NULL UNIQUE,
  identity_hash TEXT NOT NULL,
  state         TEXT NOT NULL,                -- catalog::case::Case as JSON
  identity      TEXT NOT NULL,                -- who applies, from the card, as JSON
  record        TEXT NOT NULL                 -- the manifest as submitted: consents, declaration
) STRICT;
CREATE INDEX IF NOT EXISTS cases_of ON cases (identity_hash);

-- Which case a submission will become; written before its files, so that a crash in between
-- leaves no folder that nobody knows.
CREATE TABLE IF NOT EXISTS intake (
  submission_id TEXT PRIMARY KEY,
  case_id       TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS corrections (
  submission_id TEXT PRIMARY KEY,
  case_id       TEXT NOT NULL REFERENCES cases (case_id),
  applied_at    TEXT NOT NULL,
  record        TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS case_fields (
  case_id TEXT NOT NULL REFERENCES cases (case_id),
  field   TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (case_id, field)
) STRICT;

CREATE TABLE IF NOT EXISTS case_materials (
  case_id    TEXT NOT NULL REFERENCES cases (case_id),
  kind       TEXT NOT NULL,
  page       INTEGER NOT NULL,
  file       TEXT NOT NULL,                   -- below the case's folder
  media_type TEXT NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  PRIMARY KEY (case_id, kind, page)
) STRICT;

-- What each service's department may see, fixed when the case is made.
CREATE TABLE IF NOT EXISTS case_shares (
  case_id    TEXT NOT NULL REFERENCES cases (case_id),
  service    TEXT NOT NULL,
  department TEXT NOT NULL,
  fields     TEXT NOT NULL,                   -- JSON list of keys
  materials  TEXT NOT NULL,                   -- JSON list of keys
  PRIMARY KEY (case_id, service)
) STRICT;

-- What has been given to departments.
CREATE TABLE IF NOT EXISTS inbox (
  case_id       TEXT NOT NULL REFERENCES cases (case_id),
  service       TEXT NOT NULL,
  department    TEXT NOT NULL,
  dispatched_at TEXT NOT NULL,
  PRIMARY KEY (case_id, service)
) STRICT;
CREATE INDEX IF NOT EXISTS inbox_of ON inbox (department);
