//! Why: from the services chosen follows everything else: what is asked (once), what is
//! photographed, what is carried where, what must be confirmed, and who waits for whom.
//! Refuses a selection the rules exclude, rather than dropping a service quietly.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::catalog::Catalog;
use crate::condition::{AnswerText, Condition, Facts, Known};
use crate::model::{QuestionKind, Service};
use crate::text::Text;

/// What a visit has to gather, and what happens with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The services, in the guide's order.
    pub services: Vec<String>,
    /// Questions to ask, in order, each once; nothing that the card answers.
    pub questions: Vec<String>,
    /// Those of them that other answers may settle; see [`Catalog::derived`].
    pub derivable: Vec<String>,
    /// Fields the card answers.
    pub from_card: Vec<String>,
    /// Papers to photograph, each once.
    pub materials: Vec<MaterialNeed>,
    /// Papers the veteran takes along; some depend on answers not yet given.
    pub carried: Vec<CarriedPaper>,
    /// The notice and the separate confirmations.
    pub consents: Vec<String>,
    /// Who is given what, in an order in which nobody precedes whom they wait for.
    pub dispatch: Vec<DispatchStep>,
}

/// One paper to photograph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialNeed {
    /// Material key.
    pub key: String,
    /// The services that share it.
    pub for_services: Vec<String>,
    /// Fewest photographs.
    pub min_pages: u16,
    /// Most photographs.
    pub max_pages: u16,
}

/// One paper the veteran takes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedPaper {
    /// The services it is for.
    pub for_services: Vec<String>,
    /// The paper.
    pub text: Text,
    /// Where to.
    pub where_to: Text,
    /// On which answers it depends.
    pub when: Option<Condition>,
}

impl CarriedPaper {
    /// Whether it is needed; `None` while the answer that decides is missing.
    pub fn needed<S: AnswerText>(&self, answers: &BTreeMap<String, S>) -> Option<bool> {
        let lookup = |key: &str| answers.get(key).map(AnswerText::answer_text);
        match &self.when {
            None => Some(true),
            Some(condition) => condition.holds(&Known { facts: None, answer: &lookup }),
        }
    }
}

/// One department's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchStep {
    /// Service key.
    pub service: String,
    /// Department key.
    pub department: String,
    /// Services of this plan that must be finished first.
    pub after: Vec<String>,
}

/// Why there is no plan for a selection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Nothing chosen.
    #[error("no service is chosen")]
    NothingSelected,
    /// No such service.
    #[error("the catalogue has no service \"{service}\"")]
    UnknownService {
        /// The key.
        service: String,
    },
    /// Chosen twice.
    #[error("service \"{service}\" is chosen twice")]
    Doubled {
        /// Service key.
        service: String,
    },
    /// A profile question that everyone must answer has no answer, or one it does not know.
    #[error("the profile question \"{question}\" has no usable answer")]
    Profile {
        /// Profile question key.
        question: String,
    },
    /// The rules exclude it.
    #[error("service \"{service}\" is not for this veteran: {}", reason.en)]
    Excluded {
        /// Service key.
        service: String,
        /// Why, for the screen.
        reason: Text,
    },
    /// It cannot go without another.
    #[error("service \"{service}\" needs \"{needs}\" as well: {}", why.en)]
    NeedsCompanion {
        /// Service key.
        service: String,
        /// The service to choose too.
        needs: String,
        /// Why, for the screen.
        why: Text,
    },
}

impl PlanError {
    /// What can be done.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::NothingSelected => "choose at least one service",
            Self::UnknownService { .. } => "load the catalogue this selection was made with",
            Self::Doubled { .. } => "choose each service once",
            Self::Profile { .. } => "answer that question first",
            Self::Excluded { .. } => "leave the service out, or correct the answer it depends on",
            Self::NeedsCompanion { .. } => "choose both, or leave the first out",
        }
    }
}

impl Catalog {
    /// Everything that follows from a selection.
    pub fn plan(&self, selected: &[String], facts: &Facts) -> Result<Plan, PlanError> {
        let chosen = self.chosen(selected, facts)?;
        let wanted = |field: &str| chosen.iter().any(|s| s.fields.iter().any(|f| f == field));

        let mut plan = Plan {
            services: keys(&chosen),
            questions: Vec::new(),
            derivable: Vec::new(),
            from_card: Vec::new(),
            materials: self.material_needs(&chosen, facts),
            carried: carried(&chosen),
            consents: Vec::new(),
            dispatch: dispatch(&chosen),
        };
        for question in self.questions.iter().filter(|question| wanted(&question.key)) {
            if matches!(question.kind, QuestionKind::Card { .. }) {
                plan.from_card.push(question.key.clone());
                continue;
            }
            plan.questions.push(question.key.clone());
            if !question.derive.is_empty() {
                plan.derivable.push(question.key.clone());
            }
        }
        let fields: Vec<String> = plan.from_card.iter().chain(&plan.questions).cloned().collect();
        let papers: Vec<String> = plan.materials.iter().map(|need| need.key.clone()).collect();
        plan.consents =
            self.consents_for(&fields, &papers).iter().map(|found| found.key.clone()).collect();
        Ok(plan)
    }

    fn chosen(&self, selected: &[String], facts: &Facts) -> Result<Vec<&Service>, PlanError> {
        if selected.is_empty() {
            return Err(PlanError::NothingSelected);
        }
        for (index, key) in selected.iter().enumerate() {
            let service = key.clone();
            if self.service(key).is_none() {
                return Err(PlanError::UnknownService { service });
            }
            if selected[..index].contains(key) {
                return Err(PlanError::Doubled { service });
            }
        }
        for question in &self.profile {
            let usable = match facts.get(&question.key) {
                Some(value) => self.validate_fact(&question.key, value, facts.today).is_ok(),
                None => question.not_sure.is_some(),
            };
            if !usable {
                return Err(PlanError::Profile { question: question.key.clone() });
            }
        }
        let chosen: Vec<&Service> =
            self.services.iter().filter(|service| selected.contains(&service.key)).collect();
        for service in &chosen {
            if let Some(reason) = self.exclusion(service, facts) {
                return Err(PlanError::Excluded { service: service.key.clone(), reason });
            }
            let missing = |needs: &&crate::model::Companion| !selected.contains(&needs.service);
            if let Some(companion) = service.together_with.iter().find(missing) {
                return Err(PlanError::NeedsCompanion {
                    service: service.key.clone(),
                    needs: companion.service.clone(),
                    why: companion.why.clone(),
                });
            }
        }
        Ok(chosen)
    }

    /// In the order papers are photographed; a paper this veteran cannot hold is not asked for.
    fn material_needs(&self, chosen: &[&Service], facts: &Facts) -> Vec<MaterialNeed> {
        let mut needs = Vec::new();
        for material in &self.materials {
            let condition = material.when.as_ref();
            let held = condition.is_none_or(|c| c.holds(&Known::facts(facts)) == Some(true));
            let users = chosen.iter().filter(|service| service.materials.contains(&material.key));
            let for_services: Vec<String> = users.map(|service| service.key.clone()).collect();
            if held && !for_services.is_empty() {
                needs.push(MaterialNeed {
                    key: material.key.clone(),
                    for_services,
                    min_pages: material.min_pages,
                    max_pages: material.max_pages,
                });
            }
        }
        needs
    }
}

fn keys(services: &[&Service]) -> Vec<String> {
    services.iter().map(|service| service.key.clone()).collect()
}

/// Papers that two services ask for in the same words are one paper.
fn carried(chosen: &[&Service]) -> Vec<CarriedPaper> {
    let mut papers: Vec<CarriedPaper> = Vec::new();
    for service in chosen {
        for carry in &service.carry {
            let same = |paper: &&mut CarriedPaper| {
                paper.text == carry.text && paper.where_to == carry.to && paper.when == carry.when
            };
            match papers.iter_mut().find(same) {
                Some(paper) => paper.for_services.push(service.key.clone()),
                None => papers.push(CarriedPaper {
                    for_services: vec![service.key.clone()],
                    text: carry.text.clone(),
                    where_to: carry.to.clone(),
                    when: carry.when.clone(),
                }),
            }
        }
    }
    papers
}

/// Repeatedly takes the first service that waits for nothing left; a loaded catalogue has no
/// cycle, so that every service is taken.
fn dispatch(chosen: &[&Service]) -> Vec<DispatchStep> {
    let mut waiting: Vec<&Service> = chosen.to_vec();
    let mut steps = Vec::new();
    while !waiting.is_empty() {
        let left: Vec<&str> = waiting.iter().map(|service| service.key.as_str()).collect();
        let free = |service: &&Service| !service.after.iter().any(|a| left.contains(&a.as_str()));
        let next = waiting.iter().position(free).unwrap_or(0);
        let service = waiting.remove(next);
        let part = |key: &&String| chosen.iter().any(|other| other.key == **key);
        steps.push(DispatchStep {
            service: service.key.clone(),
            department: service.department.clone(),
            after: service.after.iter().filter(part).cloned().collect(),
        });
    }
    steps
}
