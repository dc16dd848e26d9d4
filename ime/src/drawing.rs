//! Why: between a stroke of the finger and a character there is ink, and reading it takes longer
//! than a screen may stand still. This is what is drawn, what it may be, and which answer is still
//! to which ink; reading itself may happen here or on another thread.
//!
//! Refuses: answers to ink that is no longer there, and to keep any ink when it is cleared.

use std::sync::{Arc, OnceLock};

use zeroize::Zeroize as _;

use crate::{Candidate, Ink, PAGE, Point, Recogniser};

/// Characters that are asked of a reader: four pages, more nobody turns.
const MOST: usize = 4 * PAGE;

/// Makes the reader of handwriting when ink is first read, on whichever thread reads it; `None`
/// when there is none after all.
pub type MakeRecogniser = Box<dyn Fn() -> Option<Arc<dyn Recogniser>> + Send + Sync>;

struct Reader {
    make: MakeRecogniser,
    made: OnceLock<Option<Arc<dyn Recogniser>>>,
}

/// Ink that is to be read, on any thread. No `Debug`: it is somebody's writing.
pub struct Reading {
    generation: u64,
    ink: Ink,
    reader: Arc<Reader>,
}

impl Reading {
    /// Which ink it is, for [`crate::Writer::recognised`].
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Reads it; the first time after the reader was made.
    pub fn read(&self) -> Vec<char> {
        let reader = self.reader.made.get_or_init(|| (self.reader.make)());
        reader.as_ref().map_or_else(Vec::new, |reader| reader.candidates(&self.ink, MOST))
    }
}

/// How far the reading of the ink has come.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Read,
    Unread,
    BeingRead,
}

/// What is drawn and what it may be. No `Debug`: it is somebody's writing.
#[derive(Default)]
pub(crate) struct Drawing {
    reader: Option<Arc<Reader>>,
    ink: Ink,
    // Counts changes of the ink.
    generation: u64,
    state: State,
    candidates: Vec<Candidate>,
    page: usize,
}

impl Drawing {
    pub(crate) fn new(make: MakeRecogniser) -> Self {
        let reader = Reader { make, made: OnceLock::new() };
        let mut drawing = Self::default();
        drawing.reader = Some(Arc::new(reader));
        drawing
    }

    /// True while there is a reader, or may be one.
    pub(crate) fn can_read(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| !matches!(reader.made.get(), Some(None)))
    }

    pub(crate) fn ink(&self) -> &Ink {
        &self.ink
    }

    /// Adds a stroke. What was offered stays until the new ink is read: a row that empties at each
    /// stroke could not be looked at.
    pub(crate) fn add(&mut self, points: &[Point]) {
        if self.ink.add(points) {
            self.changed();
        }
    }

    /// Takes the last stroke back; false when there is none.
    pub(crate) fn take_back(&mut self) -> bool {
        if !self.ink.take_back() {
            return false;
        }
        if self.ink.is_empty() {
            self.clear();
        } else {
            self.changed();
        }
        true
    }

    fn changed(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.state = State::Unread;
    }

    /// Overwrites ink and candidates; an answer that is on its way comes too late.
    pub(crate) fn clear(&mut self) {
        self.changed();
        self.state = State::Read;
        self.ink.clear();
        self.forget_candidates();
    }

    fn forget_candidates(&mut self) {
        self.candidates.iter_mut().for_each(|one| one.text.zeroize());
        self.candidates.clear();
        self.page = 0;
    }

    /// The ink, once after each change.
    pub(crate) fn reading(&mut self) -> Option<Reading> {
        let reader = self.reader.as_ref().filter(|_| self.state == State::Unread)?.clone();
        self.state = State::BeingRead;
        Some(Reading { generation: self.generation, ink: self.ink.clone(), reader })
    }

    /// What came of a reading; true when it is an answer to the present ink, and the first.
    pub(crate) fn recognised(&mut self, generation: u64, mut found: Vec<char>) -> bool {
        let due = self.state == State::BeingRead && generation == self.generation;
        if due {
            self.forget_candidates();
            let candidate = |one: &char| Candidate { text: (*one).into(), used: 0 };
            self.candidates.extend(found.iter().map(candidate));
            self.state = State::Read;
        }
        found.zeroize();
        due
    }

    pub(crate) fn page(&self) -> &[Candidate] {
        self.candidates.chunks(PAGE).nth(self.page).unwrap_or_default()
    }

    /// True when there are candidates before, and after, these.
    pub(crate) fn more(&self) -> (bool, bool) {
        (self.page > 0, (self.page + 1) * PAGE < self.candidates.len())
    }

    pub(crate) fn next_page(&mut self) {
        self.page += usize::from(self.more().1);
    }

    pub(crate) fn previous_page(&mut self) {
        self.page -= usize::from(self.more().0);
    }

    /// The so manieth candidate of this page; the ink has served then.
    pub(crate) fn choose(&mut self, number: usize) -> Option<Candidate> {
        let chosen = self.page().get(number).cloned()?;
        self.clear();
        Some(chosen)
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.clear();
    }
}
