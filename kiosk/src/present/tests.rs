//! Why: what the panel shows must never be empty, and never say more than the core knows.
