//! A catalogue with a hole: every hole is named by file, line and cure, all at once.

use std::fs;
use std::path::{Path, PathBuf};

use catalog::{Catalog, CatalogErrors, Problem, ProblemKind};

use crate::support::data;

struct Copy {
    _root: tempfile::TempDir,
    dir: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("sichuan");
        fs::create_dir_all(dir.join("codes")).unwrap();
        for folder in ["sichuan", "sichuan/codes"] {
            for entry in fs::read_dir(data().join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let to = root.path().join(folder).join(path.file_name().unwrap());
                    fs::copy(&path, to).unwrap();
                }
            }
        }
        for list in ["regions.tsv", "townships.tsv", "abolished.tsv"] {
            fs::copy(data().join(list), root.path().join(list)).unwrap();
        }
        Self { _root: root, dir }
    }

    /// Replaces the first occurrence and answers with the line it began on.
    fn change(&self, file: &str, from: &str, to: &str) -> usize {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let at = text.find(from).unwrap_or_else(|| panic!("{file} has no {from}"));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        text[..at].lines().count().max(1) + usize::from(text[..at].ends_with('\n'))
    }

    fn problems(&self) -> Vec<Problem> {
        let CatalogErrors(problems) = Catalog::load(&self.dir).unwrap_err();
        problems
    }

    /// The problem of a kind in a file; fails when there is none, and when it has no cure.
    fn problem(&self, file: &str, kind: ProblemKind) -> Problem {
        let problems = self.problems();
        let found = problems.iter().find(|p| p.kind == kind && p.file.ends_with(file));
        let problem = found.unwrap_or_else(|| panic!("{problems:#?}")).clone();
        assert!(!problem.cure.is_empty());
        problem
    }
}

#[test]
fn the_untouched_copy_loads() {
    let catalog = Catalog::load(&Copy::new().dir).unwrap();
    assert_eq!((catalog.version(), catalog.province()), ("sichuan-2026.12", "sichuan"));
}

#[test]
fn one_changed_line_is_named_by_file_and_line() {
    use ProblemKind as K;
    for (file, from, to, kind) in [
        (
            "services.toml",
            "department = \"organization\"",
            "department = \"organisation\"",
            K::Dangling,
        ),
        ("services.toml", "    \"marital_status\",", "    \"marital\",", K::Dangling),
        ("services.toml", "    \"marital_status\",", "    \"phone\",", K::Duplicate),
        (
            "services.toml",
            "materials = [\"league_letter\"]",
            "materials = [\"letter\"]",
            K::Dangling,
        ),
        (
            "services.toml",
            "after = [\"household_registration\"]",
            "after = [\"household\"]",
            K::Dangling,
        ),
        (
            "services.toml",
            "service = \"household_registration\"",
            "service = \"household\"",
            K::Dangling,
        ),
        (
            "services.toml",
            "after = [\"household_registration\"]",
            "after = [\"identity_card\"]",
            K::Cycle,
        ),
        ("services.toml", "key = \"party_transfer\"", "key = \"reporting\"", K::Duplicate),
        ("services.toml", "number = 2", "number = 1", K::Duplicate),
        ("services.toml", "number = 2", "number = 2\nnumbre = 2", K::Form),
        ("services.toml", "is = \"party\"", "is = \"green\"", K::Dangling),
        ("services.toml", "fact = \"affiliation\"", "fact = \"membership\"", K::Dangling),
        ("services.toml", "fact = \"affiliation\"", "answer = \"phone\"", K::Value),
        ("services.toml", "answer = \"settlement_type\"", "answer = \"health\"", K::Dangling),
        ("services.toml", "[\"3\", \"4\", \"5\", \"6\"]", "[\"3\", \"44\"]", K::Dangling),
        ("services.toml", "from = \"discharge_approved\"", "from = \"category\"", K::Dangling),
        ("services.toml", "kind = \"window\"", "kind = \"pigeon\"", K::Form),
        ("services.toml", "days = 30", "days = -1", K::Form),
        ("questions.toml", "table = \"education\"", "table = \"schooling\"", K::Dangling),
        ("questions.toml", "same_as = \"name\"", "same_as = \"birthplace\"", K::Dangling),
        (
            "questions.toml",
            "question = \"birthplace\"",
            "question = \"card_issuing_bank\"",
            K::Dangling,
        ),
        ("questions.toml", "within = \"510000\"", "within = \"519999\"", K::Dangling),
        (
            "questions.toml",
            "min_level = 2, max_level = 2",
            "min_level = 3, max_level = 2",
            K::Value,
        ),
        ("questions.toml", "max_chars = 50", "max_chars = 0", K::Value),
        ("questions.toml", "not_after = \"today\"", "not_after = \"1900-01-01\"", K::Value),
        ("questions.toml", "not_after = \"today\"", "not_after = \"tomorrow\"", K::Form),
        ("questions.toml", "kind = \"phone\"", "kind = \"telegram\"", K::Form),
        ("materials.toml", "max_pages = 4", "max_pages = 0", K::Value),
        ("materials.toml", "is = \"league\"", "is = \"\"", K::EmptyText),
        ("consents.toml", "fields = [\"health\"]", "fields = [\"weight\"]", K::Dangling),
        ("consents.toml", "fields = [\"health\"]", "fields = []", K::Unused),
        ("departments.toml", "key = \"armed_forces\"", "key = \"armed_force\"", K::Unused),
        ("profile.toml", "value = \"league\"", "value = \"party\"", K::Duplicate),
        ("province.toml", "{code}\", en", "\", en", K::Value),
        ("province.toml", "zh = \"是\"", "zh = \" \"", K::EmptyText),
        ("province.toml", "zh = \"是\", ", "", K::Form),
        ("codes/health.toml", "code = \"2\"", "code = \"1\"", K::Duplicate),
        ("codes/health.toml", "key = \"health\"", "key = \"education\"", K::Duplicate),
        ("codes/health.toml", "code = \"3\"", "code = 3", K::Form),
    ] {
        let copy = Copy::new();
        let line = copy.change(file, from, to);
        let problem = copy.problem(file, kind);
        let near = problem.line.unwrap_or_else(|| panic!("no line: {problem}"));
        // A rule may point at the entry it belongs to; it must never point elsewhere.
        assert!(near.abs_diff(line) <= 2, "{file}: {from} → {to} is line {line}: {problem}");
        assert!(problem.to_string().contains(&format!("{file}:{near}: ")));
    }
}

#[test]
fn a_field_nobody_needs_is_reported() {
    let copy = Copy::new();
    let path = copy.dir.join("questions.toml");
    let text = fs::read_to_string(&path).unwrap();
    let extra = "\n[[question]]\nkey = \"shoe_size\"\nlabel = { zh = \"鞋码\", en = \"Shoe size\" }\n\
                 text = { zh = \"鞋码？\", en = \"Shoe size?\" }\nhelp = { zh = \"无\", en = \"None\" }\n\
                 kind = { text = { max_chars = 3 } }\n";
    fs::write(&path, format!("{text}{extra}")).unwrap();
    let problem = copy.problem("questions.toml", ProblemKind::Unused);
    assert_eq!(problem.line, Some(text.lines().count() + 3));
    assert!(problem.message.contains("shoe_size"));
    // Named by a service it is a field like any other: no Rust was touched.
    copy.change(
        "services.toml",
        "    \"marital_status\",",
        "    \"marital_status\",\n    \"shoe_size\",",
    );
    let catalog = Catalog::load(&copy.dir).unwrap();
    assert_eq!(catalog.departments_of("shoe_size"), ["public_security"]);
    assert_eq!(catalog.validate("shoe_size", "42").as_deref(), Ok("42"));
}

#[test]
fn all_problems_are_reported_at_once_in_order() {
    let copy = Copy::new();
    copy.change("services.toml", "department = \"organization\"", "department = \"x\"");
    copy.change("services.toml", "after = [\"household_registration\"]", "after = [\"y\"]");
    copy.change("questions.toml", "table = \"education\"", "table = \"z\"");
    copy.change("province.toml", "zh = \"否\"", "zh = \"\"");
    let errors = Catalog::load(&copy.dir).unwrap_err();
    let text = errors.to_string();
    for name in ["\"x\"", "\"y\"", "\"z\"", "a text is empty"] {
        assert!(text.contains(name), "{text}");
    }
    let places: Vec<_> = errors.0.iter().map(|p| (p.file.clone(), p.line)).collect();
    assert!(places.is_sorted());
    assert!(!errors.cure().is_empty());
}

#[test]
fn two_files_that_cannot_be_read_are_both_named() {
    let copy = Copy::new();
    fs::remove_file(copy.dir.join("consents.toml")).unwrap();
    fs::write(copy.dir.join("profile.toml"), [0xFF, 0xFE, 0x00]).unwrap();
    copy.change("materials.toml", "[[material]]", "[[material");
    let problems = copy.problems();
    let kind = |file: &str| problems.iter().find(|p| p.file.ends_with(file)).map(|p| p.kind);
    assert_eq!(kind("consents.toml"), Some(ProblemKind::Unreadable));
    assert_eq!(kind("profile.toml"), Some(ProblemKind::Unreadable));
    assert_eq!(kind("materials.toml"), Some(ProblemKind::Form));
}

#[test]
fn a_missing_folder_and_a_spoilt_region_list_are_errors() {
    assert!(Catalog::load(Path::new("/nonexistent/province")).is_err());
    let copy = Copy::new();
    copy.change("../regions.tsv", "110101\t", "11010\t");
    let problem = copy.problem("regions.tsv", ProblemKind::Form);
    assert_eq!(problem.line, Some(3));
    fs::remove_dir_all(copy.dir.join("codes")).unwrap();
    assert!(copy.problems().iter().any(|p| p.kind == ProblemKind::Unreadable));
}

#[test]
fn spoilt_lists_of_places_are_all_named_at_once() {
    let copy = Copy::new();
    let first = copy.change("../townships.tsv", "510106002\t", "519106002\t");
    let second = copy.change("../townships.tsv", "510106012\t九里堤街道", "510106012\t");
    let third = copy.change("../abolished.tsv", "\t510116\n", "\t510999\n");
    let problems = copy.problems();
    let lines = |file: &str| -> Vec<usize> {
        let named =
            problems.iter().filter(|p| p.file.ends_with(file) && p.kind == ProblemKind::Form);
        named.filter_map(|p| p.line).collect()
    };
    assert_eq!(lines("townships.tsv"), [first, second]);
    assert_eq!(lines("abolished.tsv"), [third]);
    fs::remove_file(copy.dir.join("../townships.tsv")).unwrap();
    fs::remove_file(copy.dir.join("../abolished.tsv")).unwrap();
    for list in ["townships.tsv", "abolished.tsv"] {
        copy.problem(list, ProblemKind::Unreadable);
    }
}

#[test]
fn townships_are_asked_for_only_where_they_are_listed() {
    let copy = Copy::new();
    copy.change("province.toml", "townships = \"../townships.tsv\"\n", "");
    copy.change("province.toml", "abolished = \"../abolished.tsv\"\n", "");
    let line = copy.change("questions.toml", "max_level = 4", "max_level = 4");
    let problem = copy.problem("questions.toml", ProblemKind::Value);
    assert_eq!(problem.line, Some(line));
    copy.change("questions.toml", "max_level = 4", "max_level = 3");
    let catalog = Catalog::load(&copy.dir).unwrap();
    assert_eq!(catalog.regions().len(), 3_212);
    assert!(catalog.abolished().is_empty());
    for (levels, wrong) in
        [("min_level = 0", true), ("min_level = 5", true), ("min_level = 2", false)]
    {
        let copy = Copy::new();
        copy.change("questions.toml", "min_level = 3", levels);
        assert_eq!(Catalog::load(&copy.dir).is_err(), wrong, "{levels}");
    }
}

#[test]
fn every_single_dropped_line_is_survived() {
    // Any line lost by accident gives a catalogue or a list of problems, never a panic. The long
    // lists of places have no part in it and would be read two hundred times.
    let copy = Copy::new();
    copy.change("province.toml", "townships = \"../townships.tsv\"\n", "");
    copy.change("province.toml", "abolished = \"../abolished.tsv\"\n", "");
    copy.change("questions.toml", "max_level = 4", "max_level = 3");
    let path = copy.dir.join("questions.toml");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for dropped in 0..lines.len() {
        let mut rest = lines.clone();
        rest.remove(dropped);
        fs::write(&path, rest.join("\n")).unwrap();
        if let Err(errors) = Catalog::load(&copy.dir) {
            assert!(!errors.0.is_empty());
        }
    }
}
