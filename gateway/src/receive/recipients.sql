-- The office's key that a submission is sealed to: a key is destroyed only when nothing needs it.
ALTER TABLE submissions ADD COLUMN recipient_key_id TEXT;
