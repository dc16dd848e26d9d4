//! Why: a queue that nobody looks at fills up in silence. What is out of the ordinary is named here,
//! as data: for the staff page, the log and `kiosk queue`.
//!
//! Refuses: to act on an alarm. Nothing is evicted, dropped or hurried because of one.

use jiff::Timestamp;
use serde::Serialize;

/// Something about the queue that somebody has to see to, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// Not one more visit fits: the terminal is closed to visitors.
    NoRoom,
    /// A sealed file that was there is gone: somebody or something took it away.
    Withheld,
    /// Damaged ones were set aside.
    Quarantined,
    /// The gateway refused some for good.
    Refused,
    /// One waits for longer than a day.
    OldestUnsent,
    /// One was tried again and again.
    ManyAttempts,
    /// Many wait.
    ManyWaiting,
    /// Four fifths of the quota are used.
    BytesHigh,
    /// The bytes kept back for the last writes are not there.
    NoBallast,
}

impl Alarm {
    /// Every one, the most urgent first.
    pub const ALL: [Self; 9] = [
        Self::NoRoom,
        Self::Withheld,
        Self::Quarantined,
        Self::Refused,
        Self::OldestUnsent,
        Self::ManyAttempts,
        Self::ManyWaiting,
        Self::BytesHigh,
        Self::NoBallast,
    ];

    /// Stable code for staff and the log.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRoom => "queue.no_room",
            Self::Withheld => "queue.withheld",
            Self::Quarantined => "queue.quarantined",
            Self::Refused => "queue.refused",
            Self::OldestUnsent => "queue.oldest_unsent",
            Self::ManyAttempts => "queue.many_attempts",
            Self::ManyWaiting => "queue.many_waiting",
            Self::BytesHigh => "queue.bytes_high",
            Self::NoBallast => "queue.no_ballast",
        }
    }

    /// What to do about it.
    pub fn cure(self) -> &'static str {
        match self {
            Self::NoRoom => {
                "restore the line to the gateway, or `kiosk queue export` and bring the stick to the office"
            }
            Self::Withheld => {
                "keep the terminal as it is and find out who had access to its disk; look for the file in exports and back-ups"
            }
            Self::Quarantined => {
                "`kiosk queue verify` says which; release sound ones with `kiosk queue retry ID`, export the others"
            }
            Self::Refused => {
                "`kiosk queue show ID` gives the gateway's reason; send again with `kiosk queue retry ID` when it is removed"
            }
            Self::OldestUnsent | Self::ManyWaiting | Self::BytesHigh => {
                "check the line to the gateway; if it stays down, `kiosk queue export` and bring the stick to the office"
            }
            Self::ManyAttempts => {
                "`kiosk queue show ID` gives the last reason; ask the gateway's operator"
            }
            Self::NoBallast => "make room on the terminal's disk",
        }
    }
}

/// A set of alarms.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Alarms(u16);

impl Alarms {
    /// With `alarm` in it if `on`.
    pub fn with(self, alarm: Alarm, on: bool) -> Self {
        if on { Self(self.0 | (1 << alarm as u16)) } else { self }
    }

    /// Whether `alarm` is raised.
    pub fn contains(self, alarm: Alarm) -> bool {
        self.0 & (1 << alarm as u16) != 0
    }

    /// Those raised, the most urgent first.
    pub fn iter(self) -> impl Iterator<Item = Alarm> {
        Alarm::ALL.into_iter().filter(move |alarm| self.contains(*alarm))
    }

    /// Those raised here and not in `before`.
    pub fn since(self, before: Self) -> Self {
        Self(self.0 & !before.0)
    }
}

impl std::fmt::Debug for Alarms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Alarms {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

/// From when on something is out of the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Seconds that one may wait.
    pub oldest_seconds: i64,
    /// How many may wait.
    pub waiting: usize,
    /// Attempts at one.
    pub attempts: u32,
    /// Part of the quota, in hundredths.
    pub percent: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { oldest_seconds: 24 * 3600, waiting: 100, attempts: 20, percent: 80 }
    }
}

/// How the queue stands; counts and ages only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// Waiting for delivery.
    pub waiting: usize,
    /// Set aside with an alarm.
    pub quarantined: usize,
    /// Of these, gone from the disk.
    pub missing: usize,
    /// Refused for good by the gateway.
    pub refused: usize,
    /// Delivered since the terminal was set up.
    pub delivered: u64,
    /// Bytes in the spool.
    pub bytes: u64,
    /// Age of the oldest one that waits.
    pub oldest_seconds: i64,
    /// Attempts at the one tried most often.
    pub attempts: u32,
    /// Bytes that still fit: what is left of quota and disk, the ballast's aside.
    pub room: u64,
    /// False when not even one more visit would fit.
    pub has_room: bool,
    /// What somebody has to see to.
    pub alarms: Alarms,
}

impl QueueStatus {
    /// Fills in room and alarms.
    pub(super) fn judged(mut self, room: u64, quota: u64, ballast: bool) -> Self {
        let limits = Thresholds::default();
        self.room = room;
        self.has_room = room >= super::VISIT_RESERVE;
        self.alarms = Alarms::default()
            .with(Alarm::NoRoom, !self.has_room)
            .with(Alarm::Withheld, self.missing > 0)
            .with(Alarm::Quarantined, self.quarantined > self.missing)
            .with(Alarm::Refused, self.refused > 0)
            .with(Alarm::OldestUnsent, self.oldest_seconds >= limits.oldest_seconds)
            .with(Alarm::ManyAttempts, self.attempts >= limits.attempts)
            .with(Alarm::ManyWaiting, self.waiting >= limits.waiting)
            .with(Alarm::BytesHigh, self.bytes >= quota / 100 * limits.percent)
            .with(Alarm::NoBallast, !ballast);
        self
    }
}

/// How long ago; nothing when the clock was ahead then, or is behind now.
pub(super) fn age(created_at: Timestamp, now: Timestamp) -> i64 {
    (now.as_second() - created_at.as_second()).max(0)
}

/// Tells the log what was raised and what has ended since `before`.
pub(super) fn log_changes(before: Alarms, now: Alarms) {
    for alarm in now.since(before).iter() {
        tracing::warn!(code = alarm.code(), "alarm raised: {}", alarm.cure());
    }
    for alarm in before.since(now).iter() {
        tracing::info!(code = alarm.code(), "alarm over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alarm_has_its_threshold_and_its_words() {
        let quiet = QueueStatus::default().judged(1 << 30, 1 << 30, true);
        assert_eq!(quiet.alarms, Alarms::default());
        let raised = |status: QueueStatus| -> Vec<Alarm> {
            status.judged(1 << 30, 1000, true).alarms.iter().collect()
        };
        let base = QueueStatus::default;
        for (status, alarm) in [
            (QueueStatus { missing: 1, quarantined: 1, ..base() }, Alarm::Withheld),
            (QueueStatus { quarantined: 1, ..base() }, Alarm::Quarantined),
            (QueueStatus { refused: 1, ..base() }, Alarm::Refused),
            (QueueStatus { oldest_seconds: 86_400, ..base() }, Alarm::OldestUnsent),
            (QueueStatus { attempts: 20, ..base() }, Alarm::ManyAttempts),
            (QueueStatus { waiting: 100, ..base() }, Alarm::ManyWaiting),
            (QueueStatus { bytes: 800, ..base() }, Alarm::BytesHigh),
        ] {
            assert_eq!(raised(status), vec![alarm]);
        }
        let below =
            QueueStatus { oldest_seconds: 86_399, attempts: 19, waiting: 99, bytes: 799, ..base() };
        assert_eq!(raised(below), vec![]);
        let full = base().judged(0, 1000, false).alarms;
        assert_eq!(full.iter().collect::<Vec<_>>(), [Alarm::NoRoom, Alarm::NoBallast]);
        for alarm in Alarm::ALL {
            assert!(alarm.code().starts_with("queue.") && !alarm.cure().is_empty());
        }
        assert_eq!(serde_json::to_string(&full).unwrap(), r#"["no_room","no_ballast"]"#);
    }

    #[test]
    fn only_what_changed_is_told() {
        let one = Alarms::default().with(Alarm::Refused, true);
        let two = one.with(Alarm::BytesHigh, true);
        assert_eq!(two.since(one).iter().collect::<Vec<_>>(), [Alarm::BytesHigh]);
        assert_eq!(one.since(two), Alarms::default());
    }
}
