//! Why: a desk that is given up, or a token that was seen by somebody, must be out at once, and not
//! at the next restart. A running gateway looks whether the file has changed whenever it is asked.
//!
//! Refuses: to forget everybody because of a damaged file: it goes on with what it knew, and says so.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Bearer, HASHED_FILE, TokenError, Tokens};

/// So old may what is known be.
const FRESH: Duration = Duration::from_millis(500);

/// What tells one writing of the file from the next.
type Stamp = (u64, i64, i64, u64);

/// The tokens of a running gateway.
pub struct LiveTokens {
    dir: PathBuf,
    known: RwLock<Known>,
}

struct Known {
    tokens: Tokens,
    stamp: Option<Stamp>,
    looked: Instant,
}

impl LiveTokens {
    /// Reads the file in `dir`, and follows it from now on.
    pub fn open(dir: &Path) -> Result<Self, TokenError> {
        // The stamp first: a change between the two is then seen at the next look.
        let stamp = stamp(dir);
        let known = Known { tokens: Tokens::load(dir)?, stamp, looked: Instant::now() };
        Ok(Self { dir: dir.to_owned(), known: RwLock::new(known) })
    }

    /// Whose token this is.
    pub fn bearer(&self, token: &str) -> Option<Bearer> {
        self.follow();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.tokens.bearer(token, Timestamp::now())
    }

    /// Whether a department can log in at all.
    pub fn knows(&self, department: &str) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).tokens.knows(department)
    }

    fn follow(&self) {
        let fresh = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.looked.elapsed() < FRESH
        };
        if fresh {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.looked = Instant::now();
        let stamp = stamp(&self.dir);
        if stamp == known.stamp {
            return;
        }
        match Tokens::load(&self.dir) {
            Ok(tokens) => {
                known.tokens = tokens;
                tracing::info!("the tokens have changed");
            }
            Err(error) => tracing::error!(%error, "the tokens cannot be read; the old ones stay"),
        }
        known.stamp = stamp;
    }
}

fn stamp(dir: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(dir.join(HASHED_FILE)).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.size()))
}

#[cfg(test)]
mod tests {
    use super::super::{ClearTokens, Holder, NewToken, Role, add, revoke};
    use super::*;

    fn after_a_while(live: &LiveTokens, token: &str) -> Option<Bearer> {
        std::thread::sleep(FRESH + Duration::from_millis(50));
        live.bearer(token)
    }

    #[test]
    fn what_is_added_or_revoked_counts_without_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        crate::keygen(dir.path()).unwrap();
        let live = LiveTokens::open(dir.path()).unwrap();
        let clear = ClearTokens::load(dir.path()).unwrap();
        let new = NewToken { role: Role::Staff, department: None, name: "desk 1", days: None };
        let added = add(dir.path(), &new, &[]).unwrap();
        let bearer = after_a_while(&live, &added.token).unwrap();
        assert_eq!((bearer.holder, bearer.id), (Holder::Staff, added.id.clone()));
        revoke(dir.path(), &added.id).unwrap();
        assert_eq!(after_a_while(&live, &added.token), None);
        assert!(live.bearer(&clear.staff).is_some());

        // A damaged file locks nobody out, and lets nobody in.
        std::fs::write(dir.path().join(HASHED_FILE), "{").unwrap();
        assert!(after_a_while(&live, &clear.staff).is_some());
        assert_eq!(live.bearer(&added.token), None);
    }
}
