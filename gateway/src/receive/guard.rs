//! Why: an enrolled terminal can be stolen. What it may still do is bounded by a measure a day, and
//! ends at once when an operator says so: the deny-list is asked in the very transaction that would
//! store its submission, so that no receipt is given after it was denied.
//!
//! Refuses: to take a terminal's word for how much it has used; it is counted here, and kept over a
//! restart.

use envelope::DeviceId;
use jiff::Timestamp;

use super::Receiver;
use super::rows::{self, AlarmKind};
use crate::db::{Db, DbError, Place, Tx, params};
use crate::http::ApiError;

const DAY: i64 = 24 * 3600;
/// How long the daily measures of the past are kept.
const KEPT_DAYS: i64 = 30;

/// What one terminal may use in a day (UTC), and have begun at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes it may send.
    pub bytes_a_day: u64,
    /// Submissions it may begin.
    pub submissions_a_day: u32,
    /// Submissions it may have begun and not finished.
    pub unfinished: u32,
    /// Questions about people it has never served.
    pub misses_a_day: u32,
}

impl Default for Quotas {
    /// Many times what a busy terminal needs, so that a backlog of weeks is delivered in a day.
    fn default() -> Self {
        Self { bytes_a_day: 16 << 30, submissions_a_day: 5000, unfinished: 64, misses_a_day: 100 }
    }
}

impl Quotas {
    /// No bounds: for files that an operator brings.
    pub fn none() -> Self {
        Self {
            bytes_a_day: u64::MAX,
            submissions_a_day: u32::MAX,
            unfinished: u32::MAX,
            misses_a_day: u32::MAX,
        }
    }
}

/// A terminal that is let in no more.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Denied {
    /// Which.
    pub device_id: String,
    /// Since when.
    pub since: String,
    /// Why, in the operator's words.
    pub why: String,
}

impl Receiver {
    /// Refuses a terminal that is on the deny-list.
    pub async fn admit_device(&self, device: DeviceId) -> Result<(), ApiError> {
        self.db.read(move |tx| refuse_denied(tx, device)).await
    }

    /// Whether a terminal has shown its certificate here before, or an operator has vouched for it.
    pub async fn knows(&self, device: DeviceId) -> Result<bool, DbError> {
        let known = "SELECT EXISTS (SELECT 1 FROM known_devices WHERE device_id = ?1)";
        self.db.read(move |tx| tx.one(known, params![device])?.flag(0)).await
    }

    /// Refuses a question about a person when the terminal has guessed too often today.
    pub async fn admit_question(&self, device: DeviceId) -> Result<(), ApiError> {
        let (most, now) = (self.quotas.misses_a_day, Timestamp::now());
        let used = move |tx: &Tx<'_>| used(tx, device, now);
        match self.db.read::<_, DbError, _>(used).await?.misses >= most {
            true => Err(ApiError::Probing { retry_after_seconds: until_tomorrow(now) }),
            false => Ok(()),
        }
    }

    /// Notes bytes that were sent and thrown away.
    pub async fn count_waste(&self, device: DeviceId, bytes: u64) -> Result<(), DbError> {
        let now = Timestamp::now();
        self.db.call(move |tx| count_bytes(tx, device, bytes, now)).await
    }

    /// Notes that a terminal asked for a person nobody here knows.
    pub async fn count_miss(&self, device: DeviceId) -> Result<(), DbError> {
        let now = Timestamp::now();
        let counted = move |tx: &Tx<'_>| {
            tx.execute(
                "INSERT INTO device_days (device_id, day, misses) VALUES (?1, ?2, 1)
                 ON CONFLICT (device_id, day) DO UPDATE SET misses = device_days.misses + 1",
                params![device, day(now)],
            )
        };
        self.db.call::<_, DbError, _>(counted).await.map(drop)
    }
}

/// The deny-list, for an operator's command beside a gateway that runs.
pub struct DenyList(Db);

/// No terminal, or several, can be meant.
#[derive(Debug, thiserror::Error)]
pub enum DeviceNameError {
    /// Not the beginning of an id.
    #[error("`{0}` is not the beginning of a terminal's id; give hexadecimal digits")]
    Spelling(String),
    /// Nobody here.
    #[error("no terminal known here begins with {0}; give the whole id to name it all the same")]
    Unknown(String),
    /// More than one.
    #[error("{0} terminals begin with {1}; give more digits")]
    Several(usize, String),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl DenyList {
    /// Opens the list of the gateway whose rows live at `place`.
    pub fn open(place: &Place) -> Result<Self, DbError> {
        Ok(Self(Db::open(place, "gateway", super::VERSIONS)?))
    }

    /// The terminal that is meant by its id or by enough of its beginning.
    pub async fn named(&self, name: &str) -> Result<DeviceId, DeviceNameError> {
        let name = name.trim().to_ascii_lowercase();
        if let Ok(whole) = name.parse() {
            return Ok(whole);
        }
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DeviceNameError::Spelling(name));
        }
        match self.devices_like(name.clone()).await?[..] {
            [] => Err(DeviceNameError::Unknown(name)),
            [one] => Ok(one),
            ref several => Err(DeviceNameError::Several(several.len(), name)),
        }
    }

    /// Every terminal whose id begins so.
    async fn devices_like(&self, prefix: String) -> Result<Vec<DeviceId>, DbError> {
        let all = "SELECT device_id FROM known_devices UNION SELECT device_id FROM denied_devices";
        let rows = self.0.read::<_, DbError, _>(move |tx| tx.rows(all, params![])).await?;
        let ids: Vec<DeviceId> = rows.iter().map(|row| row.parse(0)).collect::<Result<_, _>>()?;
        Ok(ids.into_iter().filter(|id| id.to_string().starts_with(&prefix)).collect())
    }

    /// Puts a terminal on the deny-list.
    pub async fn deny(&self, device: DeviceId, why: String) -> Result<(), DbError> {
        let now = Timestamp::now();
        let denied = move |tx: &Tx<'_>| {
            tx.execute(
                "INSERT INTO denied_devices (device_id, since, why) VALUES (?1, ?2, ?3)
                 ON CONFLICT (device_id) DO UPDATE SET why = ?3",
                params![device, now, why],
            )?;
            rows::audit(tx, now, AlarmKind::DenyListChanged, Some(device), None, "denied")
        };
        self.0.call(denied).await
    }

    /// Takes a terminal off the deny-list; `false` when it was not on it.
    pub async fn allow(&self, device: DeviceId) -> Result<bool, DbError> {
        let now = Timestamp::now();
        let allowed = move |tx: &Tx<'_>| {
            let gone =
                tx.execute("DELETE FROM denied_devices WHERE device_id = ?1", params![device])?;
            if gone > 0 {
                rows::audit(tx, now, AlarmKind::DenyListChanged, Some(device), None, "allowed")?;
            }
            Ok(gone > 0)
        };
        self.0.call(allowed).await
    }

    /// The deny-list, newest first.
    pub async fn list(&self) -> Result<Vec<Denied>, DbError> {
        let all = "SELECT device_id, since, why FROM denied_devices ORDER BY since DESC, device_id";
        let rows = self.0.read::<_, DbError, _>(move |tx| tx.rows(all, params![])).await?;
        let read = |row: &crate::db::Row| {
            Ok(Denied { device_id: row.string(0)?, since: row.string(1)?, why: row.string(2)? })
        };
        rows.iter().map(read).collect()
    }
}

/// For the transaction that would promise something to the terminal.
pub(super) fn refuse_denied(tx: &Tx<'_>, device: DeviceId) -> Result<(), ApiError> {
    let denied = "SELECT 1 FROM denied_devices WHERE device_id = ?1";
    match tx.row(denied, params![device])? {
        Some(_) => Err(ApiError::Denied),
        None => Ok(()),
    }
}

/// Whether a terminal may begin one more submission of so many bytes; counts it.
pub(super) fn admit_upload(
    tx: &Tx<'_>,
    device: DeviceId,
    quotas: &Quotas,
    length: u64,
    now: Timestamp,
) -> Result<(), ApiError> {
    let used = used(tx, device, now)?;
    let over = |what| Err(ApiError::Quota { what, retry_after_seconds: until_tomorrow(now) });
    if used.begun >= quotas.submissions_a_day {
        return over("submissions");
    }
    if used.bytes.saturating_add(length) > quotas.bytes_a_day {
        return over("bytes");
    }
    tx.execute(
        "INSERT INTO known_devices (device_id, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![device, now],
    )?;
    tx.execute(
        "INSERT INTO device_days (device_id, day, begun) VALUES (?1, ?2, 1)
         ON CONFLICT (device_id, day) DO UPDATE SET begun = device_days.begun + 1",
        params![device, day(now)],
    )?;
    Ok(())
}

/// Whether a terminal may send on.
pub(super) fn admit_bytes(
    tx: &Tx<'_>,
    device: DeviceId,
    quotas: &Quotas,
    now: Timestamp,
) -> Result<(), ApiError> {
    refuse_denied(tx, device)?;
    match used(tx, device, now)?.bytes >= quotas.bytes_a_day {
        true => Err(ApiError::Quota { what: "bytes", retry_after_seconds: until_tomorrow(now) }),
        false => Ok(()),
    }
}

/// Notes what has arrived, also what is then undone or sent again: it has cost the line and the disk.
pub(super) fn count_bytes(
    tx: &Tx<'_>,
    device: DeviceId,
    bytes: u64,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO device_days (device_id, day, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (device_id, day) DO UPDATE SET bytes = device_days.bytes + ?3",
        params![device, day(now), bytes],
    )?;
    Ok(())
}

pub(super) fn forget_old_days(tx: &Tx<'_>, now: Timestamp) -> Result<(), DbError> {
    tx.execute("DELETE FROM device_days WHERE day < ?1", params![day(now) - KEPT_DAYS])?;
    Ok(())
}

#[derive(Default)]
struct Used {
    bytes: u64,
    begun: u32,
    misses: u32,
}

fn used(tx: &Tx<'_>, device: DeviceId, now: Timestamp) -> Result<Used, DbError> {
    let row = tx.row(
        "SELECT bytes, begun, misses FROM device_days WHERE device_id = ?1 AND day = ?2",
        params![device, day(now)],
    )?;
    let Some(row) = row else { return Ok(Used::default()) };
    Ok(Used { bytes: row.number(0)?, begun: row.number(1)?, misses: row.number(2)? })
}

fn day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY)
}

fn until_tomorrow(now: Timestamp) -> u64 {
    (DAY - now.as_second().rem_euclid(DAY)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_day_is_never_further_than_a_day() {
        for (at, left) in [
            ("2026-11-26T00:00:00Z", 86_400),
            ("2026-11-26T23:59:59Z", 1),
            ("1969-12-31T23:59:50Z", 10),
        ] {
            assert_eq!(until_tomorrow(at.parse().unwrap()), left, "{at}");
        }
    }
}
