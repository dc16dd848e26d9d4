//! Why: turns a province's folder into a [`Catalog`], or into the list of everything that is wrong
//! with it. Refuses to load in part: a catalogue with a hole would show the hole to a veteran.

mod check;
mod conditions;
mod source;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::catalog::Catalog;
use crate::error::{CatalogErrors, Problem, ProblemKind};
use crate::model::{
    CodeTable, Consent, Declaration, Department, Material, ProfileQuestion, Question, Referral,
    Service, Words,
};
use crate::regions::{Abolished, BadRow, Regions};
use crate::text::Text;
use source::Source;

/// `province.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvinceFile {
    version: String,
    province: String,
    title: Text,
    /// The list of places, relative to the province's folder; provinces to counties.
    regions: String,
    /// What lies below the counties, for questions that ask for it.
    townships: Option<String>,
    /// Places that are gone, and what has their area today.
    abolished: Option<String>,
    declaration: Declaration,
    words: Words,
    #[serde(default)]
    not_handled: Vec<Referral>,
}

/// A file that is a list of one kind of thing.
macro_rules! list_file {
    ($name:ident, $field:ident, $item:ty) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $field: Vec<$item>,
        }
    };
}

list_file!(DepartmentsFile, department, Department);
list_file!(ServicesFile, service, Service);
list_file!(QuestionsFile, question, Question);
list_file!(ProfileFile, profile, ProfileQuestion);
list_file!(MaterialsFile, material, Material);
list_file!(ConsentsFile, consent, Consent);

/// The files with their texts, for looking up lines.
struct Sources {
    province: Source,
    departments: Source,
    services: Source,
    questions: Source,
    profile: Source,
    materials: Source,
    consents: Source,
    /// One a code table, in the order of the catalogue's tables.
    tables: Vec<Source>,
    /// Whether a list of townships is named.
    townships: bool,
}

/// Reads, checks, and answers with a catalogue or with all problems.
pub(crate) fn load(dir: &Path) -> Result<Catalog, CatalogErrors> {
    let mut problems = Vec::new();
    match read(dir, &mut problems) {
        Some((catalog, sources)) => {
            problems.extend(check::all(&catalog, &sources));
            finish(problems, Some(catalog))
        }
        None => finish(problems, None),
    }
}

fn finish(mut problems: Vec<Problem>, catalog: Option<Catalog>) -> Result<Catalog, CatalogErrors> {
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    problems.dedup();
    match catalog {
        Some(catalog) if problems.is_empty() => Ok(catalog),
        _ => Err(CatalogErrors(problems)),
    }
}

/// Reads every file even when an early one fails, so that each file's first fault is reported.
fn read(dir: &Path, problems: &mut Vec<Problem>) -> Option<(Catalog, Sources)> {
    let province = part::<ProvinceFile>(&dir.join("province.toml"), problems);
    let departments = part::<DepartmentsFile>(&dir.join("departments.toml"), problems);
    let services = part::<ServicesFile>(&dir.join("services.toml"), problems);
    let questions = part::<QuestionsFile>(&dir.join("questions.toml"), problems);
    let profile = part::<ProfileFile>(&dir.join("profile.toml"), problems);
    let materials = part::<MaterialsFile>(&dir.join("materials.toml"), problems);
    let consents = part::<ConsentsFile>(&dir.join("consents.toml"), problems);
    let mut tables = Vec::new();
    for path in table_files(&dir.join("codes"), problems) {
        tables.extend(part::<CodeTable>(&path, problems));
    }
    let (province, province_source) = province?;
    let places = places(dir, &province, problems);

    let (departments, departments_source) = departments?;
    let (services, services_source) = services?;
    let (questions, questions_source) = questions?;
    let (profile, profile_source) = profile?;
    let (materials, materials_source) = materials?;
    let (consents, consents_source) = consents?;
    let (tables, table_sources): (Vec<_>, Vec<_>) = tables.into_iter().unzip();
    // A file that could not be read leaves references dangling that are sound; those would only
    // distract from the fault itself.
    if problems.iter().any(|p| matches!(p.kind, ProblemKind::Unreadable | ProblemKind::Form)) {
        return None;
    }
    let (regions, abolished) = places?;
    let townships = province.townships.is_some();
    let catalog = Catalog {
        version: province.version,
        province: province.province,
        title: province.title,
        declaration: province.declaration,
        not_handled: province.not_handled,
        words: province.words,
        departments: departments.department,
        services: services.service,
        questions: questions.question,
        profile: profile.profile,
        materials: materials.material,
        consents: consents.consent,
        tables,
        regions,
        abolished,
    };
    let sources = Sources {
        province: province_source,
        departments: departments_source,
        services: services_source,
        questions: questions_source,
        profile: profile_source,
        materials: materials_source,
        consents: consents_source,
        tables: table_sources,
        townships,
    };
    Some((catalog, sources))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        file: path.to_owned(),
        line: None,
        kind: ProblemKind::Unreadable,
        message: format!("cannot be read: {error}"),
        cure: "put the file there in UTF-8 and let this program read it".to_owned(),
    }
}

fn part<T: serde::de::DeserializeOwned>(
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<(T, Source)> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(unreadable(path, &error));
            return None;
        }
    };
    let source = Source::new(path, text);
    problems.extend(source.blank_texts());
    match toml::from_str::<T>(source.text()) {
        Ok(part) => Some((part, source)),
        Err(error) => {
            problems.push(source.form_problem(&error));
            None
        }
    }
}

/// The code tables by file name, so that the order does not depend on the file system.
fn table_files(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(dir).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
            paths.sort();
            paths
        }
        Err(error) => {
            problems.push(unreadable(dir, &error));
            Vec::new()
        }
    }
}

/// The lists of places. Each is read even when another is spoilt, as far as it can be without it.
fn places(
    dir: &Path,
    province: &ProvinceFile,
    problems: &mut Vec<Problem>,
) -> Option<(Regions, Abolished)> {
    let counties = dir.join(&province.regions);
    let townships = province.townships.as_ref().map(|name| dir.join(name));
    let abolished = province.abolished.as_ref().map(|name| dir.join(name));
    let mut read = |path: &Path| text_of(path, problems);
    let texts =
        (read(&counties), townships.as_deref().map(&mut read), abolished.as_deref().map(read));
    let regions = rows_of(&counties, problems, Regions::parse(&texts.0?))?;
    let gone = match abolished.zip(texts.2) {
        Some((path, text)) => rows_of(&path, problems, Abolished::parse(&text?, &regions)),
        None => Some(Abolished::default()),
    };
    let regions = match townships.zip(texts.1) {
        Some((path, text)) => rows_of(&path, problems, regions.with_townships(&text?)),
        None => Some(regions),
    };
    Some((regions?, gone?))
}

fn text_of(path: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    std::fs::read_to_string(path).map_err(|error| problems.push(unreadable(path, &error))).ok()
}

fn rows_of<T>(
    path: &Path,
    problems: &mut Vec<Problem>,
    parsed: Result<T, Vec<BadRow>>,
) -> Option<T> {
    let problem = |row: BadRow| Problem {
        file: path.to_owned(),
        line: Some(row.line),
        kind: ProblemKind::Form,
        message: row.message,
        cure: "correct the row, or make the list anew with catalog/tools".to_owned(),
    };
    parsed.map_err(|rows| problems.extend(rows.into_iter().map(problem))).ok()
}
