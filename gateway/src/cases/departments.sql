-- Work for the gateway's own workers: what was given to a department is to reach its system, or its
-- list. Ids, times and stable words; what is sent is cut out of the case when it is sent.
CREATE TABLE IF NOT EXISTS deliveries (
  id            INTEGER PRIMARY KEY,
  case_id       TEXT NOT NULL REFERENCES cases (case_id),
  service       TEXT NOT NULL,
  department    TEXT NOT NULL,
  step          INTEGER NOT NULL,            -- 1, and one more after each answered correction
  changes       TEXT,                        -- what a correction changed, as JSON; NULL: the whole share
  dispatched_at TEXT NOT NULL,
  state         TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'delivered', 'dropped')),
  attempts      INTEGER NOT NULL DEFAULT 0,
  next_at       INTEGER NOT NULL DEFAULT 0,  -- milliseconds since 1970
  lease_until   INTEGER NOT NULL DEFAULT 0,
  problem       TEXT,
  reference     TEXT,                        -- the receiving system's own name for it
  delivered_at  TEXT,
  UNIQUE (case_id, service, step)
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (department, next_at)
  WHERE state = 'pending';

-- What was given before there were deliveries; what was reported on since is dropped when it is due.
INSERT INTO deliveries (case_id, service, department, step, dispatched_at)
  SELECT case_id, service, department, 1, dispatched_at FROM inbox WHERE true
  ON CONFLICT DO NOTHING;

-- Answers of departments' systems that were applied, so that each is applied once.
CREATE TABLE IF NOT EXISTS callbacks (
  department  TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  digest      TEXT NOT NULL,                 -- of the body, to tell a repetition from a forgery
  case_id     TEXT NOT NULL,
  service     TEXT NOT NULL,
  received_at TEXT NOT NULL,
  PRIMARY KEY (department, message_id)
) STRICT;

-- Who read something about a person, and when; never what.
CREATE TABLE IF NOT EXISTS access_log (
  id         INTEGER PRIMARY KEY,
  at         TEXT NOT NULL,
  role       TEXT NOT NULL,
  holder     TEXT NOT NULL,                  -- name of the token, or the program
  department TEXT,
  action     TEXT NOT NULL,
  case_id    TEXT                            -- NULL: a list of all cases
) STRICT;
CREATE INDEX IF NOT EXISTS access_log_of ON access_log (case_id);
