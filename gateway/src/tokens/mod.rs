//! Why: whoever works with the gateway is recognised by a bearer token: staff, departments, and
//! operators, each as many as there are desks, so that one can be revoked without the others and a
//! read can be laid to somebody. The gateway keeps only hashes, so that a stolen data folder opens
//! no inbox.
//!
//! Refuses: to say which tokens exist. Every comparison looks at every hash, and at all of it.
//!
//! * `live`: the tokens of a running gateway, which follows the file. `admin`: adding and revoking.

mod admin;
mod live;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use provisioning::files::{FileError, read};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

pub use admin::{AddedToken, NewToken, TokenLine, add, list, revoke};
pub use live::LiveTokens;

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
    /// Whoever runs the gateway: figures, alarms and devices, nothing about a person.
    Operator,
}

impl Holder {
    /// The role, in a word.
    pub fn role(&self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Department(_) => "department",
            Self::Operator => "operator",
        }
    }
}

/// A recognised token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bearer {
    /// Whose it is.
    pub holder: Holder,
    /// The token's id, which says whose hands it is in.
    pub id: String,
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

/// The hashes, as they stand in [`HASHED_FILE`]. The first two are those of `gateway keygen`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    #[serde(default)]
    departments: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    named: Vec<Named>,
}

/// A token that was added later.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    name: String,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    hash: String,
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The comprehensive window.
    Staff,
    /// One department's desk or system.
    Department,
    /// Whoever runs the gateway.
    Operator,
}

impl Named {
    fn holder(&self) -> Option<Holder> {
        match (self.role, &self.department) {
            (Role::Staff, None) => Some(Holder::Staff),
            (Role::Operator, None) => Some(Holder::Operator),
            (Role::Department, Some(key)) => Some(Holder::Department(key.clone())),
            // Written by hand, and meaning nothing.
            _ => None,
        }
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
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
    /// The names of a token make no sense together.
    #[error("{0}")]
    Names(&'static str),
    /// The department is not in the catalogue.
    #[error("there is no department `{0}`; write one of the catalogue's keys")]
    UnknownDepartment(String),
    /// No token has this id.
    #[error("there is no token `{0}`; `gateway token list` shows them")]
    Unknown(String),
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
            staff: Some(hash(&self.staff)),
            departments: self.departments.iter().map(|(key, t)| (key.clone(), hash(t))).collect(),
            named: Vec::new(),
        }
    }
}

impl Tokens {
    /// Reads [`HASHED_FILE`].
    pub fn load(dir: &Path) -> Result<Self, TokenError> {
        let path = dir.join(HASHED_FILE);
        serde_json::from_slice(&read(&path)?).map_err(|_| TokenError::Format(path))
    }

    /// Whose token this is, if it is one and valid at `now`.
    pub fn bearer(&self, token: &str, now: Timestamp) -> Option<Bearer> {
        let hash = hash(token);
        let mut found = None;
        if self.staff.as_ref().is_some_and(|stored| same(&hash, stored)) {
            found = Some(Bearer { holder: Holder::Staff, id: STAFF.to_owned() });
        }
        for (key, stored) in &self.departments {
            if same(&hash, stored) {
                let holder = Holder::Department(key.clone());
                found = Some(Bearer { holder, id: key.clone() });
            }
        }
        for named in &self.named {
            if same(&hash, &named.hash) && named.is_valid(now) {
                found = named.holder().map(|holder| Bearer { holder, id: named.id.clone() });
            }
        }
        found
    }

    /// Whether a department can log in at all.
    pub fn knows(&self, department: &str) -> bool {
        let now = Timestamp::now();
        self.departments.contains_key(department)
            || self
                .named
                .iter()
                .any(|named| named.is_valid(now) && named.department.as_deref() == Some(department))
    }
}

/// What the first token of staff is called.
const STAFF: &str = "staff";

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

    fn holder(tokens: &Tokens, token: &str) -> Option<Holder> {
        tokens.bearer(token, Timestamp::now()).map(|bearer| bearer.holder)
    }

    #[test]
    fn a_token_opens_its_own_door_only() {
        let clear = ClearTokens::generate(["public_security", "organization"]).unwrap();
        let tokens = clear.hashed();
        assert_eq!(holder(&tokens, &clear.staff), Some(Holder::Staff));
        assert_eq!(
            holder(&tokens, &clear.departments["organization"]),
            Some(Holder::Department("organization".into()))
        );
        let stored = tokens.staff.clone().unwrap();
        for wrong in ["", "x", &stored, &clear.staff[1..]] {
            assert_eq!(holder(&tokens, wrong), None);
        }
    }

    #[test]
    fn what_is_kept_does_not_hold_the_tokens() {
        let clear = ClearTokens::generate(["a"]).unwrap();
        let kept = serde_json::to_string(&clear.hashed()).unwrap();
        assert!(!kept.contains(&clear.staff) && !kept.contains(&clear.departments["a"]));
    }

    #[test]
    fn the_file_of_an_older_gateway_is_understood() {
        let clear = ClearTokens::generate(["organization"]).unwrap();
        let old = serde_json::json!({
            "staff": hash(&clear.staff),
            "departments": { "organization": hash(&clear.departments["organization"]) },
        });
        let tokens: Tokens = serde_json::from_value(old.clone()).unwrap();
        assert_eq!(holder(&tokens, &clear.staff), Some(Holder::Staff));
        assert_eq!(serde_json::to_value(&tokens).unwrap(), old);
    }
}
