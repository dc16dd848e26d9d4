//! Why: who may have a service, which paper is needed when, and what follows from an answer are
//! rules of a province, so they are data. The language is small and typed on purpose: a rule that
//! needs more than this belongs to a person at the window, not to a terminal.

use std::collections::BTreeMap;

use jiff::civil::Date;
use personal::PersonalText;
use serde::Deserialize;

/// What the veteran said about their situation, and the two dates rules may count with.
#[derive(Clone)]
pub struct Facts {
    /// Profile question → value, for instance `category` → `self_directed_employment`. A question
    /// that was skipped or answered with 不清楚 is absent.
    pub answers: BTreeMap<String, String>,
    /// From the card, when there is one.
    pub birth_date: Option<Date>,
    /// The terminal's civil date.
    pub today: Date,
}

/// The content stays out of logs: Party membership and age are nobody's business there.
impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Facts({} answers, today {})", self.answers.len(), self.today)
    }
}

impl Facts {
    /// No answers yet.
    pub fn new(today: Date) -> Self {
        Self { answers: BTreeMap::new(), birth_date: None, today }
    }

    /// The answer to a profile question.
    pub fn get(&self, question: &str) -> Option<&str> {
        self.answers.get(question).map(String::as_str)
    }

    /// The answer to a profile question, when it is a date.
    pub fn date(&self, question: &str) -> Option<Date> {
        self.get(question).and_then(crate::answer::parse_date)
    }

    /// Full years on `today` (周岁).
    pub fn age(&self) -> Option<i32> {
        let born = self.birth_date?;
        let had_birthday = (self.today.month(), self.today.day()) >= (born.month(), born.day());
        let years = i32::from(self.today.year()) - i32::from(born.year());
        Some(years - i32::from(!had_birthday))
    }
}

/// A text that answers may be kept in.
pub trait AnswerText {
    /// The canonical answer.
    fn answer_text(&self) -> &str;
}

impl AnswerText for String {
    fn answer_text(&self) -> &str {
        self
    }
}

impl AnswerText for &str {
    fn answer_text(&self) -> &str {
        self
    }
}

impl AnswerText for PersonalText {
    fn answer_text(&self) -> &str {
        self.as_str()
    }
}

/// A rule, in the catalogue written as one of `{ fact = "…", is = "…" }`,
/// `{ fact = "…", any_of = […] }`, `{ answer = "…", is/any_of … }`, `{ age_at_most = 28 }`,
/// `{ all = […] }`, `{ any = […] }`, `{ not = {…} }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A profile question has one of these answers.
    Fact {
        /// Profile question.
        fact: String,
        /// Accepted answers.
        values: Vec<String>,
    },
    /// A question of the form has one of these answers.
    Answer {
        /// Question.
        answer: String,
        /// Accepted answers.
        values: Vec<String>,
    },
    /// Not older than so many full years.
    AgeAtMost(u16),
}

/// As written in a file, before it is known to be exactly one of the forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fact: Option<String>,
    answer: Option<String>,
    is: Option<String>,
    any_of: Option<Vec<String>>,
    all: Option<Vec<Condition>>,
    any: Option<Vec<Condition>>,
    not: Option<Box<Condition>>,
    age_at_most: Option<u16>,
}

const FORMS: &str =
    "a condition is exactly one of: {fact|answer, is|any_of}, {age_at_most}, {all}, {any}, {not}";

impl TryFrom<Written> for Condition {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let values = match (written.is, written.any_of) {
            (Some(one), None) => Some(vec![one]),
            (None, Some(several)) if !several.is_empty() => Some(several),
            (None, None) => None,
            _ => return Err(FORMS),
        };
        match (
            written.fact,
            written.answer,
            values,
            written.all,
            written.any,
            written.not,
            written.age_at_most,
        ) {
            (Some(fact), None, Some(values), None, None, None, None) => {
                Ok(Self::Fact { fact, values })
            }
            (None, Some(answer), Some(values), None, None, None, None) => {
                Ok(Self::Answer { answer, values })
            }
            (None, None, None, Some(all), None, None, None) if !all.is_empty() => {
                Ok(Self::All(all))
            }
            (None, None, None, None, Some(any), None, None) if !any.is_empty() => {
                Ok(Self::Any(any))
            }
            (None, None, None, None, None, Some(not), None) => Ok(Self::Not(not)),
            (None, None, None, None, None, None, Some(years)) => Ok(Self::AgeAtMost(years)),
            _ => Err(FORMS),
        }
    }
}

/// What is known when a condition is asked.
pub(crate) struct Known<'a> {
    pub facts: Option<&'a Facts>,
    pub answer: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl<'a> Known<'a> {
    /// Only the facts; no question of the form has been asked yet.
    pub fn facts(facts: &'a Facts) -> Self {
        Self { facts: Some(facts), answer: &|_| None }
    }
}

impl Condition {
    /// `None` when what it asks for is not known.
    pub(crate) fn holds(&self, known: &Known<'_>) -> Option<bool> {
        match self {
            Self::All(parts) => {
                let results: Vec<_> = parts.iter().map(|part| part.holds(known)).collect();
                match results.contains(&Some(false)) {
                    true => Some(false),
                    false => (!results.contains(&None)).then_some(true),
                }
            }
            Self::Any(parts) => {
                let results: Vec<_> = parts.iter().map(|part| part.holds(known)).collect();
                match results.contains(&Some(true)) {
                    true => Some(true),
                    false => (!results.contains(&None)).then_some(false),
                }
            }
            Self::Not(part) => part.holds(known).map(|held| !held),
            Self::Fact { fact, values } => {
                let said = known.facts?.get(fact)?;
                Some(values.iter().any(|value| value == said))
            }
            Self::Answer { answer, values } => {
                let said = (known.answer)(answer)?;
                Some(values.iter().any(|value| value == said))
            }
            Self::AgeAtMost(years) => Some(known.facts?.age()? <= i32::from(*years)),
        }
    }

    /// The first profile question it asks for that has no answer.
    pub(crate) fn first_unanswered(&self, facts: &Facts) -> Option<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().find_map(|part| part.first_unanswered(facts))
            }
            Self::Not(part) => part.first_unanswered(facts),
            Self::Fact { fact, .. } => facts.get(fact).is_none().then_some(fact.as_str()),
            Self::Answer { .. } | Self::AgeAtMost(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[derive(Deserialize)]
    struct Holder {
        when: Condition,
    }

    fn read(text: &str) -> Result<Condition, String> {
        toml::from_str::<Holder>(&format!("when = {text}"))
            .map(|holder| holder.when)
            .map_err(|error| error.to_string())
    }

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::new(date(2026, 11, 23));
        facts.answers = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        facts
    }

    fn holds(text: &str, facts: &Facts) -> Option<bool> {
        read(text).unwrap().holds(&Known::facts(facts))
    }

    #[test]
    fn leaves_and_combinations() {
        let facts = facts(&[("a", "x")]);
        assert_eq!(holds(r#"{ fact = "a", is = "x" }"#, &facts), Some(true));
        assert_eq!(holds(r#"{ fact = "a", any_of = ["y", "x"] }"#, &facts), Some(true));
        assert_eq!(holds(r#"{ fact = "a", is = "y" }"#, &facts), Some(false));
        assert_eq!(holds(r#"{ not = { fact = "a", is = "y" } }"#, &facts), Some(true));
        assert_eq!(holds(r#"{ fact = "b", is = "y" }"#, &facts), None);
    }

    #[test]
    fn the_unknown_never_outweighs_the_known() {
        let facts = facts(&[("a", "x")]);
        let (yes, no, unknown) = (
            r#"{ fact = "a", is = "x" }"#,
            r#"{ fact = "a", is = "n" }"#,
            r#"{ fact = "b", is = "y" }"#,
        );
        assert_eq!(holds(&format!("{{ all = [{no}, {unknown}] }}"), &facts), Some(false));
        assert_eq!(holds(&format!("{{ all = [{yes}, {unknown}] }}"), &facts), None);
        assert_eq!(holds(&format!("{{ any = [{unknown}, {yes}] }}"), &facts), Some(true));
        assert_eq!(holds(&format!("{{ any = [{unknown}, {no}] }}"), &facts), None);
        let both = read(&format!("{{ all = [{yes}, {unknown}] }}")).unwrap();
        assert_eq!(both.first_unanswered(&facts), Some("b"));
    }

    #[test]
    fn age_is_counted_in_full_years() {
        let mut facts = facts(&[]);
        assert_eq!(holds("{ age_at_most = 28 }", &facts), None);
        facts.birth_date = Some(date(1997, 11, 24));
        assert_eq!(holds("{ age_at_most = 28 }", &facts), Some(true));
        facts.birth_date = Some(date(1997, 11, 23));
        assert_eq!(facts.age(), Some(29));
        assert_eq!(holds("{ age_at_most = 28 }", &facts), Some(false));
    }

    #[test]
    fn anything_but_one_form_is_refused() {
        for text in [
            "{}",
            r#"{ fact = "a" }"#,
            r#"{ is = "a" }"#,
            r#"{ fact = "a", is = "x", any_of = ["y"] }"#,
            r#"{ fact = "a", any_of = [] }"#,
            "{ all = [] }",
            r#"{ fact = "a", is = "x", age_at_most = 3 }"#,
            r#"{ fact = "a", answer = "b", is = "x" }"#,
        ] {
            assert!(read(text).unwrap_err().contains("exactly one of"), "{text}");
        }
        assert!(read(r#"{ fakt = "a", is = "x" }"#).unwrap_err().contains("unknown field"));
    }

    #[test]
    fn debug_keeps_the_facts_to_itself() {
        assert!(!format!("{:?}", facts(&[("affiliation", "party")])).contains("party"));
    }
}
