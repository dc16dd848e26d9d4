-- Papers that no case needs any more, or not yet: noted before they are written, forgotten in the
-- transaction that makes them part of a case, so that neither a crash nor a replaced paper leaves
-- anything about a person behind that nobody knows of.
CREATE TABLE unwanted_papers (
  name     TEXT PRIMARY KEY,                  -- below the folder of all cases
  noted_at INTEGER NOT NULL                   -- milliseconds since 1970; 0: replaced
) STRICT;
