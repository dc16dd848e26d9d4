//! Why: an attack has to be seen by a person, and a person can read a few rows a day. Every refusal
//! that is worth a look becomes an audit row, once an hour for each caller and kind; what came
//! besides is counted, and told when the hour is over.
//!
//! Refuses: to let a caller fill the disk with rows about itself: an hour has an end of rows,
//! however many callers there are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use envelope::DeviceId;

use crate::receive::{AlarmKind, Receiver};

const HOUR: Duration = Duration::from_secs(3600);
/// Rows of one hour, all kinds and callers together.
const MOST: usize = 200;

/// Who has done it, as far as is known.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Culprit {
    /// A terminal; its certificate was accepted.
    Device(DeviceId),
    /// A terminal by the word of a certificate that was not accepted.
    Claimed(DeviceId),
    /// Whoever holds this department's token.
    Department(String),
    /// Whoever is at this address.
    Line(IpAddr),
    /// Not known.
    Nobody,
}

/// Writes audit rows, not too many.
pub(crate) struct Alarms {
    receiver: Arc<Receiver>,
    hour: Mutex<Hour>,
}

struct Hour {
    begun: Instant,
    /// How often each came after its row was written.
    seen: HashMap<(AlarmKind, Culprit, String), u64>,
    beyond: u64,
}

impl Hour {
    fn new(begun: Instant) -> Self {
        Self { begun, seen: HashMap::new(), beyond: 0 }
    }

    /// Whether to write a row, and what is still to be told of the hour before.
    fn admit(
        &mut self,
        kind: AlarmKind,
        who: &Culprit,
        detail: &str,
        now: Instant,
    ) -> (bool, Vec<(AlarmKind, u64)>) {
        let mut untold: HashMap<AlarmKind, u64> = HashMap::new();
        if now.duration_since(self.begun) >= HOUR {
            let past = std::mem::replace(self, Self::new(now));
            for ((kind, ..), more) in past.seen {
                *untold.entry(kind).or_default() += more;
            }
            if past.beyond > 0 {
                *untold.entry(AlarmKind::RateExceeded).or_default() += past.beyond;
            }
        }
        let room = self.seen.len() < MOST;
        let key = (kind, who.clone(), detail.to_owned());
        let write = match self.seen.get_mut(&key) {
            Some(more) => {
                *more += 1;
                false
            }
            None if room => {
                self.seen.insert(key, 0);
                true
            }
            None => {
                self.beyond += 1;
                false
            }
        };
        (write, untold.into_iter().filter(|(_, more)| *more > 0).collect())
    }
}

impl Alarms {
    pub fn new(receiver: Arc<Receiver>) -> Self {
        Self { receiver, hour: Mutex::new(Hour::new(Instant::now())) }
    }

    /// Records that `who` did something of `kind`; `detail` must hold nothing about a person.
    pub async fn raise(&self, kind: AlarmKind, who: Culprit, detail: &str) {
        let (write, untold) = {
            let mut hour = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
            hour.admit(kind, &who, detail, Instant::now())
        };
        for (kind, more) in untold {
            let detail = format!("{more} more in the hour before were not written one by one");
            self.receiver.alarm(kind, None, None, &detail).await;
        }
        if !write {
            return;
        }
        let (device, detail) = match who {
            Culprit::Device(device) => (Some(device), detail.to_owned()),
            Culprit::Claimed(device) => (
                Some(device),
                format!("{detail}; the certificate only claims to be this terminal's"),
            ),
            Culprit::Department(department) => (None, format!("{detail}; by {department}")),
            Culprit::Line(address) => (None, format!("{detail}; from {address}")),
            Culprit::Nobody => (None, detail.to_owned()),
        };
        self.receiver.alarm(kind, device, None, &detail).await;
    }
}

/// The refusals that are worth a person's look, by their code. The others are everyday life, or
/// leave their own row with the submission they are about.
pub(super) fn worth_a_look(code: &str) -> Option<AlarmKind> {
    Some(match code {
        super::error::FOREIGN => AlarmKind::ForeignUpload,
        "device_denied" => AlarmKind::DeviceDenied,
        "progress_probing" => AlarmKind::ProgressProbing,
        "quota_exceeded" | "too_many" => AlarmKind::QuotaExceeded,
        "rate_exceeded" => AlarmKind::RateExceeded,
        "too_slow" => AlarmKind::SlowClient,
        "too_large" => AlarmKind::Oversized,
        "wrong_token" => AlarmKind::TokenRefused,
        "forbidden" => AlarmKind::TokenMisused,
        "storage_full" => AlarmKind::StorageFull,
        "http_version" | "host" => AlarmKind::RequestMalformed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_gets_one_row_an_hour_and_the_rest_is_counted() {
        let begin = Instant::now();
        let mut hour = Hour::new(begin);
        let (one, two) = (
            Culprit::Line("192.0.2.1".parse().unwrap()),
            Culprit::Device(DeviceId::from_public_key(b"two")),
        );
        let slow = AlarmKind::SlowClient;
        assert!(hour.admit(slow, &one, "headers", begin).0);
        for _ in 0..9 {
            assert!(!hour.admit(slow, &one, "headers", begin).0);
        }
        assert!(hour.admit(slow, &two, "headers", begin).0);
        assert!(hour.admit(slow, &one, "body", begin).0);
        assert!(hour.admit(AlarmKind::Oversized, &one, "headers", begin).0);
        let (write, untold) = hour.admit(slow, &one, "headers", begin + HOUR);
        assert!(write);
        assert_eq!(untold, [(slow, 9)]);
    }

    #[test]
    fn an_hour_has_an_end_of_rows() {
        let begin = Instant::now();
        let mut hour = Hour::new(begin);
        let rows = (0..10_000_u32)
            .filter(|n| {
                let line = Culprit::Line(std::net::Ipv4Addr::from_bits(*n).into());
                hour.admit(AlarmKind::CertificateRefused, &line, "", begin).0
            })
            .count();
        assert_eq!(rows, MOST);
    }
}
