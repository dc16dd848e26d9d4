//! Why: a rule that asks for something nobody answers would silently never apply. Every condition is
//! followed to its leaves; each leaf must name a question known at that place, and a value that
//! question can have.

use super::check::Check;
use super::source::{Source, Step, at};
use crate::condition::Condition;
use crate::error::ProblemKind;
use crate::model::ProfileKind;

/// Where a condition stands, for its messages.
pub(super) struct Place<'a> {
    pub source: &'a Source,
    pub path: Vec<Step>,
    pub owner: String,
}

impl<'a> Place<'a> {
    pub fn new(source: &'a Source, path: &[Step], owner: &str) -> Self {
        Self { source, path: path.to_vec(), owner: owner.to_owned() }
    }

    fn below(&self, steps: &[Step]) -> Self {
        Self::new(self.source, &[self.path.as_slice(), steps].concat(), &self.owner)
    }
}

/// What a condition at some place may ask for.
#[derive(Clone, Copy)]
pub(super) enum Asks<'a> {
    /// Profile questions and age.
    Facts,
    /// Answers to these questions.
    Answers(&'a [String]),
}

impl Check<'_> {
    pub(super) fn condition(
        &mut self,
        condition: Option<&Condition>,
        place: &Place<'_>,
        asks: Asks<'_>,
    ) {
        let Some(condition) = condition else { return };
        let owner = &place.owner;
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let list = if matches!(condition, Condition::All(_)) { "all" } else { "any" };
                    self.condition(Some(part), &place.below(&at![list, index]), asks);
                }
            }
            Condition::Not(part) => {
                self.condition(Some(part), &place.below(&at!["not"]), asks);
            }
            Condition::AgeAtMost(_) => {
                self.allowed(place, matches!(asks, Asks::Facts), "age_at_most");
            }
            Condition::Fact { fact, values } => {
                self.allowed(place, matches!(asks, Asks::Facts), "fact");
                let question = self.catalog.profile_question(fact);
                let at = place.below(&at!["fact"]);
                self.one(at.source, &at.path, owner, fact, "profile.toml", question.is_some());
                if let Some(question) = question {
                    let accepts = |value: &str| match &question.kind {
                        ProfileKind::Choice { options } => options.iter().any(|o| o.value == value),
                        ProfileKind::YesNo => matches!(value, "yes" | "no"),
                        ProfileKind::Date { .. } => false,
                    };
                    self.values(place, values, fact, accepts);
                }
            }
            Condition::Answer { answer, values } => {
                let asked = match asks {
                    Asks::Facts => {
                        self.allowed(place, false, "answer");
                        return;
                    }
                    Asks::Answers(fields) => fields.contains(answer),
                };
                let at = place.below(&at!["answer"]);
                let file = "the questions asked before it";
                self.one(at.source, &at.path, owner, answer, file, asked);
                if asked {
                    let catalog = self.catalog;
                    self.values(place, values, answer, |v| catalog.validate(answer, v).is_ok());
                }
            }
        }
    }

    fn allowed(&mut self, place: &Place<'_>, allowed: bool, what: &str) {
        if !allowed {
            let message = format!("{} has a condition on \"{what}\", unknown there", place.owner);
            let cure = "use \"fact\" for services and materials, \"answer\" for carry and derive";
            self.value(place.source, &place.path, message, cure);
        }
    }

    fn values(
        &mut self,
        place: &Place<'_>,
        values: &[String],
        question: &str,
        accepts: impl Fn(&str) -> bool,
    ) {
        for value in values.iter().filter(|value| !accepts(value)) {
            let message = format!("{}: \"{value}\" is no answer to \"{question}\"", place.owner);
            let cure = "use a value that question offers";
            self.report(place.source, &place.path, ProblemKind::Dangling, message, cure);
        }
    }
}
