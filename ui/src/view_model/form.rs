//! Why: the pages on which a visitor answers, chooses, photographs, reviews and signs.
//!
//! Refuses: to know which answer is right; an error says only what kind of fault it is.

use std::sync::Arc;

/// Why an entry is not accepted; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryError {
    /// Nothing entered.
    Empty,
    /// Too long.
    TooLong,
    /// Not the right number of digits.
    WrongLength,
    /// A digit is wrong: the check digit does not match.
    CheckDigit,
    /// Not a date of the calendar, or outside the range.
    Date,
    /// Not a mobile number.
    Phone,
    /// Characters that cannot be used here.
    Characters,
    /// Not one of the choices.
    NotAChoice,
    /// Wrong PIN.
    Pin,
}

/// A choice that can be tapped.
#[derive(Clone, PartialEq, Default)]
pub struct Tile {
    /// Stable id, given back when it is tapped.
    pub id: String,
    /// Main words.
    pub label: String,
    /// Smaller words below, or empty.
    pub note: String,
    /// Chosen now.
    pub selected: bool,
}

/// Which keys a text entry needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keyboard {
    /// Any text.
    #[default]
    Text,
    /// 0-9.
    Digits,
    /// 0-9 and X.
    IdentityNumber,
    /// A person's name, in Chinese.
    Name,
    /// An address or another place, in Chinese.
    Place,
}

/// A place that is looked for instead of being reached level by level. The options of the region are
/// then what was found.
#[derive(Clone, PartialEq)]
pub struct Finder {
    /// How.
    pub kind: FinderKind,
    /// What is typed.
    pub typed: String,
}

/// Ways of looking for a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinderKind {
    /// By the first letters of its sounds.
    Letters,
    /// As it was called before it was abolished.
    Former,
}

/// How a question is answered.
#[derive(Clone, PartialEq)]
pub enum Input {
    /// One of the tiles.
    Choice(Vec<Tile>),
    /// Typed, with tiles that fill it in one tap.
    Text {
        /// Current text.
        value: String,
        /// Keys needed.
        keyboard: Keyboard,
        /// One-tap answers (address on the card …).
        suggestions: Vec<Tile>,
    },
    /// A date by steppers; never typed.
    Date {
        /// Year, or 0 when nothing is chosen.
        year: i32,
        /// Month 1-12, or 0.
        month: i32,
        /// Day 1-31, or 0.
        day: i32,
        /// First year allowed.
        first_year: i32,
        /// Last year allowed.
        last_year: i32,
        /// One-tap answers ("not sure" …).
        suggestions: Vec<Tile>,
    },
    /// Province, city, county, each from a list.
    Region {
        /// Chosen so far, outermost first.
        path: Vec<Tile>,
        /// What can be chosen next; empty when complete.
        options: Vec<Tile>,
        /// One-tap answers (region of the card's number …).
        suggestions: Vec<Tile>,
        /// Another way to the place than down the list, if that is in use.
        finder: Option<Finder>,
        /// Places can be looked for by letters.
        can_find: bool,
        /// A place that is gone may be written as it was called.
        can_former: bool,
    },
}

impl Default for Input {
    fn default() -> Self {
        Self::Choice(Vec::new())
    }
}

/// One question.
#[derive(Clone, PartialEq, Default)]
pub struct QuestionPage {
    /// Catalogue key.
    pub key: String,
    /// The question as a sentence.
    pub title: String,
    /// Why it is asked.
    pub why: String,
    /// Departments it goes to, in words; empty for questions that stay on the terminal.
    pub departments: String,
    /// How it is answered.
    pub input: Input,
    /// What is wrong with the present entry.
    pub error: Option<EntryError>,
    /// A confirming sentence for the chosen answer ("您是户主的儿子"), or empty.
    pub confirmation: String,
    /// Which one of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
    /// The answer is good enough to go on.
    pub can_continue: bool,
    /// Came from the review page and returns there.
    pub editing: bool,
}

/// One service offered or not.
#[derive(Clone, PartialEq, Default)]
pub struct ServiceTile {
    /// Catalogue key.
    pub id: String,
    /// Name.
    pub name: String,
    /// Department in words.
    pub department: String,
    /// Why it is offered, or why it is not.
    pub reason: String,
    /// Rule and date counted ("还有 12 天"), or empty.
    pub deadline: String,
    /// Can be chosen.
    pub available: bool,
    /// Chosen.
    pub selected: bool,
}

/// The services offered; none chosen for the visitor.
#[derive(Clone, PartialEq, Default)]
pub struct ServicesPage {
    /// All twelve, offered ones first.
    pub services: Vec<ServiceTile>,
    /// How many are chosen.
    pub chosen: usize,
    /// What someone might look for and is not handled here, in words.
    pub elsewhere: String,
}

/// One paper of the checklist.
#[derive(Clone, PartialEq, Default)]
pub struct Paper {
    /// Name of the paper.
    pub name: String,
    /// Which services need it, or where it is carried to.
    pub note: String,
    /// To be photographed here (else carried to another office).
    pub photographed: bool,
}

/// Exactly the papers needed.
#[derive(Clone, PartialEq, Default)]
pub struct ChecklistPage {
    /// Papers, photographed ones first.
    pub papers: Vec<Paper>,
    /// The list can be printed.
    pub can_print: bool,
    /// It is being printed, or was.
    pub printed: bool,
}

/// A picture, shared with whoever shows it; RGB, 8 bits, rows without padding.
#[derive(Clone)]
pub struct Picture {
    /// Changes whenever the content does, so that an equal picture is not uploaded twice.
    pub id: u64,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Arc<Vec<u8>>,
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Why a picture is not accepted, or what should be better; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureProblem {
    /// The bytes were no image.
    NotAnImage,
    /// Nothing lies under the camera.
    Nothing,
    /// Too dark.
    Dark,
    /// Too bright.
    Bright,
    /// Blurred.
    Blurred,
    /// The camera does not answer.
    CameraMissing,
    /// The camera did not deliver in time.
    Late,
    /// Something stands before the lens.
    Covered,
    /// The same picture comes again and again.
    Frozen,
}

/// Photograph one material.
#[derive(Clone, PartialEq)]
pub struct CapturePage {
    /// Catalogue key of the material.
    pub key: String,
    /// Name of the material.
    pub title: String,
    /// How to lay it down or stand.
    pub advice: String,
    /// The portrait rather than a paper.
    pub portrait: bool,
    /// Still to be judged, if one was taken; else the live preview is shown.
    pub still: Option<Picture>,
    /// A still is being taken.
    pub taking: bool,
    /// What is wrong.
    pub problem: Option<PictureProblem>,
    /// The picture can be kept.
    pub can_accept: bool,
    /// Pages of this material kept so far.
    pub pages: usize,
    /// A further page may be added.
    pub can_add_page: bool,
    /// "I do not have it with me" is possible.
    pub can_skip: bool,
    /// Which material of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
    /// The camera delivers pictures worth keeping. When false nothing can be taken; leaving the
    /// material out, if allowed, and calling staff remain.
    pub camera_ok: bool,
}

impl Default for CapturePage {
    fn default() -> Self {
        Self {
            key: String::new(),
            title: String::new(),
            advice: String::new(),
            portrait: false,
            still: None,
            taking: false,
            problem: None,
            can_accept: false,
            pages: 0,
            can_add_page: false,
            can_skip: false,
            number: 0,
            of: 0,
            camera_ok: true,
        }
    }
}

/// One line of the review.
#[derive(Clone, PartialEq, Default)]
pub struct ReviewLine {
    /// Id given back when it is edited; empty when it cannot be (from the card).
    pub id: String,
    /// What it is.
    pub label: String,
    /// What was entered.
    pub value: String,
}

/// Everything entered.
#[derive(Clone, PartialEq, Default)]
pub struct ReviewPage {
    /// Services chosen, in words.
    pub services: Vec<String>,
    /// Fields.
    pub lines: Vec<ReviewLine>,
    /// Photographs: name of the material, pages as value.
    pub photographs: Vec<ReviewLine>,
}

/// One stroke of a signature: points in the unit square of the pad.
pub type Stroke = Vec<(f32, f32)>;

/// Declaration and signature.
#[derive(Clone, PartialEq, Default)]
pub struct DeclarationPage {
    /// The declaration's text.
    pub text: String,
    /// Strokes so far.
    pub strokes: Vec<Stroke>,
    /// Enough ink to submit.
    pub can_submit: bool,
}
