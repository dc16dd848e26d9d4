//! Why: how each department is connected is the office's to say, in `departments.toml` in the data
//! folder. Without that file every department pulls, as with nothing configured.
//!
//! Refuses: what it does not know, a department that the catalogue does not have or that stands
//! there twice, and every address, secret or format that could not be used, with the line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use jiff::SignedDuration;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::endpoint::Endpoint;
use super::format::{Format, built_in};
use super::pause::Pauses;
use super::push::{Notice, Push, WorkList};
use super::sign::Secrets;
use super::{Departments, Door, Tuning};

/// The file in the data folder.
pub const FILE: &str = "departments.toml";

const TIMEOUT: Duration = Duration::from_secs(30);
/// A request that takes longer might outlive its lease and be made twice at once.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    delivery: DeliveryTable,
    #[serde(default)]
    push: BTreeMap<String, PushTable>,
    #[serde(default)]
    worklist: BTreeMap<String, WorkListTable>,
    #[serde(default)]
    pull: BTreeMap<String, PullTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryTable {
    first_pause: Option<SignedDuration>,
    longest_pause: Option<SignedDuration>,
    alarm_after: Option<u32>,
    workers: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushTable {
    url: String,
    ca: Option<PathBuf>,
    secrets: Vec<PathBuf>,
    callback_secrets: Option<Vec<PathBuf>>,
    format: Option<PathBuf>,
    timeout: Option<SignedDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkListTable {
    heading: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PullTable {
    webhook: Option<WebhookTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    url: String,
    ca: Option<PathBuf>,
    secrets: Vec<PathBuf>,
    timeout: Option<SignedDuration>,
}

/// The departments' configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DepartmentsError {
    /// The file is there and cannot be read.
    #[error("{path} cannot be read: {source}; check its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{path}:{line}: {message}; {cure}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to do.
        cure: String,
    },
}

/// A text and where it comes from.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, DepartmentsError> {
        toml::from_str(&self.text).map_err(|error| DepartmentsError::Line {
            path: self.path.clone(),
            line: error.span().map_or(1, |span| self.line_at(span.start)),
            message: error.message().trim().replace('\n', " "),
            cure: "correct the line; docs/departments.md shows the file".into(),
        })
    }

    fn wrong(&self, at: &[&str], message: String, cure: &str) -> DepartmentsError {
        let (path, line) = (self.path.clone(), self.line(at));
        DepartmentsError::Line { path, line, message, cure: cure.into() }
    }

    /// An error whose words hold their cure already.
    fn unusable(&self, at: &[&str], error: &dyn std::fmt::Display) -> DepartmentsError {
        let text = error.to_string();
        let (message, cure) = text.split_once("; ").unwrap_or((&text, "correct it"));
        self.wrong(at, message.to_owned(), cure)
    }

    fn line(&self, at: &[&str]) -> usize {
        let Ok(table) = DeTable::parse(&self.text) else { return 1 };
        let mut line = 1;
        let mut table = Some(table.get_ref());
        for step in at {
            let Some((key, value)) = table
                .and_then(|table| table.iter().find(|(key, _)| key.get_ref().as_ref() == *step))
            else {
                break;
            };
            line = self.line_at(key.span().start);
            table = match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => None,
            };
        }
        line
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }
}

impl Departments {
    /// Reads the configuration in the data folder; without one every department pulls.
    pub fn load(data: &Path, catalog: &Arc<Catalog>) -> Result<Self, DepartmentsError> {
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(DepartmentsError::Read { path, source }),
        };
        let source = Source { path, text };
        let file: File = source.parse()?;
        let loader = Loader { data, source: &source, catalog };
        let mut departments = Self { tuning: loader.tuning(&file.delivery)?, ..Self::default() };
        for (key, table) in &file.push {
            loader.known(&departments, "push", key)?;
            let (push, door) = loader.push(key, table)?;
            departments.adapters.insert(key.clone(), Arc::new(push));
            departments.doors.insert(key.clone(), door);
        }
        for (key, table) in &file.worklist {
            loader.known(&departments, "worklist", key)?;
            departments.adapters.insert(key.clone(), Arc::new(WorkList));
            if let Some(heading) = &table.heading {
                departments.headings.insert(key.clone(), heading.clone());
            }
        }
        for (key, table) in &file.pull {
            loader.known(&departments, "pull", key)?;
            if let Some(webhook) = &table.webhook {
                let adapter = loader.notice(key, webhook)?;
                departments.adapters.insert(key.clone(), Arc::new(adapter));
            }
        }
        Ok(departments)
    }
}

struct Loader<'a> {
    data: &'a Path,
    source: &'a Source,
    catalog: &'a Arc<Catalog>,
}

impl Loader<'_> {
    fn known(&self, so_far: &Departments, table: &str, key: &str) -> Result<(), DepartmentsError> {
        let wrong = |message, cure| Err(self.source.wrong(&[table, key], message, cure));
        if self.catalog.department(key).is_none() {
            let message = format!("the catalogue has no department `{key}`");
            return wrong(message, "write one of its keys, such as public_security");
        }
        if so_far.adapters.contains_key(key) {
            let message = format!("`{key}` is connected twice");
            return wrong(message, "choose push, worklist or pull for it");
        }
        Ok(())
    }

    fn tuning(&self, table: &DeliveryTable) -> Result<Tuning, DepartmentsError> {
        let usual = Tuning::default();
        let first = self.duration(&["delivery", "first_pause"], table.first_pause)?;
        let longest = self.duration(&["delivery", "longest_pause"], table.longest_pause)?;
        let pauses = Pauses {
            first: first.unwrap_or(usual.pauses.first),
            longest: longest.unwrap_or(usual.pauses.longest),
        };
        let within = |name: &str, value: Option<u32>, usual: u32, most: u32| match value {
            Some(value) if value == 0 || value > most => Err(self.source.wrong(
                &["delivery", name],
                format!("{value} is not between 1 and {most}"),
                "choose a number in between",
            )),
            value => Ok(value.unwrap_or(usual)),
        };
        Ok(Tuning {
            pauses,
            alarm_after: within("alarm_after", table.alarm_after, usual.alarm_after, 1000)?,
            workers: within("workers", table.workers, usual.workers, 16)?,
        })
    }

    fn push(&self, key: &str, table: &PushTable) -> Result<(Push, Door), DepartmentsError> {
        let at = |name| ["push", key, name];
        let format = Arc::new(self.format(key, table.format.as_deref())?);
        let timeout = self.duration(&at("timeout"), table.timeout)?;
        let endpoint =
            self.endpoint(["push", key], &table.url, table.ca.as_deref(), &table.secrets, timeout)?;
        let (named, secrets) = match &table.callback_secrets {
            Some(secrets) => ("callback_secrets", secrets),
            None => ("secrets", &table.secrets),
        };
        let secrets = self.secrets(&at(named), secrets)?;
        let door = Door { secrets, format: Arc::clone(&format) };
        let catalog = Arc::clone(self.catalog);
        Ok((Push { endpoint, format, catalog }, door))
    }

    fn notice(&self, key: &str, table: &WebhookTable) -> Result<Notice, DepartmentsError> {
        let timeout = self.duration(&["pull", key, "webhook", "timeout"], table.timeout)?;
        let endpoint =
            self.endpoint(["pull", key], &table.url, table.ca.as_deref(), &table.secrets, timeout)?;
        Ok(Notice { endpoint })
    }

    fn endpoint(
        &self,
        at: [&str; 2],
        url: &str,
        ca: Option<&Path>,
        secrets: &[PathBuf],
        timeout: Option<Duration>,
    ) -> Result<Endpoint, DepartmentsError> {
        let [table, key] = at;
        let path = |name| match table {
            "pull" => vec![table, key, "webhook", name],
            _ => vec![table, key, name],
        };
        let secrets = self.secrets(&path("secrets"), secrets)?;
        if timeout.is_some_and(|timeout| timeout > LONGEST_TIMEOUT) {
            let message = "a request must not take longer than five minutes".to_owned();
            return Err(self.source.wrong(&path("timeout"), message, "write a shorter time"));
        }
        let ca = ca.map(|ca| self.data.join(ca));
        Endpoint::new(url, ca.as_deref(), secrets, timeout.unwrap_or(TIMEOUT))
            .map_err(|error| self.source.unusable(&path("url"), &error))
    }

    fn secrets(&self, at: &[&str], paths: &[PathBuf]) -> Result<Secrets, DepartmentsError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.data.join(path)).collect();
        Secrets::load(&paths).map_err(|error| self.source.unusable(at, &error))
    }

    fn format(&self, key: &str, own: Option<&Path>) -> Result<Format, DepartmentsError> {
        let source = match (own, built_in(key)) {
            (Some(path), _) => {
                let path = self.data.join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| DepartmentsError::Read { path: path.clone(), source })?;
                Source { path, text }
            }
            (None, Some(text)) => Source {
                path: PathBuf::from(format!("data/departments/{key}.toml")),
                text: text.to_owned(),
            },
            (None, None) => {
                let message = format!("no format comes with the program for `{key}`");
                let cure = "write one, as docs/departments.md says, and name it in `format`";
                return Err(self.source.wrong(&["push", key], message, cure));
            }
        };
        let format: Format = source.parse()?;
        format.check(key, self.catalog).map_err(|misfit| {
            let at: Vec<&str> = misfit.at.iter().map(String::as_str).collect();
            source.wrong(&at, misfit.message, misfit.cure)
        })?;
        Ok(format)
    }

    fn duration(
        &self,
        at: &[&str],
        value: Option<SignedDuration>,
    ) -> Result<Option<Duration>, DepartmentsError> {
        let Some(value) = value else { return Ok(None) };
        match Duration::try_from(value) {
            Ok(value) if !value.is_zero() => Ok(Some(value)),
            _ => Err(self.source.wrong(
                at,
                "a time has to be longer than nothing".into(),
                "write one such as \"30s\" or \"15m\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn catalog() -> Arc<Catalog> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        Arc::new(Catalog::load(&dir).unwrap())
    }

    fn folder(text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let secret = super::super::sign::new_secret().unwrap();
        crate::files::write_private(&dir.path().join("secret"), secret.as_bytes()).unwrap();
        std::fs::write(dir.path().join(FILE), text).unwrap();
        dir
    }

    const GOOD: &str = "\
[delivery]
first_pause = \"1s\"
longest_pause = \"15m\"
alarm_after = 3

[push.public_security]
url = \"http://127.0.0.1:9/\"
secrets = [\"secret\"]

[worklist.organization]
heading = \"样本市委组织部\"

[pull.veterans_affairs]
webhook = { url = \"http://127.0.0.1:9/\", secrets = [\"secret\"], timeout = \"5s\" }

[pull.armed_forces]
";

    #[test]
    fn each_kind_of_connection_is_read_and_absence_means_pull() {
        let dir = folder(GOOD);
        let found = Departments::load(dir.path(), &catalog()).unwrap();
        let keys: Vec<&String> = found.adapters.keys().collect();
        assert_eq!(keys, ["organization", "public_security", "veterans_affairs"]);
        assert_eq!(found.tuning.alarm_after, 3);
        assert_eq!(found.tuning.pauses.first, Duration::from_secs(1));
        assert_eq!(found.headings["organization"], "样本市委组织部");
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        let none = Departments::load(dir.path(), &catalog()).unwrap();
        assert!(none.adapters.is_empty());
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_its_cure() {
        for (from, to, line) in [
            ("alarm_after = 3", "alarm_after = 0", 4),
            ("alarm_after = 3", "alarm_after = 3\nmore = 1", 5),
            ("first_pause = \"1s\"", "first_pause = \"-1s\"", 2),
            ("first_pause = \"1s\"", "first_pause = \"soon\"", 2),
            ("push.public_security", "push.police", 6),
            ("push.public_security", "push.youth_league", 6),
            ("http://127.0.0.1:9/\"\nsecrets", "http://10.0.0.1/\"\nsecrets", 7),
            ("http://127.0.0.1:9/\"\nsecrets", "https://police.example/\"\nsecrets", 7),
            ("secrets = [\"secret\"]\n", "secrets = []\n", 8),
            ("secrets = [\"secret\"]\n", "secrets = [\"absent\"]\n", 8),
            ("pull.veterans_affairs", "pull.organization", 13),
            ("timeout = \"5s\"", "timeout = \"1h\"", 14),
            ("secrets = [\"secret\"], timeout", "secrets = [\"absent\"], timeout", 14),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let dir = folder(&GOOD.replacen(from, to, 1));
            match Departments::load(dir.path(), &catalog()) {
                Err(DepartmentsError::Line { line: found, cure, message, .. }) => {
                    assert_eq!(found, line, "{to}: {message}");
                    assert!(!cure.is_empty() && !message.is_empty());
                }
                other => panic!("{to}: {:?}", other.err()),
            }
        }
        let dir = folder(GOOD);
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(dir.path().join("secret"), open).unwrap();
        let error = Departments::load(dir.path(), &catalog()).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_province_brings_its_own_format() {
        let own = built_in("public_security").unwrap().replace("\"XM\"", "\"xingming\"");
        let text = GOOD
            .replace("secrets = [\"secret\"]\n", "secrets = [\"secret\"]\nformat = \"own.toml\"\n");
        let dir = folder(&text);
        std::fs::write(dir.path().join("own.toml"), &own).unwrap();
        Departments::load(dir.path(), &catalog()).unwrap();
        let other = own.replace("phone = \"LXDH\"\n", "");
        std::fs::write(dir.path().join("own.toml"), other).unwrap();
        let error = Departments::load(dir.path(), &catalog()).err().unwrap().to_string();
        assert!(error.contains("own.toml") && error.contains("`phone`"), "{error}");
    }
}
