//! Why: tokens are added and revoked one by one, while the gateway runs. A clear token is shown once,
//! to whoever made it, and is nowhere afterwards.
//!
//! Refuses: a role without what it needs, and two writers at once.

use std::fs::File;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use provisioning::files::FileError;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{HASHED_FILE, Named, Role, STAFF, TokenError, Tokens, hash, token};

/// A token to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// What it is for.
    pub role: Role,
    /// Whose inbox it opens, for [`Role::Department`].
    pub department: Option<&'a str>,
    /// In whose hands it will be: a desk or a system.
    pub name: &'a str,
    /// After how many days it ends; never, if absent.
    pub days: Option<u32>,
}

/// What was made. Holds the clear token: show it once.
#[derive(Serialize)]
pub struct AddedToken {
    /// Names it from now on, in lists and in the access log.
    pub id: String,
    /// The clear token.
    #[serde(serialize_with = "clear_text")]
    pub token: Zeroizing<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

fn clear_text<S: serde::Serializer>(
    token: &Zeroizing<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token)
}

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenLine {
    /// Names it.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// Whose inbox it opens.
    pub department: Option<String>,
    /// In whose hands it is.
    pub name: String,
    /// When it was made; not known of those that `gateway keygen` made.
    pub created_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it has ended.
    pub expired: bool,
}

/// Makes a token in the data folder `dir`; `departments` are the catalogue's keys.
pub fn add(dir: &Path, new: &NewToken<'_>, departments: &[&str]) -> Result<AddedToken, TokenError> {
    if new.name.trim().is_empty() || new.name.len() > 100 {
        return Err(TokenError::Names(
            "a token needs a name of up to 100 bytes, such as --name desk-3",
        ));
    }
    match (new.role, new.department) {
        (Role::Department, None) => {
            return Err(TokenError::Names("a department's token needs --department KEY"));
        }
        (Role::Department, Some(key)) if !departments.contains(&key) => {
            return Err(TokenError::UnknownDepartment(key.to_owned()));
        }
        (Role::Staff | Role::Operator, Some(_)) => {
            return Err(TokenError::Names("only a department's token has --department"));
        }
        _ => {}
    }
    let _turn = turn(dir)?;
    let mut tokens = Tokens::load(dir)?;
    let clear = Zeroizing::new(token()?);
    let now = Timestamp::now();
    let expires_at = match new.days {
        None => None,
        Some(days) => Some(
            now.checked_add(SignedDuration::from_hours(i64::from(days) * 24))
                .map_err(|_| TokenError::Names("so many days do not fit a calendar"))?,
        ),
    };
    let id = format!("t-{}", hash(&clear).get(..10).unwrap_or_default());
    tokens.named.push(Named {
        id: id.clone(),
        name: new.name.trim().to_owned(),
        role: new.role,
        department: new.department.map(str::to_owned),
        hash: hash(&clear),
        created_at: now,
        expires_at,
    });
    save(dir, &tokens)?;
    Ok(AddedToken { id, token: clear, expires_at })
}

/// All tokens, without what opens a door.
pub fn list(dir: &Path) -> Result<Vec<TokenLine>, TokenError> {
    let tokens = Tokens::load(dir)?;
    let now = Timestamp::now();
    let first = |id: &str, role, department| TokenLine {
        id: id.to_owned(),
        role,
        department,
        name: "keygen".into(),
        created_at: None,
        expires_at: None,
        expired: false,
    };
    let mut lines = Vec::new();
    if tokens.staff.is_some() {
        lines.push(first(STAFF, Role::Staff, None));
    }
    let departments = tokens.departments.keys();
    lines.extend(departments.map(|key| first(key, Role::Department, Some(key.clone()))));
    lines.extend(tokens.named.into_iter().map(|named| TokenLine {
        expired: !named.is_valid(now),
        id: named.id,
        role: named.role,
        department: named.department,
        name: named.name,
        created_at: Some(named.created_at),
        expires_at: named.expires_at,
    }));
    Ok(lines)
}

/// Ends a token; those of `gateway keygen` too, by `staff` or the department's key.
pub fn revoke(dir: &Path, id: &str) -> Result<(), TokenError> {
    let _turn = turn(dir)?;
    let mut tokens = Tokens::load(dir)?;
    let before = tokens.named.len();
    tokens.named.retain(|named| named.id != id);
    let mut found = tokens.named.len() < before;
    if id == STAFF {
        found |= tokens.staff.take().is_some();
    }
    found |= tokens.departments.remove(id).is_some();
    match found {
        true => save(dir, &tokens),
        false => Err(TokenError::Unknown(id.to_owned())),
    }
}

/// One writer at a time; the lock ends with the file's handle.
fn turn(dir: &Path) -> Result<File, TokenError> {
    let path = dir.join("tokens.lock");
    let io = |source| FileError::Io { doing: "lock", path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(io)?;
    file.lock().map_err(io)?;
    Ok(file)
}

/// Whole or as before: a gateway that looks in between must not find half a file.
fn save(dir: &Path, tokens: &Tokens) -> Result<(), TokenError> {
    let path = dir.join(HASHED_FILE);
    let part = dir.join(format!("{HASHED_FILE}.part"));
    let text = serde_json::to_vec_pretty(tokens).map_err(|_| TokenError::Format(path.clone()))?;
    let io = |source| FileError::Io { doing: "write", path: path.clone(), source };
    crate::files::write_private(&part, &text).map_err(io)?;
    Ok(crate::files::move_durably(&part, &path).map_err(io)?)
}

#[cfg(test)]
mod tests {
    use super::super::Holder;
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const DEPARTMENTS: [&str; 2] = ["public_security", "organization"];

    fn new(role: Role, department: Option<&'static str>) -> NewToken<'static> {
        NewToken { role, department, name: "desk 3", days: Some(90) }
    }

    #[test]
    fn several_tokens_of_one_holder_live_and_end_apart() {
        let dir = tempfile::tempdir().unwrap();
        crate::keygen(dir.path()).unwrap();
        let police = new(Role::Department, Some("public_security"));
        let one = add(dir.path(), &police, &DEPARTMENTS).unwrap();
        let two = add(dir.path(), &police, &DEPARTMENTS).unwrap();
        let operator = add(dir.path(), &new(Role::Operator, None), &DEPARTMENTS).unwrap();
        assert_ne!(one.id, two.id);
        let tokens = Tokens::load(dir.path()).unwrap();
        let now = Timestamp::now();
        let bearer = |token: &str, at| tokens.bearer(token, at);
        let holder = Holder::Department("public_security".into());
        assert_eq!(bearer(&one.token, now).unwrap().holder, holder);
        assert_eq!(bearer(&two.token, now).unwrap().id, two.id);
        assert_eq!(bearer(&operator.token, now).unwrap().holder, Holder::Operator);
        let end = one.expires_at.unwrap();
        assert!(bearer(&one.token, end - SignedDuration::from_secs(1)).is_some());
        assert_eq!(bearer(&one.token, end), None);

        revoke(dir.path(), &one.id).unwrap();
        let tokens = Tokens::load(dir.path()).unwrap();
        assert!(tokens.bearer(&one.token, now).is_none());
        assert!(tokens.bearer(&two.token, now).is_some());
        assert!(matches!(revoke(dir.path(), &one.id), Err(TokenError::Unknown(_))));
        revoke(dir.path(), "organization").unwrap();
        revoke(dir.path(), "staff").unwrap();
        let left = list(dir.path()).unwrap();
        assert_eq!(left.len(), 6 + 2);
        assert!(left.iter().all(|line| !line.expired));
        let text = std::fs::read_to_string(dir.path().join(HASHED_FILE)).unwrap();
        assert!(!text.contains(two.token.as_str()));
        let mode = std::fs::metadata(dir.path().join(HASHED_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_role_without_what_it_needs_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        crate::keygen(dir.path()).unwrap();
        for wrong in [
            new(Role::Department, None),
            new(Role::Department, Some("police")),
            new(Role::Staff, Some("organization")),
            new(Role::Operator, Some("organization")),
            NewToken { name: " ", ..new(Role::Staff, None) },
        ] {
            assert!(add(dir.path(), &wrong, &DEPARTMENTS).is_err(), "{wrong:?}");
        }
        assert_eq!(list(dir.path()).unwrap().len(), 8);
    }
}
