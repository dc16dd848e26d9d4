//! Why: one value holds the whole guide, immutable once loaded, shared by every visit.

use std::path::Path;

use crate::error::CatalogErrors;
use crate::model::{
    CodeTable, Consent, ConsentKind, Declaration, Department, Material, ProfileQuestion, Question,
    QuestionKind, Referral, Service, Words,
};
use crate::regions::{Abolished, Regions};
use crate::text::Text;

/// What the guide says, loaded and cross-checked.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) version: String,
    pub(crate) province: String,
    pub(crate) title: Text,
    pub(crate) declaration: Declaration,
    pub(crate) not_handled: Vec<Referral>,
    pub(crate) words: Words,
    pub(crate) departments: Vec<Department>,
    pub(crate) services: Vec<Service>,
    pub(crate) questions: Vec<Question>,
    pub(crate) profile: Vec<ProfileQuestion>,
    pub(crate) materials: Vec<Material>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) tables: Vec<CodeTable>,
    pub(crate) regions: Regions,
    pub(crate) abolished: Abolished,
}

impl Catalog {
    /// Reads a province's folder and the lists of places it names.
    pub fn load(dir: &Path) -> Result<Catalog, CatalogErrors> {
        crate::load::load(dir)
    }

    /// For instance `sichuan-2026.11`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// For instance `sichuan`.
    pub fn province(&self) -> &str {
        &self.province
    }

    /// 退役军人服务一件事.
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// The declaration signed at the end.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// What people look for here in vain, and where it is handled.
    pub fn not_handled(&self) -> &[Referral] {
        &self.not_handled
    }

    /// The joint services in the guide's order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// One joint service.
    pub fn service(&self, key: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.key == key)
    }

    /// The departments.
    pub fn departments(&self) -> &[Department] {
        &self.departments
    }

    /// One department.
    pub fn department(&self, key: &str) -> Option<&Department> {
        self.departments.iter().find(|department| department.key == key)
    }

    /// The fields, in the order they are asked.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// One field.
    pub fn question(&self, key: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.key == key)
    }

    /// The departments that receive a field, in catalogue order.
    pub fn departments_of(&self, question: &str) -> Vec<&str> {
        let receives = |department: &&Department| {
            self.services.iter().any(|service| {
                service.department == department.key
                    && service.fields.iter().any(|field| field == question)
            })
        };
        self.departments.iter().filter(receives).map(|found| found.key.as_str()).collect()
    }

    /// The few questions that decide what is offered.
    pub fn profile_questions(&self) -> &[ProfileQuestion] {
        &self.profile
    }

    /// One of them.
    pub fn profile_question(&self, key: &str) -> Option<&ProfileQuestion> {
        self.profile.iter().find(|question| question.key == key)
    }

    /// The papers, in the order they are photographed.
    pub fn materials(&self) -> &[Material] {
        &self.materials
    }

    /// One paper.
    pub fn material(&self, key: &str) -> Option<&Material> {
        self.materials.iter().find(|material| material.key == key)
    }

    /// The notice and the separate confirmations.
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }

    /// One of them.
    pub fn consent(&self, key: &str) -> Option<&Consent> {
        self.consents.iter().find(|consent| consent.key == key)
    }

    /// One code table.
    pub fn code_table(&self, key: &str) -> Option<&CodeTable> {
        self.tables.iter().find(|table| table.key == key)
    }

    /// All code tables.
    pub fn code_tables(&self) -> &[CodeTable] {
        &self.tables
    }

    /// The nation's places.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Places that are gone, as far as they are known; empty where the province names no list.
    pub fn abolished(&self) -> &Abolished {
        &self.abolished
    }

    /// The code table that gives a question's answers their words.
    pub fn table_of(&self, question: &Question) -> Option<&CodeTable> {
        match &question.kind {
            QuestionKind::Choice { table } | QuestionKind::Card { table: Some(table), .. } => {
                self.code_table(table)
            }
            _ => None,
        }
    }

    /// The confirmations that these fields and papers need, the notice first.
    pub fn consents_for(&self, fields: &[String], materials: &[String]) -> Vec<&Consent> {
        let touches = |consent: &&Consent| {
            consent.kind == ConsentKind::Notice
                || consent.fields.iter().any(|key| fields.contains(key))
                || consent.materials.iter().any(|key| materials.contains(key))
        };
        self.consents.iter().filter(touches).collect()
    }
}
