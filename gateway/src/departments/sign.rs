//! Why: gateway and departments' systems prove to each other who speaks, over whatever lies in
//! between. The manner is that of the public convention Standard Webhooks, for which libraries
//! exist in most languages: an id, a time, and HMAC-SHA256 over `id.time.body`.
//!
//! Refuses: secrets that others on the machine can read or that could be guessed, a time that is
//! too far from ours, and everything without a signature by one of the secrets.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// Names the message, the same for each try.
pub const ID: &str = "webhook-id";
/// Seconds since 1970 at this try.
pub const TIME: &str = "webhook-timestamp";
/// `v1,` and the signature in base64; several with spaces between them while secrets change.
pub const SIGNATURE: &str = "webhook-signature";

/// How far two clocks may be apart, and how long a recorded message can be sent again.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// A message's id is kept; it has to have an end.
const LONGEST_ID: usize = 200;
const PREFIX: &str = "whsec_";
const FEWEST_BYTES: usize = 24;

/// The secrets shared with one system; more than one while they are being changed.
pub struct Secrets(Vec<hmac::Key>);

/// A secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// None is named.
    #[error("no secret is named; make one with `gateway departments secret FILE`")]
    None,
    /// The file cannot be read.
    #[error("the secret {path} cannot be read: {source}; check its name and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the secret {0} can be read by others; run chmod 600 on it")]
    Open(PathBuf),
    /// Not a secret, or too short a one.
    #[error(
        "{0} is not `whsec_` and at least 24 bytes in base64; make one with `gateway departments \
         secret FILE` and give it to the department's technicians"
    )]
    Format(PathBuf),
    /// The file could not be made.
    #[error(transparent)]
    Write(provisioning::files::FileError),
    /// No randomness.
    #[error("the operating system gives no random numbers; try again after a reboot")]
    Random,
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is absent or not of its form.
    #[error("the header {0} is absent or not of its form")]
    Header(&'static str),
    /// No signature by a known secret.
    #[error("no signature is by a known secret")]
    Unknown,
    /// Sent too long ago, or in the future.
    #[error("the message was signed more than five minutes ago, or in the future")]
    Time,
}

/// Whether a message was refused for its time alone: then its sender is who it says.
pub fn is_time(error: SignatureError) -> bool {
    error == SignatureError::Time
}

/// The three headers of a message.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// [`ID`].
    pub id: &'a str,
    /// [`TIME`].
    pub time: &'a str,
    /// [`SIGNATURE`].
    pub signature: &'a str,
}

impl Secrets {
    /// Reads the secrets; the first is the one to use, the others are still believed.
    pub fn load(paths: &[PathBuf]) -> Result<Self, SecretError> {
        if paths.is_empty() {
            return Err(SecretError::None);
        }
        paths.iter().map(|path| key(path)).collect::<Result<_, _>>().map(Self)
    }

    /// The value of [`SIGNATURE`]: one signature by each secret, so that the other side may change
    /// to a new one when it likes.
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let time = now.as_second().to_string();
        let one = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            [id.as_bytes(), b".", time.as_bytes(), b".", body]
                .iter()
                .for_each(|part| context.update(part));
            format!("v1,{}", STANDARD.encode(context.sign()))
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Whether the message is by somebody who knows one of the secrets, and of now.
    pub fn verify(
        &self,
        signed: &Signed<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        let Signed { id, time, signature } = *signed;
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(plain) {
            return Err(SignatureError::Header(ID));
        }
        let at = time.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let at = at.ok_or(SignatureError::Header(TIME))?;
        let message = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
        let good = signature
            .split(' ')
            .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
            .any(|tag| self.0.iter().any(|key| hmac::verify(key, &message, &tag).is_ok()));
        if !good {
            return Err(SignatureError::Unknown);
        }
        match at.duration_since(now).abs() <= WINDOW {
            true => Ok(()),
            false => Err(SignatureError::Time),
        }
    }
}

/// A new secret, as it is written into a file and handed over.
pub(super) fn new_secret() -> Result<Zeroizing<String>, SecretError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| SecretError::Random)?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(PREFIX);
    STANDARD.encode_string(bytes.as_slice(), &mut text);
    text.push('\n');
    Ok(text)
}

/// Makes a new secret in a file that only its owner can read.
pub fn write_secret(path: &Path) -> Result<(), SecretError> {
    let secret = new_secret()?;
    provisioning::files::create(path, secret.as_bytes(), provisioning::files::Access::Owner)
        .map_err(SecretError::Write)
}

fn key(path: &Path) -> Result<hmac::Key, SecretError> {
    let read = |source| SecretError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(read)?.mode() & 0o077 != 0 {
        return Err(SecretError::Open(path.to_owned()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(read)?);
    let encoded = text.trim().strip_prefix(PREFIX);
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).map(Zeroizing::new);
    match bytes.filter(|bytes| bytes.len() >= FEWEST_BYTES) {
        Some(bytes) => Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
        None => Err(SecretError::Format(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn secret(dir: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
        let path = dir.path().join(name);
        let text = new_secret().unwrap();
        crate::files::write_private(&path, text.as_bytes()).unwrap();
        (path, text.trim().to_owned())
    }

    #[test]
    fn another_hand_believes_our_signatures_and_we_believe_its() {
        let dir = tempfile::tempdir().unwrap();
        let (path, text) = secret(&dir, "one");
        let ours = Secrets::load(&[path]).unwrap();
        let judge = standardwebhooks::Webhook::new(&text).unwrap();
        let (id, now, body) =
            ("case_service_1", Timestamp::now(), "{\"姓名\":\"样本\"}".as_bytes());
        let mut headers = axum::http::HeaderMap::new();
        headers.insert(ID, id.parse().unwrap());
        headers.insert(TIME, now.as_second().to_string().parse().unwrap());
        headers.insert(SIGNATURE, ours.sign(id, now, body).parse().unwrap());
        judge.verify(body, &headers).unwrap();
        assert!(judge.verify(b"{}", &headers).is_err());

        let time = now.as_second().to_string();
        let signature = judge.sign(id, now.as_second(), body).unwrap();
        let signed = Signed { id, time: &time, signature: &signature };
        assert_eq!(ours.verify(&signed, body, now), Ok(()));
    }

    #[test]
    fn what_is_altered_old_or_by_somebody_else_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let ours = Secrets::load(&[secret(&dir, "one").0]).unwrap();
        let theirs = Secrets::load(&[secret(&dir, "two").0]).unwrap();
        let now = Timestamp::now();
        let time = now.as_second().to_string();
        let good = ours.sign("id", now, b"body");
        let check = |id: &str, time: &str, signature: &str, body: &[u8], at: Timestamp| {
            ours.verify(&Signed { id, time, signature }, body, at)
        };
        assert_eq!(check("id", &time, &good, b"body", now), Ok(()));
        let wrong = theirs.sign("id", now, b"body");
        for (id, time, signature, body) in [
            ("id", time.as_str(), wrong.as_str(), &b"body"[..]),
            ("id", &time, &good, b"bodY"),
            ("other", &time, &good, b"body"),
            ("id", "1", &good, b"body"),
            ("id", &time, "", b"body"),
            ("id", &time, "v1,", b"body"),
            ("id", &time, &good[3..], b"body"),
        ] {
            assert_eq!(check(id, time, signature, body, now), Err(SignatureError::Unknown));
        }
        for (id, time, header) in
            [("", time.as_str(), ID), ("a.b", &time, ID), ("id", "", TIME), ("id", "now", TIME)]
        {
            let refused = check(id, time, &good, b"body", now);
            assert_eq!(refused, Err(SignatureError::Header(header)));
        }
        for minutes in [-6, 6] {
            let at = now + SignedDuration::from_mins(minutes);
            assert_eq!(check("id", &time, &good, b"body", at), Err(SignatureError::Time));
        }
    }

    #[test]
    fn while_secrets_change_either_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (secret(&dir, "old").0, secret(&dir, "new").0);
        let both = Secrets::load(&[new.clone(), old.clone()]).unwrap();
        let now = Timestamp::now();
        let time = now.as_second().to_string();
        for one in [old, new] {
            let other = Secrets::load(&[one]).unwrap();
            let (ours, theirs) = (both.sign("id", now, b"x"), other.sign("id", now, b"x"));
            let signed = Signed { id: "id", time: &time, signature: &theirs };
            assert_eq!(both.verify(&signed, b"x", now), Ok(()));
            let signed = Signed { id: "id", time: &time, signature: &ours };
            assert_eq!(other.verify(&signed, b"x", now), Ok(()));
        }
    }

    #[test]
    fn secrets_are_private_and_long() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _) = secret(&dir, "one");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Secrets::load(std::slice::from_ref(&path)), Err(SecretError::Open(_))));
        assert!(matches!(Secrets::load(&[]), Err(SecretError::None)));
        let absent = dir.path().join("absent");
        assert!(matches!(Secrets::load(&[absent]), Err(SecretError::Read { .. })));
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_***", &"A".repeat(44)] {
            let short = dir.path().join("short");
            crate::files::write_private(&short, text.as_bytes()).unwrap();
            assert!(matches!(Secrets::load(&[short]), Err(SecretError::Format(_))), "{text}");
        }
    }
}
