//! Why: a department receives its own fields and papers and nothing else (PIPL 6, 34). The split is
//! made in one place, from the catalogue alone, and the gateway can repeat it to check the kiosk's.
//! Refuses: services it does not know are nobody's, so they share nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::case::Wanted;
use crate::catalog::Catalog;

/// What one department receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentShare {
    /// Department key.
    pub department: String,
    /// Its services among those chosen.
    pub services: Vec<String>,
    /// Question keys, in the order asked.
    pub fields: Vec<String>,
    /// Material keys, in the order photographed.
    pub materials: Vec<String>,
}

/// A department asked for something its service does not entitle it to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "service \"{service}\" gives no claim to \"{item}\"; ask only for its own fields and papers"
)]
pub struct CorrectionScopeError {
    /// Service key.
    pub service: String,
    /// The field, material or unknown service.
    pub item: String,
}

impl Catalog {
    /// The split of a submission, in the departments' order; departments without a service chosen
    /// are absent.
    pub fn share_out(
        &self,
        selected: &[String],
        answered: &BTreeSet<String>,
        materials: &BTreeSet<String>,
    ) -> Vec<DepartmentShare> {
        let mut shares = Vec::new();
        for department in &self.departments {
            let own: Vec<_> = self
                .services
                .iter()
                .filter(|s| s.department == department.key && selected.contains(&s.key))
                .collect();
            if own.is_empty() {
                continue;
            }
            let fields = self.questions.iter().map(|question| &question.key).filter(|key| {
                answered.contains(*key) && own.iter().any(|service| service.fields.contains(key))
            });
            let papers = self.materials.iter().map(|material| &material.key).filter(|key| {
                materials.contains(*key)
                    && own.iter().any(|service| service.materials.contains(key))
            });
            shares.push(DepartmentShare {
                department: department.key.clone(),
                services: own.iter().map(|service| service.key.clone()).collect(),
                fields: fields.cloned().collect(),
                materials: papers.cloned().collect(),
            });
        }
        shares
    }

    /// Whether a correction request asks only for what its service is entitled to.
    pub fn check_correction(
        &self,
        service: &str,
        what: &Wanted,
    ) -> Result<(), CorrectionScopeError> {
        let refuse = |item: &str| CorrectionScopeError {
            service: service.to_owned(),
            item: item.to_owned(),
        };
        let found = self.service(service).ok_or_else(|| refuse(service))?;
        let foreign_field = what.fields.iter().find(|key| !found.fields.contains(key));
        let foreign_paper = what.materials.iter().find(|key| !found.materials.contains(key));
        match foreign_field.or(foreign_paper) {
            Some(item) => Err(refuse(item)),
            None => Ok(()),
        }
    }
}
