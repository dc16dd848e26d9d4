//! Why: a figure, its limit, the goal and the verdict belong in one line, for people and programs.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

/// One figure beside its limit.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub measured: f64,
    /// What the limit is.
    pub limit_is: String,
    /// The limit, in the same unit; none where there is nothing to compare with.
    pub limit: Option<f64>,
    /// `ms`, `%` or `MiB`.
    pub unit: &'static str,
    /// The figure by the limit.
    pub ratio: Option<f64>,
    /// The ratio wished for, at most.
    pub goal: Option<f64>,
    /// Whether it was met.
    pub met: Option<bool>,
}

impl Row {
    /// A figure with a limit; `goal` is the highest ratio wished for.
    pub fn new(
        name: impl Into<String>,
        unit: &'static str,
        measured: f64,
        limit: (impl Into<String>, f64),
        goal: Option<f64>,
    ) -> Self {
        let ratio = measured / limit.1;
        Self {
            name: name.into(),
            measured,
            limit_is: limit.0.into(),
            limit: Some(limit.1),
            unit,
            ratio: Some(ratio),
            goal,
            met: goal.map(|goal| ratio <= goal),
        }
    }

    /// A figure that stands alone.
    pub fn plain(name: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        Self {
            name: name.into(),
            measured,
            limit_is: String::new(),
            limit: None,
            unit,
            ratio: None,
            goal: None,
            met: None,
        }
    }
}

/// All rows of a run.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    pub fn push(&mut self, row: Row) {
        self.0.push(row);
    }

    /// One JSON object a line.
    pub fn write(&self, out: &Path) -> std::io::Result<()> {
        if let Some(folder) = out.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::File::create(out)?;
        for row in &self.0 {
            serde_json::to_writer(&mut file, row)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | limit | ratio | goal | verdict |")?;
        writeln!(f, "|---|--:|---|--:|--:|---|")?;
        for row in &self.0 {
            let limit = row.limit.map_or_else(String::new, |limit| {
                format!("{limit:.2} {}: {}", row.unit, row.limit_is)
            });
            let ratio = row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let goal = row.goal.map_or_else(String::new, |goal| format!("≤ {goal:.2}"));
            let verdict = match row.met {
                None => "",
                Some(true) => "met",
                Some(false) => "missed",
            };
            let Row { name, measured, unit, .. } = row;
            writeln!(
                f,
                "| {name} | {measured:.2} {unit} | {limit} | {ratio} | {goal} | {verdict} |"
            )?;
        }
        Ok(())
    }
}

/// What criterion found in this run.
#[derive(Debug)]
pub struct Found {
    folder: PathBuf,
    since: SystemTime,
}

impl Found {
    /// Will look into criterion's folder for what was measured from now on.
    pub fn from_now(folder: PathBuf) -> Self {
        Self { folder, since: SystemTime::now() }
    }

    /// Where criterion is to write.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The median in milliseconds; none when it was filtered out of this run.
    pub fn median(&self, group: &str, name: &str) -> Option<f64> {
        let file = self.folder.join(group).join(name).join("new/estimates.json");
        // A file of an earlier run is no figure of this one.
        if std::fs::metadata(&file).ok()?.modified().ok()? < self.since {
            return None;
        }
        let estimates: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        Some(estimates.get("median")?.get("point_estimate")?.as_f64()? / 1e6)
    }
}
