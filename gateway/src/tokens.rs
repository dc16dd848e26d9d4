//! Why: staff and departments are recognised by a bearer token each. The gateway keeps only
//! hashes, so that a stolen data folder opens no inbox.
//!
//! Refuses: to say which tokens exist. Every comparison looks at every hash, and at all of it.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provisioning::files::{FileError, read};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Clear tokens, for handing out once.
pub const CLEAR_FILE: &str = "tokens.json";
/// Hashes, for serving.
pub const HASHED_FILE: &str = "tokens.hashed.json";

/// Who a token belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// The comprehensive window's staff.
    Staff,
    /// A department, by its key.
    Department(String),
}

/// The clear tokens as they stand in [`CLEAR_FILE`]; wiped when dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearTokens {
    /// Staff's token.
    pub staff: String,
    /// By department key.
    pub departments: BTreeMap<String, String>,
}

impl Drop for ClearTokens {
    fn drop(&mut self) {
        self.staff.zeroize();
        self.departments.values_mut().for_each(Zeroize::zeroize);
    }
}

/// The hashes, as they stand in [`HASHED_FILE`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    staff: String,
    departments: BTreeMap<String, String>,
}

/// Tokens cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// File trouble.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not the file that `gateway keygen` writes.
    #[error("{0} is not the token file of this version; run `gateway keygen` for a new folder")]
    Format(std::path::PathBuf),
    /// No randomness.
    #[error("the operating system gives no random numbers; try again after a reboot")]
    Random,
}

impl ClearTokens {
    /// New random tokens for staff and these departments.
    pub fn generate<'a>(
        departments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TokenError> {
        let staff = token()?;
        let departments = departments
            .into_iter()
            .map(|key| Ok((key.to_owned(), token()?)))
            .collect::<Result<_, TokenError>>()?;
        Ok(Self { staff, departments })
    }

    /// Reads [`CLEAR_FILE`].
    pub fn load(dir: &Path) -> Result<Self, TokenError> {
        let path = dir.join(CLEAR_FILE);
        let text = Zeroizing::new(read(&path)?);
        serde_json::from_slice(&text).map_err(|_| TokenError::Format(path))
    }

    /// What the gateway keeps.
    pub fn hashed(&self) -> Tokens {
        Tokens {
            staff: hash(&self.staff),
            departments: self.departments.iter().map(|(key, t)| (key.clone(), hash(t))).collect(),
        }
    }
}

impl Tokens {
    /// Reads [`HASHED_FILE`].
    pub fn load(dir: &Path) -> Result<Self, TokenError> {
        let path = dir.join(HASHED_FILE);
        serde_json::from_slice(&read(&path)?).map_err(|_| TokenError::Format(path))
    }

    /// Whose token this is.
    pub fn holder(&self, token: &str) -> Option<Holder> {
        let hash = hash(token);
        let mut found = None;
        if same(&hash, &self.staff) {
            found = Some(Holder::Staff);
        }
        for (key, stored) in &self.departments {
            if same(&hash, stored) {
                found = Some(Holder::Department(key.clone()));
            }
        }
        found
    }

    /// Whether a department can log in at all.
    pub fn knows(&self, department: &str) -> bool {
        self.departments.contains_key(department)
    }
}

fn token() -> Result<String, TokenError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| TokenError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes))
}

fn hash(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()))
}

fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_door_only() {
        let clear = ClearTokens::generate(["public_security", "organization"]).unwrap();
        let tokens = clear.hashed();
        assert_eq!(tokens.holder(&clear.staff), Some(Holder::Staff));
        assert_eq!(
            tokens.holder(&clear.departments["organization"]),
            Some(Holder::Department("organization".into()))
        );
        for wrong in ["", "x", &tokens.staff, &clear.staff[1..]] {
            assert_eq!(tokens.holder(wrong), None);
        }
    }

    #[test]
    fn what_is_kept_does_not_hold_the_tokens() {
        let clear = ClearTokens::generate(["a"]).unwrap();
        let kept = serde_json::to_string(&clear.hashed()).unwrap();
        assert!(!kept.contains(&clear.staff) && !kept.contains(&clear.departments["a"]));
    }
}
