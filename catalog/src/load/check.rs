//! Why: the files of a catalogue refer to each other. Every reference, bound and order is checked
//! here, and all that is wrong is collected before anyone is told.

use std::collections::BTreeSet;

use super::Sources;
use super::conditions::{Asks, Place};
use super::source::{Source, Step, at};
use crate::catalog::Catalog;
use crate::error::{Problem, ProblemKind};
use crate::model::{DateLimit, ProfileKind, QuestionKind, Suggestion};

const DEFINE: &str = "define it there or correct the name here";

/// Collects problems.
pub(super) struct Check<'a> {
    pub(super) catalog: &'a Catalog,
    sources: &'a Sources,
    problems: Vec<Problem>,
}

/// Every problem of a catalogue that has the right shape.
pub(super) fn all(catalog: &Catalog, sources: &Sources) -> Vec<Problem> {
    let mut check = Check { catalog, sources, problems: Vec::new() };
    check.departments();
    check.services();
    check.cycles();
    check.questions();
    check.profile();
    check.materials();
    check.consents();
    check.tables();
    check.words();
    check.problems
}

impl<'a> Check<'a> {
    pub(super) fn report(
        &mut self,
        source: &Source,
        path: &[Step],
        kind: ProblemKind,
        message: String,
        cure: &str,
    ) {
        self.problems.push(source.problem(path, kind, message, cure));
    }

    /// Each key once; `list` is the name of the array in the file.
    fn unique<'k>(
        &mut self,
        source: &Source,
        list: &'static str,
        keys: impl Iterator<Item = &'k str>,
    ) {
        let mut seen = BTreeSet::new();
        for (index, key) in keys.enumerate() {
            if !seen.insert(key) {
                let message = format!("{list} \"{key}\" is defined twice");
                self.report(
                    source,
                    &at![list, index, "key"],
                    ProblemKind::Duplicate,
                    message,
                    "keep one of the two, or give one another key",
                );
            }
        }
    }

    /// A list of keys: none twice, each known. `file` is where such keys are defined.
    fn keys(
        &mut self,
        source: &Source,
        (list, index, field): (&'static str, usize, &'static str),
        owner: &str,
        keys: &[String],
        file: &str,
        known: impl Fn(&str) -> bool,
    ) {
        for (position, key) in keys.iter().enumerate() {
            let path = at![list, index, field, position];
            if !known(key) {
                let message =
                    format!("{list} \"{owner}\" names \"{key}\", which {file} does not define");
                self.report(source, &path, ProblemKind::Dangling, message, DEFINE);
            }
            if keys[..position].contains(key) {
                let message = format!("{list} \"{owner}\" names \"{key}\" twice");
                self.report(
                    source,
                    &path,
                    ProblemKind::Duplicate,
                    message,
                    "remove one of the two",
                );
            }
        }
    }

    pub(super) fn one(
        &mut self,
        source: &Source,
        path: &[Step],
        owner: &str,
        key: &str,
        file: &str,
        known: bool,
    ) {
        if !known {
            let message = format!("{owner} names \"{key}\", which {file} does not define");
            self.report(source, path, ProblemKind::Dangling, message, DEFINE);
        }
    }

    fn unused(&mut self, source: &Source, list: &'static str, index: usize, key: &str, used: bool) {
        if !used {
            let message = format!("{list} \"{key}\" is used by nothing");
            self.report(
                source,
                &at![list, index, "key"],
                ProblemKind::Unused,
                message,
                "name it where it belongs, or remove it",
            );
        }
    }

    pub(super) fn value(&mut self, source: &Source, path: &[Step], message: String, cure: &str) {
        self.report(source, path, ProblemKind::Value, message, cure);
    }

    fn departments(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.departments);
        self.unique(source, "department", catalog.departments.iter().map(|d| d.key.as_str()));
        for (index, department) in catalog.departments.iter().enumerate() {
            let used = catalog.services.iter().any(|s| s.department == department.key);
            self.unused(source, "department", index, &department.key, used);
        }
    }

    fn services(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.services);
        self.unique(source, "service", catalog.services.iter().map(|s| s.key.as_str()));
        let mut numbers = BTreeSet::new();
        for (index, service) in catalog.services.iter().enumerate() {
            let key = service.key.as_str();
            let owner = format!("service \"{key}\"");
            if !numbers.insert(service.number) {
                let message = format!("number {} is given to two services", service.number);
                let path = at!["service", index, "number"];
                self.report(source, &path, ProblemKind::Duplicate, message, "give each its own");
            }
            self.one(
                source,
                &at!["service", index, "department"],
                &owner,
                &service.department,
                "departments.toml",
                catalog.department(&service.department).is_some(),
            );
            let place = |field| ("service", index, field);
            self.keys(source, place("fields"), key, &service.fields, "questions.toml", |k| {
                catalog.question(k).is_some()
            });
            self.keys(source, place("materials"), key, &service.materials, "materials.toml", |k| {
                catalog.material(k).is_some()
            });
            self.keys(source, place("after"), key, &service.after, "services.toml", |k| {
                catalog.service(k).is_some()
            });
            for (at, companion) in service.together_with.iter().enumerate() {
                let path = at!["service", index, "together_with", at, "service"];
                let known =
                    companion.service != key && catalog.service(&companion.service).is_some();
                let file = "services.toml as another service";
                self.one(source, &path, &owner, &companion.service, file, known);
            }
            let conditions = [
                ("requires", service.requires.iter().map(|r| Some(&r.when)).collect::<Vec<_>>()),
                ("reasons", service.reasons.iter().map(|r| r.when.as_ref()).collect()),
                ("advice", service.advice.iter().map(|r| r.when.as_ref()).collect()),
                ("deadlines", service.deadlines.iter().map(|r| r.when.as_ref()).collect()),
            ];
            for (list, conditions) in conditions {
                for (at, condition) in conditions.into_iter().enumerate() {
                    let path = at!["service", index, list, at, "when"];
                    let place = Place::new(source, &path, &owner);
                    self.condition(condition, &place, Asks::Facts);
                }
            }
            for (at, carry) in service.carry.iter().enumerate() {
                let path = at!["service", index, "carry", at, "when"];
                let place = Place::new(source, &path, &owner);
                self.condition(carry.when.as_ref(), &place, Asks::Answers(&service.fields));
            }
            for (at, rule) in service.deadlines.iter().enumerate() {
                let question = catalog.profile_question(&rule.from);
                let dated = question.is_some_and(|q| matches!(q.kind, ProfileKind::Date { .. }));
                let path = at!["service", index, "deadlines", at, "from"];
                self.one(source, &path, &owner, &rule.from, "profile.toml as a date", dated);
            }
        }
    }

    /// Services that wait for each other would wait for ever.
    fn cycles(&mut self) {
        let services = &self.catalog.services;
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        loop {
            let before = settled.len();
            for service in services {
                let waits = service.after.iter().any(|other| {
                    self.catalog.service(other).is_some() && !settled.contains(other.as_str())
                });
                if !waits {
                    settled.insert(&service.key);
                }
            }
            if settled.len() == before {
                break;
            }
        }
        for (index, service) in services.iter().enumerate() {
            if !settled.contains(service.key.as_str()) {
                let message =
                    format!("service \"{}\" waits, by way of others, for itself", service.key);
                self.report(
                    &self.sources.services,
                    &at!["service", index, "after"],
                    ProblemKind::Cycle,
                    message,
                    "take one service out of one of these \"after\" lists",
                );
            }
        }
    }

    fn questions(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.questions);
        self.unique(source, "question", catalog.questions.iter().map(|q| q.key.as_str()));
        for (index, question) in catalog.questions.iter().enumerate() {
            let used = catalog.services.iter().any(|s| s.fields.contains(&question.key));
            self.unused(source, "question", index, &question.key, used);
            let owner = format!("question \"{}\"", question.key);
            self.question_kind(index, &owner, &question.kind);
            let earlier = |key: &str| catalog.questions[..index].iter().any(|q| q.key == key);
            let file = "questions.toml before it";
            if let Some(Suggestion::Question(other)) = &question.suggest {
                let path = at!["question", index, "suggest", "question"];
                self.one(source, &path, &owner, other, file, earlier(other));
            }
            let earlier_keys: Vec<String> =
                catalog.questions[..index].iter().map(|q| q.key.clone()).collect();
            for (at, derivation) in question.derive.iter().enumerate() {
                let path = at!["question", index, "derive", at, "same_as"];
                let known = earlier(&derivation.same_as);
                self.one(source, &path, &owner, &derivation.same_as, file, known);
                let path = at!["question", index, "derive", at, "when"];
                let place = Place::new(source, &path, &owner);
                self.condition(Some(&derivation.when), &place, Asks::Answers(&earlier_keys));
            }
        }
    }

    fn question_kind(&mut self, index: usize, owner: &str, kind: &QuestionKind) {
        let (catalog, source) = (self.catalog, &self.sources.questions);
        let path = |kind, field| at!["question", index, "kind", kind, field];
        match kind {
            QuestionKind::Choice { table } => {
                let known = catalog.code_table(table).is_some();
                self.one(source, &path("choice", "table"), owner, table, "codes/", known);
            }
            QuestionKind::Card { table: Some(table), .. } => {
                let known = catalog.code_table(table).is_some();
                self.one(source, &path("card", "table"), owner, table, "codes/", known);
            }
            QuestionKind::Text { max_chars: 0 }
            | QuestionKind::Name { max_chars: 0 }
            | QuestionKind::Address { max_chars: 0 } => {
                let message = format!("{owner} accepts no character at all");
                self.value(source, &at!["question", index, "kind"], message, "raise max_chars");
            }
            QuestionKind::Date { not_before, not_after } => {
                let place = at!["question", index, "kind"];
                self.date_limits(source, &place, owner, *not_before, *not_after);
            }
            QuestionKind::Region { min_level, max_level, within, .. } => {
                if !(1..=4).contains(min_level) || !(*min_level..=4).contains(max_level) {
                    let message = format!("{owner} asks for levels {min_level} to {max_level}");
                    let cure = "use 1 (province) to 4 (township), the smaller first";
                    self.value(source, &path("region", "min_level"), message, cure);
                } else if *max_level == 4 && !self.sources.townships {
                    let message = format!("{owner} asks for townships, and there are none");
                    let cure = "name their list as townships in province.toml, or stop at 3";
                    self.value(source, &path("region", "max_level"), message, cure);
                }
                if let Some(area) = within {
                    let known = catalog.regions.name(area).is_some();
                    self.one(source, &path("region", "within"), owner, area, "regions.tsv", known);
                }
            }
            _ => {}
        }
    }

    fn date_limits(
        &mut self,
        source: &Source,
        path: &[Step],
        owner: &str,
        not_before: Option<DateLimit>,
        not_after: Option<DateLimit>,
    ) {
        if let (Some(DateLimit::On(first)), Some(DateLimit::On(last))) = (not_before, not_after)
            && first > last
        {
            let message = format!("{owner} accepts no day at all");
            self.value(source, path, message, "put not_before before not_after");
        }
    }

    fn profile(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.profile);
        self.unique(source, "profile", catalog.profile.iter().map(|q| q.key.as_str()));
        for (index, question) in catalog.profile.iter().enumerate() {
            let owner = format!("profile \"{}\"", question.key);
            match &question.kind {
                ProfileKind::Choice { options } => {
                    let mut seen = BTreeSet::new();
                    for (at, option) in options.iter().enumerate() {
                        if !seen.insert(option.value.as_str()) {
                            let path = at!["profile", index, "kind", "choice", "options", at];
                            let message = format!("{owner} has \"{}\" twice", option.value);
                            let cure = "remove one of the two";
                            self.report(source, &path, ProblemKind::Duplicate, message, cure);
                        }
                    }
                }
                ProfileKind::Date { not_before, not_after } => {
                    let place = at!["profile", index, "kind"];
                    self.date_limits(source, &place, &owner, *not_before, *not_after);
                }
                ProfileKind::YesNo => {}
            }
        }
    }

    fn materials(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.materials);
        self.unique(source, "material", catalog.materials.iter().map(|m| m.key.as_str()));
        for (index, material) in catalog.materials.iter().enumerate() {
            let used = catalog.services.iter().any(|s| s.materials.contains(&material.key));
            self.unused(source, "material", index, &material.key, used);
            let owner = format!("material \"{}\"", material.key);
            let named = material.pages.len();
            if material.min_pages == 0 || material.min_pages > material.max_pages {
                let message =
                    format!("{owner} wants {} to {} pages", material.min_pages, material.max_pages);
                let cure = "use at least 1, the smaller first";
                self.value(source, &at!["material", index, "min_pages"], message, cure);
            }
            if named > usize::from(material.max_pages) {
                let message = format!("{owner} names {named} pages, more than it may have");
                let cure = "remove names or raise max_pages";
                self.value(source, &at!["material", index, "pages"], message, cure);
            }
            let path = at!["material", index, "when"];
            let place = Place::new(source, &path, &owner);
            self.condition(material.when.as_ref(), &place, Asks::Facts);
        }
    }

    fn consents(&mut self) {
        let (catalog, source) = (self.catalog, &self.sources.consents);
        self.unique(source, "consent", catalog.consents.iter().map(|c| c.key.as_str()));
        for (index, consent) in catalog.consents.iter().enumerate() {
            let key = consent.key.as_str();
            let place = |field| ("consent", index, field);
            self.keys(source, place("fields"), key, &consent.fields, "questions.toml", |k| {
                catalog.question(k).is_some()
            });
            self.keys(source, place("materials"), key, &consent.materials, "materials.toml", |k| {
                catalog.material(k).is_some()
            });
            let needed = consent.kind == crate::model::ConsentKind::Notice
                || !(consent.fields.is_empty() && consent.materials.is_empty());
            if !needed {
                let message = format!("consent \"{key}\" is a confirmation for nothing");
                let cure = "name the fields or materials it is for, or remove it";
                self.report(
                    source,
                    &at!["consent", index, "fields"],
                    ProblemKind::Unused,
                    message,
                    cure,
                );
            }
        }
    }

    fn tables(&mut self) {
        let catalog = self.catalog;
        let mut keys = BTreeSet::new();
        for (table, source) in catalog.tables.iter().zip(&self.sources.tables) {
            let key = table.key.as_str();
            if !keys.insert(key) {
                let message = format!("code table \"{key}\" is defined by another file too");
                let cure = "keep one of the two files, or give one another key";
                self.report(source, &at!["key"], ProblemKind::Duplicate, message, cure);
            }
            let asked = catalog.questions.iter().filter_map(|q| catalog.table_of(q));
            if !asked.into_iter().any(|used| used.key == key) {
                let message = format!("code table \"{key}\" is used by nothing");
                let cure = "let a question use it, or remove the file";
                self.report(source, &at!["key"], ProblemKind::Unused, message, cure);
            }
            let mut codes = BTreeSet::new();
            for (index, code) in table.codes.iter().enumerate() {
                if !codes.insert(code.code.as_str()) {
                    let message = format!("code \"{}\" is defined twice", code.code);
                    let path = at!["codes", index, "code"];
                    let cure = "keep one of the two";
                    self.report(source, &path, ProblemKind::Duplicate, message, cure);
                }
            }
            if table.offered().next().is_none() {
                let message = format!("code table \"{key}\" offers nothing to choose");
                self.value(source, &at!["codes"], message, "let at least one code be offered");
            }
        }
    }

    fn words(&mut self) {
        let words = &self.catalog.words;
        let source = &self.sources.province;
        for (name, text, mark) in [
            ("unknown_code", &words.unknown_code, "{code}"),
            ("answer_first", &words.answer_first, "{question}"),
        ] {
            if !text.zh.contains(mark) || !text.en.contains(mark) {
                let message = format!("\"{name}\" lacks {mark} in a language");
                let cure = "write the mark where the word belongs";
                self.value(source, &at!["words", name], message, cure);
            }
        }
    }
}
