//! Why: what the gateway (or something between here and there) says decides whether a submission is
//! tried again, waits for staff, or keeps all the others waiting too. The whole sorting is one pure
//! table.
//!
//! Refuses: to give up a submission for anything but the gateway's own word about these very bytes.
//! A status without the gateway's code may come from any proxy on the way.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use rustls::AlertDescription;
use serde::Deserialize;

use super::LinkError;

/// The gateway's code for a submission sealed to a key that it does not hold. It fits once the
/// gateway has its own key back, so it is no fault of the submission.
pub(super) const WRONG_RECIPIENT: &str = "wrong_recipient";
/// Longest code that is kept of an answer.
const LONGEST_CODE: usize = 64;
/// Most bytes that are read of a refusal.
const MOST_OF_A_REFUSAL: usize = 16 << 10;

/// An answer that is no success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The gateway's stable code; none when somebody else answered.
    pub code: Option<String>,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

impl Answer {
    /// Reads status, waiting time and code.
    pub(super) async fn read(mut answer: reqwest::Response) -> Self {
        let status = answer.status().as_u16();
        let retry_after = retry_after(answer.headers(), SystemTime::now());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_OF_A_REFUSAL {
                break;
            }
        }
        let code = serde_json::from_slice::<Problem>(&body).ok().map(|problem| problem.code);
        Self { status, code: code.filter(|code| is_code(code)), retry_after }
    }
}

/// Codes are shown and logged: nothing else may come in through them.
fn is_code(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(fine)
}

/// Seconds, or a date. The date is measured from the server's own clock where it says one: ours may
/// be wrong.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let theirs = headers
        .get(DATE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| httpdate::parse_http_date(value).ok());
    Some(at.duration_since(theirs.unwrap_or(now)).unwrap_or_default())
}

/// Why nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nobody took the connection.
    Connect,
    /// Not in time.
    Timeout,
    /// It broke off.
    Broken,
    /// The gateway does not accept this terminal's certificate: expired, revoked, of another site.
    CertificateRefused,
    /// The gateway's certificate is not one of the pinned authority, or has expired.
    GatewayCertificate,
}

impl Silence {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::CertificateRefused => "certificate_refused",
            Self::GatewayCertificate => "gateway_certificate",
        }
    }

    /// By the kind of error alone: its text may carry addresses.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if let Some(said) = tls(error) {
            return said;
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Broken
        }
    }
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

fn tls(error: &reqwest::Error) -> Option<Silence> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::AlertReceived(alert)) if about_our_certificate(*alert) => {
                return Some(Silence::CertificateRefused);
            }
            Some(rustls::Error::InvalidCertificate(_)) => return Some(Silence::GatewayCertificate),
            _ => {}
        }
        // An I/O error's own source is that of what it wraps.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn about_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// What an answer without success means.
pub fn sort(answer: Answer) -> LinkError {
    let Answer { status, code, retry_after } = answer;
    let busy = LinkError::Busy { status, retry_after };
    match (status, code.as_deref()) {
        // It knows this terminal and no longer wants it.
        (401 | 403, Some("device_denied")) => LinkError::Denied,
        (401 | 403, _) => LinkError::NotEnrolled { status },
        (_, Some(WRONG_RECIPIENT)) => refused(code),
        // The gateway's last word about these bytes.
        (409, Some("digest_conflict" | "device_conflict")) | (413, Some("too_large")) => {
            refused(code)
        }
        (422, Some(_)) => refused(code),
        (300..=399, _) => LinkError::Redirected { status },
        // Everything else passes: an offset that has moved on, an upload that was cleared away, a
        // chunk that was damaged or too large, a version that does not fit yet, trouble of its own.
        _ => busy,
    }
}

fn refused(code: Option<String>) -> LinkError {
    LinkError::Refused { code: code.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    /// Every status and every code that the gateway knows, and what is to come of it.
    #[test]
    fn every_answer_is_sorted() {
        let codes = [
            None,
            Some("tus_version"),
            Some("header"),
            Some("malformed"),
            Some("media_type"),
            Some("not_found"),
            Some("terminated"),
            Some("expired"),
            Some("offset"),
            Some("too_large"),
            Some("checksum"),
            Some("digest_conflict"),
            Some("device_conflict"),
            Some("already_stored"),
            Some("busy"),
            Some("too_many"),
            Some("not_complete"),
            Some("no_certificate"),
            Some("device_denied"),
            Some("not_ready"),
            Some("internal"),
            Some("timeout"),
            Some("wrong_recipient"),
            Some("digest_mismatch"),
            Some("signature_invalid"),
            Some("a_code_of_a_later_version"),
        ];
        for status in 100..=999u16 {
            for code in codes {
                let answer = Answer { status, code: code.map(str::to_owned), retry_after: None };
                let sorted = sort(answer);
                let expected = match (status, code) {
                    (401 | 403, Some("device_denied")) => "link.device_denied".to_owned(),
                    (401 | 403, _) => "link.not_enrolled".to_owned(),
                    (_, Some("wrong_recipient")) => "refused.wrong_recipient".to_owned(),
                    (409, Some(code @ ("digest_conflict" | "device_conflict"))) => {
                        format!("refused.{code}")
                    }
                    (413, Some("too_large")) => "refused.too_large".to_owned(),
                    (422, Some(code)) => format!("refused.{code}"),
                    (300..=399, _) => "link.redirected".to_owned(),
                    _ => format!("link.busy_{status}"),
                };
                assert_eq!(sorted.code(), expected, "{status} {code:?}");
                let permanent = matches!(
                    (status, code),
                    (409, Some("digest_conflict" | "device_conflict")) | (413, Some("too_large"))
                ) || (status == 422
                    && code.is_some_and(|code| code != "wrong_recipient"));
                assert_eq!(sorted.is_permanent(), permanent, "{status} {code:?}");
                // Nobody's submission waits for ever behind another's.
                let all_wait = matches!(status, 401 | 403)
                    || (matches!(status, 300..=399 | 429 | 500..=999)
                        && code != Some("wrong_recipient"));
                assert_eq!(sorted.concerns_the_line(), all_wait, "{status} {code:?}");
            }
        }
    }

    fn headers(retry: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        headers
    }

    #[test]
    fn waiting_times_are_seconds_or_dates() {
        let now = httpdate::parse_http_date("Thu, 26 Nov 2026 10:00:00 GMT").unwrap();
        let wait = |retry: &str, date| retry_after(&headers(retry, date), now).map(|d| d.as_secs());
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 7 ", None), Some(7));
        assert_eq!(wait("Thu, 26 Nov 2026 10:02:00 GMT", None), Some(120));
        assert_eq!(wait("Thursday, 26-Nov-26 10:02:00 GMT", None), Some(120));
        assert_eq!(wait("Thu Nov 26 10:02:00 2026", None), Some(120));
        assert_eq!(wait("Thu, 26 Nov 2026 09:00:00 GMT", None), Some(0));
        // Our clock is years off; the server's own tells.
        let theirs = Some("Mon, 26 Nov 2029 10:00:00 GMT");
        assert_eq!(wait("Mon, 26 Nov 2029 10:00:30 GMT", theirs), Some(30));
        for nonsense in ["", "-1", "soon", "1.5", "99999999999999999999"] {
            assert_eq!(wait(nonsense, None), None, "{nonsense}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn codes_are_words_and_nothing_else() {
        assert!(is_code("digest_mismatch") && is_code("refused.x-1"));
        for text in ["", "a b", "张三", "11010519491231002X\n", &"x".repeat(65)] {
            assert!(!is_code(text), "{text}");
        }
    }

    #[test]
    fn only_certificates_are_about_certificates() {
        assert!(about_our_certificate(AlertDescription::CertificateExpired));
        assert!(!about_our_certificate(AlertDescription::HandshakeFailure));
    }
}
