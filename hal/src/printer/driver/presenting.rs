//! Why: a receipt that nobody took is a paper about a person lying in the open. A printer with a
//! mouth can take it back; whether it must, is decided here.
//!
//! Refuses: "taken" from a printer that cannot see its mouth.

use super::actor::Actor;
use crate::printer::journal::JournalState;
use crate::printer::{JobPhase, MediaState, PrinterError, PrinterStatus};
use std::time::{Duration, Instant};

/// How often the mouth is looked at while a ticket waits.
const LOOK: Duration = Duration::from_millis(150);
/// How long taking a ticket back may last.
const SWALLOW: Duration = Duration::from_secs(5);

impl Actor {
    /// What the mouth holds: none without a presenter, unknown when it cannot or does not say.
    pub(super) fn ask_media(&mut self) -> Option<MediaState> {
        let presenter = self.profile.presenter;
        if !presenter.takes_back() {
            return None;
        }
        if !presenter.sees() {
            return Some(MediaState::Unknown);
        }
        let before = self.status.and_then(|status| status.media);
        match self.link.ask_media(presenter.question()) {
            // The mouth is empty in both cases; that it was emptied inwards is only known here.
            Ok(MediaState::NotPresent) if before == Some(MediaState::Retracted) => before,
            Ok(media) => Some(media),
            Err(_) => Some(MediaState::Unknown),
        }
    }

    /// Fills in what is not asked with every status: the mouth.
    pub(super) fn with_media(&self, status: PrinterStatus) -> PrinterStatus {
        let media = match (self.profile.presenter.takes_back(), status.media) {
            (false, _) => None,
            (true, None) => Some(MediaState::Unknown),
            (true, known) => known,
        };
        PrinterStatus { media, ..status }
    }

    fn tell_media(&mut self, media: MediaState) {
        if let Some(status) = self.status {
            self.tell(PrinterStatus { media: Some(media), ..status });
        }
    }

    /// Takes back what an earlier visit left in the mouth.
    pub(super) fn empty_mouth(&mut self) -> Result<(), PrinterError> {
        let presenter = self.profile.presenter;
        if !presenter.sees() || self.ask_media() != Some(MediaState::Present) {
            return Ok(());
        }
        self.swallow()
    }

    /// Holds the ticket out and waits until it is gone, one way or the other.
    pub(super) fn present(&mut self, id: u64) -> Result<JobPhase, PrinterError> {
        let presenter = self.profile.presenter;
        if !presenter.takes_back() {
            return Ok(JobPhase::Confirmed);
        }
        let deadline = Instant::now() + self.profile.answer();
        self.link.write(presenter.present(), deadline)?;
        if let Some(journal) = &mut self.journal {
            journal.mark(JournalState::Presented);
        }
        self.phase(id, JobPhase::Presented);
        if !presenter.sees() {
            // All that can be proved is proved: it was cut and held out.
            self.tell_media(MediaState::Unknown);
            return Ok(JobPhase::Confirmed);
        }
        self.tell_media(MediaState::Entering);
        let give_up = Instant::now() + self.profile.take();
        let mut seen = false;
        // Pushing a ticket out takes a moment; an empty mouth before that is not "taken".
        let pushed = Instant::now() + Duration::from_secs(2);
        while Instant::now() < give_up {
            match self.link.ask_media(presenter.question()) {
                Ok(MediaState::Present) => {
                    if !seen {
                        self.tell_media(MediaState::Present);
                    }
                    seen = true;
                }
                Ok(MediaState::NotPresent) if seen || Instant::now() > pushed => {
                    self.tell_media(MediaState::NotPresent);
                    return Ok(JobPhase::Confirmed);
                }
                Ok(MediaState::Jammed) => return Err(PrinterError::PaperJam),
                Ok(_) | Err(PrinterError::Silent) => {}
                Err(error) => return Err(error),
            }
            if self.called_back().is_some() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        self.swallow()?;
        Ok(JobPhase::TakenBack)
    }

    /// Takes the ticket back and makes sure that it is gone.
    fn swallow(&mut self) -> Result<(), PrinterError> {
        let presenter = self.profile.presenter;
        let deadline = Instant::now() + SWALLOW;
        self.link.write(presenter.retract(), deadline)?;
        loop {
            match self.link.ask_media(presenter.question())? {
                MediaState::NotPresent => {
                    self.tell_media(MediaState::Retracted);
                    return Ok(());
                }
                _ if Instant::now() >= deadline => return Err(PrinterError::MouthBlocked),
                _ => std::thread::sleep(LOOK),
            }
        }
    }
}
