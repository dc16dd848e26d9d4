//! Why: an answer has exactly one canonical form, whoever typed it on whatever keyboard, so that
//! the kiosk, the sealed file and every department read the same thing.
//!
//! Refuses: anything its question does not ask for. Accepts every character of the register:
//! a rare character is never mapped, normalised or replaced. An unknown code met on the way out
//! stays visible as unknown. No error repeats the answer.

use std::collections::BTreeMap;

use jiff::civil::Date;
use thiserror::Error;

use crate::catalog::Catalog;
use crate::condition::{AnswerText, Known};
use crate::identity_number::{IdentityNumber, IdentityNumberError};
use crate::model::{CardItem, DateLimit, ProfileKind, QuestionKind, Suggestion};
use crate::regions::{Fit, Hit, Rank, Scope};
use crate::text::{Language, Text};

/// What the card says, for suggestions.
#[derive(Clone, Copy)]
pub struct CardFacts<'a> {
    /// 姓名.
    pub name: &'a str,
    /// 公民身份号码.
    pub identity_number: &'a str,
    /// 民族 as a code of GB/T 3304.
    pub ethnicity: &'a str,
    /// 住址.
    pub address: &'a str,
}

/// An answer that follows from another, so that its question is not asked.
#[derive(Clone, Copy)]
pub struct Derived<'a> {
    /// The question whose answer it takes over.
    pub from: &'a str,
    /// That answer, when it is among the answers given (card items may be kept elsewhere).
    pub value: Option<&'a str>,
}

/// Why a text is no answer to its question. Never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// No such question.
    #[error("the catalogue has no question \"{0}\"")]
    UnknownQuestion(String),
    /// Nothing but blanks.
    #[error("the answer is empty")]
    Empty,
    /// Too long.
    #[error("the answer is longer than {max} characters")]
    TooLong {
        /// Longest accepted.
        max: usize,
    },
    /// Control characters, or a mark that stands for a lost character.
    #[error("the answer contains a character that cannot be stored")]
    Character,
    /// A digit in a name.
    #[error("a name contains no digits")]
    NotAName,
    /// Not one of the codes.
    #[error("the answer is not in the table \"{table}\"")]
    NotInTable {
        /// Code table or profile question.
        table: String,
    },
    /// Neither `yes` nor `no`.
    #[error("the answer is neither yes nor no")]
    NotYesNo,
    /// Not a day of the calendar.
    #[error("the answer is not a date")]
    NotADate,
    /// Too early.
    #[error("the date is before {limit}")]
    TooEarly {
        /// Earliest accepted.
        limit: Date,
    },
    /// Too late.
    #[error("the date is after {limit}")]
    TooLate {
        /// Latest accepted.
        limit: Date,
    },
    /// Not a mobile number.
    #[error("the answer is not a mobile number")]
    Phone,
    /// Not an identity number.
    #[error(transparent)]
    IdentityNumber(#[from] IdentityNumberError),
    /// Not in the list of places.
    #[error("the place is not in the list")]
    UnknownRegion,
    /// A province where a county is wanted.
    #[error("the place is not precise enough")]
    RegionTooWide,
    /// A county where a city is wanted.
    #[error("the place is more precise than asked")]
    RegionTooNarrow,
    /// Another province.
    #[error("the place lies outside {within}")]
    RegionElsewhere {
        /// Code of the area.
        within: String,
    },
    /// Words where a place of the list is wanted.
    #[error("a place must be chosen from the list here")]
    FreePlace,
}

impl AnswerError {
    /// What the person, or for the first the operator, can do.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::UnknownQuestion(_) => "load the catalogue this form was made with",
            Self::Empty => "enter an answer",
            Self::TooLong { .. } => "shorten the answer",
            Self::Character => "delete the unusual character and enter it again",
            Self::NotAName => "enter the name only",
            Self::NotInTable { .. } => "choose one of the answers shown",
            Self::NotYesNo => "choose yes or no",
            Self::NotADate => "choose year, month and day",
            Self::TooEarly { .. } => "choose a later day",
            Self::TooLate { .. } => "choose an earlier day",
            Self::Phone => "enter the 11 digits of a mobile number",
            Self::IdentityNumber(error) => error.cure(),
            Self::UnknownRegion => "choose the place from the list",
            Self::RegionTooWide => "go on to the next list",
            Self::RegionTooNarrow => "stop one step earlier",
            Self::RegionElsewhere { .. } => "choose a place within the area shown",
            Self::FreePlace => "choose the place from the list, or ask the staff",
        }
    }
}

impl Catalog {
    /// The canonical form of an answer, or why it is none. Limits that depend on the day of
    /// answering are left out; see [`Catalog::validate_on`].
    pub fn validate(&self, question: &str, value: &str) -> Result<String, AnswerError> {
        self.checked(question, value, None)
    }

    /// As [`Catalog::validate`], and no date may break a limit that counts from `today`.
    pub fn validate_on(
        &self,
        question: &str,
        value: &str,
        today: Date,
    ) -> Result<String, AnswerError> {
        self.checked(question, value, Some(today))
    }

    fn checked(
        &self,
        question: &str,
        value: &str,
        today: Option<Date>,
    ) -> Result<String, AnswerError> {
        let found = self
            .question(question)
            .ok_or_else(|| AnswerError::UnknownQuestion(question.to_owned()))?;
        match &found.kind {
            QuestionKind::Card { item, table } => match (item, table) {
                (_, Some(table)) => self.coded(table, value),
                (CardItem::IdentityNumber, _) => identity(value),
                (CardItem::NumberRegion, _) => region_code(value),
                (CardItem::Name | CardItem::Ethnicity, _) => name(value, CARD_TEXT),
                (CardItem::Address, _) => words(value, CARD_TEXT),
            },
            QuestionKind::Choice { table } => self.coded(table, value),
            QuestionKind::YesNo => yes_no(value),
            QuestionKind::Text { max_chars } | QuestionKind::Address { max_chars } => {
                words(value, *max_chars)
            }
            QuestionKind::Name { max_chars } => name(value, *max_chars),
            QuestionKind::Phone => phone(value),
            QuestionKind::IdentityNumber => identity(value),
            QuestionKind::Date { not_before, not_after } => {
                date_within(value, *not_before, *not_after, today)
            }
            QuestionKind::Region { min_level, max_level, within, free_text } => {
                self.place(value, *min_level, *max_level, within.as_deref(), *free_text)
            }
        }
    }

    /// The canonical form of an answer to a profile question, or why it is none.
    pub fn validate_fact(
        &self,
        question: &str,
        value: &str,
        today: Date,
    ) -> Result<String, AnswerError> {
        let found = self
            .profile_question(question)
            .ok_or_else(|| AnswerError::UnknownQuestion(question.to_owned()))?;
        match &found.kind {
            ProfileKind::Choice { options } => options
                .iter()
                .find(|option| option.value == value)
                .map(|option| option.value.clone())
                .ok_or_else(|| AnswerError::NotInTable { table: question.to_owned() }),
            ProfileKind::YesNo => yes_no(value),
            ProfileKind::Date { not_before, not_after } => {
                date_within(value, *not_before, *not_after, Some(today))
            }
        }
    }

    fn coded(&self, table: &str, value: &str) -> Result<String, AnswerError> {
        self.code_table(table)
            .and_then(|codes| codes.code(value.trim()))
            .map(|entry| entry.code.clone())
            .ok_or_else(|| AnswerError::NotInTable { table: table.to_owned() })
    }

    fn place(
        &self,
        value: &str,
        min_level: usize,
        max_level: usize,
        within: Option<&str>,
        free_text: bool,
    ) -> Result<String, AnswerError> {
        let value = value.trim();
        if let Some(written) = value.strip_prefix('~') {
            if !free_text {
                return Err(AnswerError::FreePlace);
            }
            return words(written, FREE_PLACE).map(|place| format!("~{place}"));
        }
        let path = self.regions.path(value);
        if path.is_empty() {
            return Err(AnswerError::UnknownRegion);
        }
        if let Some(area) = within.filter(|area| !path.contains(area)) {
            return Err(AnswerError::RegionElsewhere { within: area.to_owned() });
        }
        match self.regions.fit(value, level(min_level), level(max_level)) {
            Some(Fit::Fits) => Ok(value.to_owned()),
            Some(Fit::TooWide) => Err(AnswerError::RegionTooWide),
            Some(Fit::TooNarrow) => Err(AnswerError::RegionTooNarrow),
            None => Err(AnswerError::UnknownRegion),
        }
    }

    /// What a question about a place offers below `code` (an empty text for the beginning): codes and
    /// names. Empty when the answer can become no more precise, and for other questions.
    pub fn place_options(&self, question: &str, code: &str) -> Vec<(&str, &str)> {
        let kind = self.question(question).map(|found| &found.kind);
        let Some(QuestionKind::Region { max_level, within, .. }) = kind else { return Vec::new() };
        // A question confined to one province begins inside it.
        let below = if code.is_empty() { within.as_deref().unwrap_or_default() } else { code };
        self.regions.choices(below, level(*max_level))
    }

    /// Places that a question accepts, by letters or characters; the nearest first, at most `most`.
    /// `home` is the code of where the terminal stands.
    pub fn find_places(
        &self,
        question: &str,
        letters: &str,
        home: Option<&str>,
        most: usize,
    ) -> Vec<Hit<'_>> {
        let kind = self.question(question).map(|found| &found.kind);
        let Some(QuestionKind::Region { min_level, max_level, within, .. }) = kind else {
            return Vec::new();
        };
        let ranks = level(*min_level)..=level(*max_level);
        let within = within.as_deref();
        self.regions.search(letters, &Scope { within, home, ranks, most })
    }

    /// An answer as a person reads it: codes in words, places in full. A code the tables do not
    /// know is shown as unknown, never dropped.
    pub fn display(&self, question: &str, canonical: &str, language: Language) -> String {
        let kind = self.question(question).map(|found| &found.kind);
        match kind {
            Some(QuestionKind::Choice { table })
            | Some(QuestionKind::Card { table: Some(table), .. }) => self
                .code_table(table)
                .and_then(|codes| codes.code(canonical))
                .map(|entry| entry.text.get(language).to_owned())
                .unwrap_or_else(|| self.unknown(canonical, language)),
            Some(QuestionKind::YesNo) => self.yes_or_no(canonical, language),
            Some(QuestionKind::Region { .. }) => match canonical.strip_prefix('~') {
                Some(written) => written.to_owned(),
                None => self
                    .regions
                    .full_name(canonical)
                    .unwrap_or_else(|| self.unknown(canonical, language)),
            },
            _ => canonical.to_owned(),
        }
    }

    /// A profile answer as a person reads it.
    pub fn display_fact(&self, question: &str, value: &str, language: Language) -> String {
        match self.profile_question(question).map(|found| &found.kind) {
            Some(ProfileKind::Choice { options }) => options
                .iter()
                .find(|option| option.value == value)
                .map(|option| option.text.get(language).to_owned())
                .unwrap_or_else(|| self.unknown(value, language)),
            Some(ProfileKind::YesNo) => self.yes_or_no(value, language),
            _ => value.to_owned(),
        }
    }

    fn yes_or_no(&self, value: &str, language: Language) -> String {
        match value {
            "yes" => self.words.yes.get(language).to_owned(),
            "no" => self.words.no.get(language).to_owned(),
            other => self.unknown(other, language),
        }
    }

    fn unknown(&self, code: &str, language: Language) -> String {
        let code = Text { zh: code.to_owned(), en: code.to_owned() };
        self.words.unknown_code.filled("code", &code).get(language).to_owned()
    }

    /// Whether other answers settle this question. What the rules need to know and do not, leaves
    /// the question to be asked.
    pub fn derived<'a, S: AnswerText>(
        &'a self,
        question: &str,
        answers: &'a BTreeMap<String, S>,
    ) -> Option<Derived<'a>> {
        let lookup = |key: &str| answers.get(key).map(AnswerText::answer_text);
        let known = Known { facts: None, answer: &lookup };
        let derivation = self
            .question(question)?
            .derive
            .iter()
            .find(|derivation| derivation.when.holds(&known) == Some(true))?;
        Some(Derived {
            from: &derivation.same_as,
            value: answers.get(&derivation.same_as).map(S::answer_text),
        })
    }

    /// What to offer for confirmation. Only what would itself be accepted as an answer is offered;
    /// a place is cut to the precision asked for.
    pub fn suggestion<S: AnswerText>(
        &self,
        question: &str,
        card: Option<&CardFacts<'_>>,
        answers: &BTreeMap<String, S>,
    ) -> Option<String> {
        let found = self.question(question)?;
        let offered = match found.suggest.as_ref()? {
            Suggestion::Question(other) => answers.get(other)?.answer_text(),
            Suggestion::Card(item) => {
                let card = card?;
                match item {
                    CardItem::Name => card.name,
                    CardItem::IdentityNumber => card.identity_number,
                    CardItem::Ethnicity => card.ethnicity,
                    CardItem::Address => card.address,
                    CardItem::NumberRegion => card.identity_number.get(..6)?,
                }
            }
        };
        if let QuestionKind::Region { max_level, .. } = &found.kind
            && let Some(cut) = self.regions.cut(offered, level(*max_level))
        {
            return self.validate(question, cut).ok();
        }
        self.validate(question, offered).ok()
    }
}

/// The rank that a question's level stands for. Loading refuses levels that stand for none.
fn level(level: usize) -> Rank {
    Rank::from_level(level).unwrap_or(Rank::Township)
}

/// Longest text taken from a card: its address field has 35 characters.
const CARD_TEXT: usize = 70;
/// Longest name of a place that exists no longer.
const FREE_PLACE: usize = 60;

/// Full-width ASCII to ASCII; every other character stays.
pub(crate) fn fold_width(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character)
        }
        '\u{3000}' => ' ',
        other => other,
    }
}

/// `2026-01-31` and nothing else.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let digit_or_dash = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 10 || !text.bytes().enumerate().all(digit_or_dash) {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?).ok()
}

/// Control characters, direction overrides, invisible spaces and the mark of a lost character.
/// Variation selectors and private-use characters belong to real names and pass.
fn unstorable(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{FFFD}' | '\u{FEFF}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || u32::from(character) & 0xFFFE == 0xFFFE
}

fn words(value: &str, max: usize) -> Result<String, AnswerError> {
    let value = value.trim();
    if value.is_empty() {
        return Err(AnswerError::Empty);
    }
    if value.chars().any(unstorable) {
        return Err(AnswerError::Character);
    }
    if value.chars().count() > max {
        return Err(AnswerError::TooLong { max });
    }
    Ok(value.to_owned())
}

fn name(value: &str, max: usize) -> Result<String, AnswerError> {
    let value = words(value, max)?;
    if value.chars().any(|character| fold_width(character).is_ascii_digit()) {
        return Err(AnswerError::NotAName);
    }
    Ok(value)
}

fn yes_no(value: &str) -> Result<String, AnswerError> {
    match value.trim() {
        answer @ ("yes" | "no") => Ok(answer.to_owned()),
        _ => Err(AnswerError::NotYesNo),
    }
}

fn phone(value: &str) -> Result<String, AnswerError> {
    let folded: String =
        value.chars().map(fold_width).filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = folded.strip_prefix("+86").unwrap_or(&folded);
    let mobile = digits.len() == 11
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.starts_with('1')
        && digits.as_bytes()[1] >= b'3';
    if mobile { Ok(digits.to_owned()) } else { Err(AnswerError::Phone) }
}

fn identity(value: &str) -> Result<String, AnswerError> {
    Ok(IdentityNumber::parse(value)?.as_str().to_owned())
}

fn region_code(value: &str) -> Result<String, AnswerError> {
    let six = value.len() == 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    if six { Ok(value.to_owned()) } else { Err(AnswerError::UnknownRegion) }
}

fn date_within(
    value: &str,
    not_before: Option<DateLimit>,
    not_after: Option<DateLimit>,
    today: Option<Date>,
) -> Result<String, AnswerError> {
    let folded: String = value.trim().chars().map(fold_width).collect();
    let date = parse_date(&folded).ok_or(AnswerError::NotADate)?;
    let day = |limit: Option<DateLimit>| match limit? {
        DateLimit::Today => today,
        DateLimit::On(day) => Some(day),
    };
    if let Some(limit) = day(not_before).filter(|limit| date < *limit) {
        return Err(AnswerError::TooEarly { limit });
    }
    if let Some(limit) = day(not_after).filter(|limit| date > *limit) {
        return Err(AnswerError::TooLate { limit });
    }
    Ok(folded)
}
