//! Why: a terminal is enrolled, not trusted. What a manifest says is held against the catalogue
//! here, and the split between departments is made anew; only when both agree does a case exist.
//!
//! Refuses: services the rules exclude, answers that are not canonical or that no department needs,
//! items that contradict the card, papers nobody asked for, and any split but the catalogue's own.
//! Pure: no clock, no disk.

use std::collections::{BTreeMap, BTreeSet};

use catalog::identity_number::IdentityNumber;
use catalog::{CardItem, Catalog, DepartmentShare, Facts, QuestionKind};
use envelope::{Attachment, Identity, Kind, Manifest, Medium, Opened};
use jiff::civil::Date;
use jiff::tz::Offset;
use provisioning::identity_hash::identity_hash;
use uuid::Uuid;

use crate::cases::{Answered, NewCase, NewPaper};

/// The material that a person whose card no reader has seen must bring along in any case: by its
/// photograph staff recognises the person.
const CARD_PHOTOGRAPH: &str = "identity_card";

/// A submission that agrees with the catalogue.
pub(super) enum Checked {
    /// To become a case.
    Application(Box<NewCase>),
    /// To become part of one.
    Correction(Box<Answered>),
}

/// Why a submission does not become a case. Says nothing about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the applicant's identity number is not one")]
    IdentityNumber,
    #[error("a service is unknown, doubled or not for this veteran")]
    Services,
    #[error("an answer is to no question of the catalogue")]
    UnknownField,
    #[error("an answer is not in its canonical form")]
    FieldInvalid,
    #[error("an answer contradicts the card")]
    FieldContradictsCard,
    #[error("a paper is unknown, or asked for by none of the services")]
    Material,
    #[error("the split between departments is not the catalogue's")]
    Shares,
    #[error("an answer is in no department's share")]
    UnsharedField,
    #[error("the correction does not name its case")]
    CorrectionCase,
    #[error("the correction answers for other services than it names")]
    CorrectionServices,
}

impl Refused {
    /// Stable word, for the audit.
    pub fn code(self) -> &'static str {
        match self {
            Self::IdentityNumber => "identity_number",
            Self::Services => "services",
            Self::UnknownField => "unknown_field",
            Self::FieldInvalid => "field_invalid",
            Self::FieldContradictsCard => "field_contradicts_card",
            Self::Material => "material",
            Self::Shares => "shares",
            Self::UnsharedField => "unshared_field",
            Self::CorrectionCase => "correction_case",
            Self::CorrectionServices => "correction_services",
        }
    }

    /// Whether another version of the catalogue might judge otherwise.
    pub fn is_by_catalogue(self) -> bool {
        match self {
            Self::Services
            | Self::UnknownField
            | Self::FieldInvalid
            | Self::FieldContradictsCard
            | Self::Material
            | Self::Shares
            | Self::UnsharedField => true,
            Self::IdentityNumber | Self::CorrectionCase | Self::CorrectionServices => false,
        }
    }
}

/// Holds an opened submission against the catalogue.
pub(super) fn check(opened: Opened, catalog: &Catalog, pepper: &str) -> Result<Checked, Refused> {
    let Opened { manifest, attachments, .. } = opened;
    let number = manifest.identity.number.as_str();
    let born = IdentityNumber::parse(number).map_err(|_| Refused::IdentityNumber)?.birth_date();
    let identity_hash = identity_hash(pepper, number).map_err(|_| Refused::IdentityNumber)?;
    check_answers(&manifest, catalog)?;
    check_shares(&manifest, catalog)?;
    let papers = papers(&manifest, catalog, attachments)?;
    match manifest.kind {
        Kind::Application => {
            let facts = Facts {
                answers: manifest.profile.clone(),
                birth_date: Some(born),
                today: day_of(&manifest),
            };
            let plan = catalog.plan(&manifest.services, &facts).map_err(|_| Refused::Services)?;
            let shares = shares_by_service(&manifest, catalog);
            let fields = manifest.fields.clone();
            Ok(Checked::Application(Box::new(NewCase {
                dispatch: plan.dispatch,
                identity_hash,
                shares,
                fields,
                papers,
                manifest,
            })))
        }
        Kind::Correction => {
            let correction = manifest.correction.as_ref().ok_or(Refused::CorrectionCase)?;
            let case_id =
                Uuid::parse_str(&correction.case_id).map_err(|_| Refused::CorrectionCase)?;
            if !correction.answers.iter().all(|answer| manifest.services.contains(answer)) {
                return Err(Refused::CorrectionServices);
            }
            let fields = manifest.fields.clone();
            Ok(Checked::Correction(Box::new(Answered {
                case_id,
                identity_hash,
                fields,
                papers,
                manifest,
            })))
        }
    }
}

/// The day of 提交 where the terminal stands; the whole country keeps Beijing time.
fn day_of(manifest: &Manifest) -> Date {
    Offset::constant(8).to_datetime(manifest.created_at).date()
}

fn check_answers(manifest: &Manifest, catalog: &Catalog) -> Result<(), Refused> {
    let today = day_of(manifest);
    for (key, value) in &manifest.fields {
        let question = catalog.question(key).ok_or(Refused::UnknownField)?;
        let value = value.as_str();
        if let QuestionKind::Card { item, .. } = &question.kind {
            // Not held against code tables: what a card says stays, also when no table knows it.
            if !agrees(&manifest.identity, *item, value) {
                return Err(Refused::FieldContradictsCard);
            }
            continue;
        }
        match catalog.validate_on(key, value, today) {
            Ok(canonical) if canonical == value => {}
            _ => return Err(Refused::FieldInvalid),
        }
    }
    Ok(())
}

/// What is not known of the person (an identity that was typed) cannot be contradicted.
fn agrees(identity: &Identity, item: CardItem, value: &str) -> bool {
    let known = match item {
        CardItem::Name => identity.name.as_str(),
        CardItem::IdentityNumber => identity.number.as_str(),
        CardItem::Ethnicity => identity.ethnicity.as_str(),
        CardItem::Address => identity.address.as_str(),
        CardItem::NumberRegion => identity.number.as_str().get(..6).unwrap_or_default(),
    };
    known.is_empty() || known == value
}

fn check_shares(manifest: &Manifest, catalog: &Catalog) -> Result<(), Refused> {
    if manifest.services.iter().any(|key| catalog.service(key).is_none()) {
        return Err(Refused::Services);
    }
    let ours = share_out(manifest, catalog, &manifest.services);
    if ours.len() != manifest.departments.len() {
        return Err(Refused::Shares);
    }
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    // What no share names would still be kept with the case, where nobody has a use for it.
    let shared: BTreeSet<&String> = ours.iter().flat_map(|share| &share.fields).collect();
    if !manifest.fields.keys().all(|key| shared.contains(key)) {
        return Err(Refused::UnsharedField);
    }
    for share in &ours {
        let theirs = manifest.departments.get(&share.department).ok_or(Refused::Shares)?;
        // A list with a doubled key is not the catalogue's either, hence the lengths.
        let same = |a: &[String], b: &[String]| a.len() == b.len() && set(a) == set(b);
        let agree = same(&share.services, &theirs.services)
            && same(&share.fields, &theirs.fields)
            && same(&share.materials, &theirs.materials);
        if !agree {
            return Err(Refused::Shares);
        }
    }
    Ok(())
}

fn share_out(manifest: &Manifest, catalog: &Catalog, services: &[String]) -> Vec<DepartmentShare> {
    let answered: BTreeSet<String> = manifest.fields.keys().cloned().collect();
    let papers = manifest.materials.iter().map(|entry| entry.kind.clone()).collect();
    catalog.share_out(services, &answered, &papers)
}

/// What each service alone entitles its department to: inboxes fill service by service.
fn shares_by_service(manifest: &Manifest, catalog: &Catalog) -> Vec<(String, DepartmentShare)> {
    let one = |service: &String| {
        let share = share_out(manifest, catalog, std::slice::from_ref(service)).into_iter().next();
        share.map(|share| (service.clone(), share))
    };
    manifest.services.iter().filter_map(one).collect()
}

fn papers(
    manifest: &Manifest,
    catalog: &Catalog,
    attachments: Vec<Attachment>,
) -> Result<Vec<NewPaper>, Refused> {
    let mut bytes: BTreeMap<String, _> =
        attachments.into_iter().map(|file| (file.name, file.bytes)).collect();
    let wanted = |kind: &str| {
        let mut services = manifest.services.iter().filter_map(|key| catalog.service(key));
        services.any(|service| service.materials.iter().any(|key| key == kind))
    };
    // It is in no share unless a service asks for it too, so it reaches staff and nobody else.
    let recognises = |kind: &str| {
        manifest.kind == Kind::Application
            && manifest.identity.medium == Medium::Typed
            && kind == CARD_PHOTOGRAPH
    };
    let mut papers = Vec::new();
    for entry in &manifest.materials {
        if !wanted(&entry.kind) && !recognises(&entry.kind) {
            return Err(Refused::Material);
        }
        papers.push(NewPaper {
            kind: entry.kind.clone(),
            page: entry.page,
            name: entry.name.clone(),
            media_type: entry.media_type.clone(),
            bytes: bytes.remove(&entry.name).ok_or(Refused::Material)?,
        });
    }
    Ok(papers)
}
