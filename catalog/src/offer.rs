//! Why: the veteran sees all joint services, each with why it is or is not for them, none chosen in
//! advance. Refuses to judge time limits: what the law leaves to people is shown and counted.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::catalog::Catalog;
use crate::condition::{Facts, Known};
use crate::model::{DeadlineRule, Remark, Service};
use crate::text::Text;

/// One service, as it stands for this veteran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Service key.
    pub service: String,
    /// Offered or not, and why.
    pub decision: Decision,
}

/// Offered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// May be chosen.
    Offered {
        /// Why it concerns this veteran.
        reasons: Vec<Text>,
        /// What is worth knowing first, time limits that could not be counted included.
        advice: Vec<Text>,
        /// The time limit that applies, counted.
        deadline: Option<Deadline>,
    },
    /// May not be chosen.
    Excluded {
        /// Why.
        reason: Text,
    },
}

/// A time limit, counted. A date in the past is shown, and the service stays offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The last day.
    pub due: Date,
    /// From today; negative when it is over.
    pub days_left: i64,
    /// The rule in words.
    pub rule: Text,
    /// The article it rests on.
    pub law: Text,
}

impl Offer {
    /// Whether it may be chosen.
    pub fn is_offered(&self) -> bool {
        matches!(self.decision, Decision::Offered { .. })
    }
}

impl Catalog {
    /// One entry a service, in the guide's order.
    pub fn offers(&self, facts: &Facts) -> Vec<Offer> {
        let entry = |service: &Service| Offer {
            service: service.key.clone(),
            decision: match self.exclusion(service, facts) {
                Some(reason) => Decision::Excluded { reason },
                None => offered(service, facts),
            },
        };
        self.services.iter().map(entry).collect()
    }

    /// Why the rules exclude a service; a rule that asks for a fact nobody gave excludes until it
    /// is given. An age that cannot be known (no card) is left to the window.
    pub(crate) fn exclusion(&self, service: &Service, facts: &Facts) -> Option<Text> {
        service.requires.iter().find_map(|rule| match rule.when.holds(&Known::facts(facts)) {
            Some(true) => None,
            Some(false) => Some(rule.otherwise.clone()),
            None => {
                let question = self.profile_question(rule.when.first_unanswered(facts)?)?;
                Some(self.words.answer_first.filled("question", &question.label))
            }
        })
    }
}

fn offered(service: &Service, facts: &Facts) -> Decision {
    let mut advice = remarks(&service.advice, facts);
    let rules = service.deadlines.iter().filter(|rule| concerns(rule.when.as_ref(), facts));
    let mut deadline = None;
    for rule in rules {
        match counted(rule, facts) {
            Some(found) if deadline.is_none() => deadline = Some(found),
            _ => advice.push(rule.rule.clone()),
        }
    }
    Decision::Offered { reasons: remarks(&service.reasons, facts), advice, deadline }
}

fn concerns(when: Option<&crate::condition::Condition>, facts: &Facts) -> bool {
    when.is_none_or(|condition| condition.holds(&Known::facts(facts)) == Some(true))
}

fn remarks(all: &[Remark], facts: &Facts) -> Vec<Text> {
    let applies = |remark: &&Remark| concerns(remark.when.as_ref(), facts);
    all.iter().filter(applies).map(|remark| remark.text.clone()).collect()
}

fn counted(rule: &DeadlineRule, facts: &Facts) -> Option<Deadline> {
    let span: Span = i64::from(rule.days).days();
    let due = facts.date(&rule.from)?.checked_add(span).ok()?;
    let days_left = i64::from(facts.today.until(due).ok()?.get_days());
    Some(Deadline { due, days_left, rule: rule.rule.clone(), law: rule.law.clone() })
}
