//! Why: what the core wants done, as data, so that a test can read it and a runtime can do it.
//!
//! Refuses: to do anything.

use hal::panel::{Light, LightState};
use hal::printer::{JobRecord, ReceiptDocument};
use personal::PersonalText;

use super::event::CameraRole;
use super::submission::Submission;

/// Something to be done.
pub enum Effect {
    /// Let the reader look for cards, or not.
    ArmReader(bool),
    /// Show what a camera sees, or stop.
    Preview(CameraRole, bool),
    /// Take one picture; answered by [`super::Event::Still`].
    TakeStill {
        /// Visit that asks.
        visit: u64,
        /// Camera.
        role: CameraRole,
    },
    /// Ask how much room the queue has; answered by [`super::Event::Queue`].
    MeasureQueue,
    /// Seal and store durably; answered by [`super::Event::Stored`].
    Store {
        /// Visit that asks.
        visit: u64,
        /// Everything that is to be sealed.
        submission: Box<Submission>,
    },
    /// Print; answered by printer events with this job number.
    Print {
        /// Job number.
        job: u64,
        /// What to print.
        document: ReceiptDocument,
        /// What the printer's journal remembers of it; nothing about a person.
        record: Option<JobRecord>,
    },
    /// Ask the gateway for this person's cases; answered by [`super::Event::Progress`].
    FetchProgress {
        /// Visit that asks.
        visit: u64,
        /// Citizen identity number; only its peppered hash leaves the terminal.
        number: PersonalText,
    },
    /// Compare a PIN; answered by [`super::Event::Pin`].
    CheckPin {
        /// Session that asks.
        session: u64,
        /// The PIN typed.
        pin: PersonalText,
    },
    /// Give up a print job that its visit no longer waits for.
    CancelPrint {
        /// Job number.
        job: u64,
    },
    /// Let the scanner take codes, or not.
    ArmScanner(bool),
    /// Somebody tampered with the cabinet: remember it beyond a restart.
    LatchTamper,
    /// Staff have looked at the cabinet: forget it.
    ClearTamper,
    /// Make a sound.
    Sound(Sound),
    /// Read the page aloud, or what else is wanted of the voice.
    Read(Order),
    /// Switch a light.
    Light(Light, LightState),
    /// The visit is over: forget everything that was shown or seen.
    Wipe,
    /// Tell the log; carries no personal data by its type.
    Record(Record),
}

/// What the terminal can be heard to say. Never a name or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Look here: a question, or something left behind.
    Attention,
    /// It worked.
    Done,
}

/// What is wanted of the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Read what stands on the panel.
    Page,
    /// Wait.
    Pause,
    /// Go on.
    Resume,
    /// From the beginning.
    Again,
    /// Be silent.
    Stop,
}

/// What goes into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A visit began.
    VisitBegan {
        /// Its number since the start of the program.
        visit: u64,
    },
    /// A visit ended.
    VisitEnded {
        /// Its number.
        visit: u64,
        /// Name of the last page.
        page: &'static str,
        /// Why.
        why: Ending,
    },
    /// Staff was called.
    StaffCalled {
        /// Name of the page.
        page: &'static str,
    },
    /// Something failed; the code names the device and the fault.
    Fault {
        /// Stable code.
        code: String,
    },
}

/// Why a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The visitor was done.
    Finished,
    /// The visitor left.
    Left,
    /// Nobody touched the panel.
    Idle,
    /// The terminal was taken out of service.
    Suspended,
}
