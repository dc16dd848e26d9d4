//! Why: the guide's nouns (service, department, question, paper, confirmation) as types, read
//! straight from the province's files. Refuses keys it does not know, so that a misspelt rule is
//! an error and not a rule that silently never applies.

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::text::Text;

/// One of the seven departments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// `public_security`.
    pub key: String,
    /// 公安部门.
    pub text: Text,
}

/// One of the joint services (联办事项).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// `household_registration`.
    pub key: String,
    /// Its number in the guide.
    pub number: u8,
    /// Its name.
    pub text: Text,
    /// One line saying what the veteran gets.
    pub summary: Text,
    /// Department key.
    pub department: String,
    /// How the department handles it.
    pub channel: Text,
    /// How the result reaches the veteran.
    pub delivery: Delivery,
    /// What happens next, for the receipt.
    pub next_step: Text,
    /// Where the veteran goes or asks.
    pub place: Text,
    /// Question keys: exactly what the department receives.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Material keys: exactly what the department receives.
    #[serde(default)]
    pub materials: Vec<String>,
    /// Services that must be finished first, when they are part of the same case.
    #[serde(default)]
    pub after: Vec<String>,
    /// Services that must be chosen together with this one.
    #[serde(default)]
    pub together_with: Vec<Companion>,
    /// All must hold; the first that does not gives the reason for exclusion.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// Why it is offered.
    #[serde(default)]
    pub reasons: Vec<Remark>,
    /// What is worth knowing before choosing.
    #[serde(default)]
    pub advice: Vec<Remark>,
    /// Time limits of the law: shown and counted, never judged.
    #[serde(default)]
    pub deadlines: Vec<DeadlineRule>,
    /// Papers that stay in the veteran's hands and go with them.
    #[serde(default)]
    pub carry: Vec<Carry>,
}

/// How a result reaches the veteran.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The kind, for icons.
    pub kind: DeliveryKind,
    /// In words.
    pub text: Text,
}

/// The kinds of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// Nothing to fetch: the result is an entry in a system.
    Record,
    /// Handed over at a window.
    Window,
    /// By courier.
    Courier,
    /// By courier or fetched, as the veteran likes.
    CourierOrPickUp,
}

/// A service that has to be chosen along with another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// Service key.
    pub service: String,
    /// Why.
    pub why: Text,
}

/// A rule that excludes a service when it does not hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// What must hold.
    pub when: Condition,
    /// What the veteran reads when it does not.
    pub otherwise: Text,
}

/// A sentence that may apply to some only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// Whom it concerns; everyone when absent.
    pub when: Option<Condition>,
    /// The sentence.
    pub text: Text,
}

/// A time limit counted from a date the veteran gave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineRule {
    /// Whom it concerns; everyone when absent.
    pub when: Option<Condition>,
    /// So many days after; the day of the event itself does not count.
    pub days: u16,
    /// Profile question that holds the date.
    pub from: String,
    /// In words.
    pub rule: Text,
    /// The article it rests on.
    pub law: Text,
}

/// A paper the veteran takes along.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// The paper.
    pub text: Text,
    /// Where to.
    pub to: Text,
    /// On which answers it depends; always needed when absent.
    pub when: Option<Condition>,
}

/// One field of the form, asked as a question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// `settlement_type`.
    pub key: String,
    /// The field as the guide names it.
    pub label: Text,
    /// Asked as a sentence.
    pub text: Text,
    /// Why it is asked, or how to answer.
    pub help: Text,
    /// What an answer looks like.
    pub kind: QuestionKind,
    /// What to offer for confirmation instead of an empty page.
    pub suggest: Option<Suggestion>,
    /// When another answer settles this one, so that it is not asked.
    #[serde(default)]
    pub derive: Vec<Derivation>,
}

/// What an answer looks like.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum QuestionKind {
    /// Comes from the card, is never typed.
    Card {
        /// Which item of the card.
        item: CardItem,
        /// Code table that gives the item its words.
        table: Option<String>,
    },
    /// One code of a table.
    Choice {
        /// Code table.
        table: String,
    },
    /// `yes` or `no`.
    YesNo,
    /// Free text.
    Text {
        /// Longest accepted, in characters.
        max_chars: usize,
    },
    /// A person's name in any script the register knows.
    Name {
        /// Longest accepted, in characters.
        max_chars: usize,
    },
    /// A mobile number.
    Phone,
    /// 公民身份号码.
    IdentityNumber,
    /// A day.
    Date {
        /// Earliest accepted.
        not_before: Option<DateLimit>,
        /// Latest accepted.
        not_after: Option<DateLimit>,
    },
    /// A place of the national list.
    Region {
        /// 1 province, 2 city, 3 county, 4 township: the least precise answer accepted, where
        /// the place has so many levels.
        min_level: usize,
        /// The most precise answer accepted.
        max_level: usize,
        /// Only places below this one.
        within: Option<String>,
        /// Whether `~` and the name of a place that exists no longer is accepted.
        #[serde(default)]
        free_text: bool,
    },
    /// A postal address.
    Address {
        /// Longest accepted, in characters.
        max_chars: usize,
    },
}

/// What a resident identity card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardItem {
    /// 姓名.
    Name,
    /// 公民身份号码.
    IdentityNumber,
    /// 民族, as code.
    Ethnicity,
    /// 住址.
    Address,
    /// The six digits of the place of first registration, out of the number.
    NumberRegion,
}

/// Where a suggestion comes from; a suggestion is always confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suggestion {
    /// The card.
    Card(CardItem),
    /// The answer to an earlier question.
    Question(String),
}

/// An answer that follows from others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// On answers only.
    pub when: Condition,
    /// The question whose answer is taken over.
    pub same_as: String,
}

/// A bound of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DateLimit {
    /// The day of answering.
    Today,
    /// A fixed day.
    On(jiff::civil::Date),
}

impl TryFrom<String> for DateLimit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match (text.as_str(), crate::answer::parse_date(&text)) {
            ("today", _) => Ok(Self::Today),
            (_, Some(date)) => Ok(Self::On(date)),
            _ => Err("a date limit is \"today\" or a day such as \"1949-10-01\""),
        }
    }
}

/// One of the few questions that decide what is offered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileQuestion {
    /// `category`.
    pub key: String,
    /// Short label.
    pub label: Text,
    /// Asked as a sentence.
    pub text: Text,
    /// Why it is asked, or how to answer.
    pub help: Text,
    /// What an answer looks like.
    pub kind: ProfileKind,
    /// Offered when the veteran need not know; the fact then stays absent.
    pub not_sure: Option<Text>,
}

/// What an answer to a profile question looks like.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProfileKind {
    /// One of a few.
    Choice {
        /// The choices in the order shown.
        options: Vec<ProfileOption>,
    },
    /// `yes` or `no`.
    YesNo,
    /// A day.
    Date {
        /// Earliest accepted.
        not_before: Option<DateLimit>,
        /// Latest accepted.
        not_after: Option<DateLimit>,
    },
}

/// One choice of a profile question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileOption {
    /// `self_directed_employment`.
    pub value: String,
    /// In words.
    pub text: Text,
}

/// A paper that is photographed, and whose original is checked at the window.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// `discharge_certificate`.
    pub key: String,
    /// Its name.
    pub text: Text,
    /// How to recognise and place it.
    pub help: Text,
    /// What to photograph it as.
    pub capture: Capture,
    /// Fewest photographs.
    pub min_pages: u16,
    /// Most photographs.
    pub max_pages: u16,
    /// What each page is, for as many as are named.
    #[serde(default)]
    pub pages: Vec<Text>,
    /// Papers with another name that count as this one.
    #[serde(default)]
    pub also: Vec<Text>,
    /// Who needs it at all; everyone when absent.
    pub when: Option<Condition>,
}

impl Material {
    /// Whether a paper with this Chinese name is this material or one that counts as it.
    pub fn is_named(&self, zh: &str) -> bool {
        self.text.zh == zh || self.also.iter().any(|name| name.zh == zh)
    }
}

/// What a material is photographed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// A sheet or booklet under the document camera.
    Document,
    /// A card.
    Card,
    /// A face, by the portrait camera.
    Portrait,
}

/// An announcement or a separate confirmation (PIPL 17, 28-30).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// `health`.
    pub key: String,
    /// Short title.
    pub title: Text,
    /// What is asked or announced.
    pub text: Text,
    /// What for.
    pub purpose: Text,
    /// The articles.
    pub law: Text,
    /// Announced to all, or confirmed for something.
    pub kind: ConsentKind,
    /// Questions whose answers need it.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Materials that need it.
    #[serde(default)]
    pub materials: Vec<String>,
}

/// Announced or confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// A notice that belongs to every visit.
    Notice,
    /// A confirmation of its own for sensitive information.
    Separate,
}

/// A table of codes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeTable {
    /// `education`.
    pub key: String,
    /// The standard, or who decides.
    pub standard: String,
    /// The codes in the order shown.
    pub codes: Vec<Code>,
}

impl CodeTable {
    /// The entry of a code.
    pub fn code(&self, code: &str) -> Option<&Code> {
        self.codes.iter().find(|entry| entry.code == code)
    }

    /// The entries a person chooses from.
    pub fn offered(&self) -> impl Iterator<Item = &Code> {
        self.codes.iter().filter(|entry| entry.offered)
    }
}

/// One code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// As the standard has it, leading zeros kept.
    pub code: String,
    /// In words.
    pub text: Text,
    /// The choice said back as a sentence, where its direction could be mistaken.
    pub confirm: Option<Text>,
    /// False for codes that are understood but not shown as a choice.
    #[serde(default = "yes")]
    pub offered: bool,
}

fn yes() -> bool {
    true
}

/// Something people look for here that is handled elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// What they look for.
    pub text: Text,
    /// Where it is handled.
    pub handled_by: Text,
}

/// The declaration signed by hand at the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Which wording was signed.
    pub version: String,
    /// The wording.
    pub text: Text,
}

/// The few sentences this crate itself puts together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// 是.
    pub yes: Text,
    /// 否.
    pub no: Text,
    /// With `{code}`.
    pub unknown_code: Text,
    /// With `{question}`.
    pub answer_first: Text,
}
