//! Why: every fault scenario is tried in every phase it names, by the real terminal, and what came
//! of it is kept, so that the table in `docs/fault-matrix.md` is written by nobody.
//!
//! Refuses: to judge more kindly than the scenario. Beside what the terminal reports, everything
//! it left behind is searched for the person.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{files, program, root, search};

/// Where scenarios lie.
pub const SCENARIOS: &str = "tests/fixtures/scenarios";
/// The table.
pub const TABLE: &str = "docs/fault-matrix.md";
/// What the specimen card of the phases' visits says, and what is typed: none of it may be left.
const PERSON: [&str; 4] =
    ["样本乙", "930100200203151010", "样本省样本市样本区样本路", "13800000000"];

/// One scenario in one phase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Name of the scenario's file without its ending.
    pub scenario: String,
    /// Phase.
    pub phase: String,
}

/// What came of a cell, without anything that depends on the clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Found {
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Phase.
    pub phase: String,
    /// Who was named.
    pub actor: String,
    /// How the visit ended.
    pub end: String,
    /// Originals of the receipt that are whole.
    pub originals: u64,
}

/// Every cell, from the scenarios themselves.
pub fn cells() -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for path in files(&root().join(SCENARIOS))? {
        let scenario = kiosk::demo::fault::FaultScenario::load(&path)?;
        let name = path.file_stem().and_then(|name| name.to_str()).context("a name")?;
        for phase in scenario.expect.keys() {
            cells.push(Cell { scenario: name.to_owned(), phase: phase.clone() });
        }
    }
    cells.sort();
    Ok(cells)
}

/// Where the results of the last run are kept.
pub fn results() -> anyhow::Result<PathBuf> {
    let dir = program("kiosk")?.with_file_name("fault-trials");
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn file_of(cell: &Cell) -> anyhow::Result<PathBuf> {
    Ok(results()?.join(format!("{}.{}.json", cell.scenario, cell.phase)))
}

/// A process without the right to pass over permissions, as a terminal's user is.
fn unprivileged(program: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        let dropped = "-dac_override,-dac_read_search";
        command.args(["--bounding-set", dropped, "--inh-caps", dropped, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Tries one cell; an error says what is not as it must be.
pub fn try_cell(cell: &Cell) -> anyhow::Result<Found> {
    let kept = file_of(cell)?;
    let _ = std::fs::remove_file(&kept);
    let out = tempfile::tempdir()?;
    let output = unprivileged(&program("kiosk")?)
        .current_dir(root())
        .args(["demo", "--headless", "--json", "--no-pictures", "--fault"])
        .arg(format!("{SCENARIOS}/{}.toml", cell.scenario))
        .args(["--phase", &cell.phase, "--out"])
        .arg(out.path())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let summary = std::fs::read(out.path().join("summary.json"))
        .with_context(|| format!("the visit did not end: {errors}"))?;
    let summary: Value = serde_json::from_slice(&summary)?;
    let fault = &summary["fault"];
    ensure!(output.status.success(), "{}\n{errors}", serde_json::to_string_pretty(fault)?);
    nothing_about_the_person(out.path(), &errors)?;
    let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
    let found = Found {
        scenario: cell.scenario.clone(),
        title: text("title"),
        phase: cell.phase.clone(),
        actor: text("actor"),
        end: text("end"),
        originals: fault["originals"].as_u64().context("no count of originals")?,
    };
    std::fs::write(kept, serde_json::to_string_pretty(&found)?)?;
    Ok(found)
}

/// Sealed files, logs, indexes, journals, what the program said: nothing of the person. The case
/// store is the gateway's, and the paper is the person's own.
fn nothing_about_the_person(out: &Path, said: &str) -> anyhow::Result<()> {
    let searched: Vec<_> = files(out)?
        .into_iter()
        .filter(|path| {
            let inside = path.strip_prefix(out).unwrap_or(path).to_string_lossy().into_owned();
            !inside.starts_with("gateway/cases") && !inside.starts_with("printer/")
        })
        .collect();
    ensure!(searched.iter().any(|path| path.ends_with("devices.log")), "nothing to search");
    let left = search(&searched, &PERSON)?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    ensure!(!PERSON.iter().any(|text| said.contains(text)), "the program named the person");
    Ok(())
}

/// The results of the last run, for every cell.
pub fn found() -> anyhow::Result<Vec<Found>> {
    cells()?
        .iter()
        .map(|cell| {
            let path = file_of(cell)?;
            let text = std::fs::read(&path).with_context(|| {
                format!("{} in phase {} was not tried, or failed", cell.scenario, cell.phase)
            })?;
            Ok(serde_json::from_slice(&text)?)
        })
        .collect()
}

const HEAD: &str = "# Fault matrix

Every fault that the simulated devices can have, tried in whole visits, in the phases in which it can
make a difference: a fault of one answer only where that answer is asked for, a lasting one wherever the
device is used. Written by `make fault-matrix` from what came of it, not by hand; `make test` tries all of it
and compares.

After each: the visit ended in the state given here within its deadline, the person whom the
panel named in the end, on the page on which it first told of the fault, is the one given here, what the panel called printed was on paper, no receipt came out
twice as an original, and nothing about the person was left in files or logs.

*Named*: **nobody** – the driver dealt with it and the visitor noticed nothing; **yourself** – the
visitor; **staff** – of the center; **technician**. *Ended*: **served** – as without the fault; **let
in by staff** – number and name typed, staff's PIN; **on screen only** – submitted, number and QR on
the panel; **without photograph** – submitted, to be brought later; **by touch** – without the scanner;
**left** – nothing was submitted, nothing is kept; **closed** – the terminal is out of service.
";

/// The table as text.
pub fn table(found: &[Found]) -> anyhow::Result<String> {
    let phases = kiosk::demo::fault::phases(&root().join("tests/fixtures/phases.toml"))?;
    let words = |word: &str| word.replace('_', " ");
    let count = |pick: fn(&Found) -> &String| {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for cell in found {
            *counts.entry(pick(cell)).or_default() += 1;
        }
        let parts: Vec<String> =
            counts.iter().map(|(word, count)| format!("{} {count}", words(word))).collect();
        parts.join(" · ")
    };
    let mut scenarios: Vec<&String> = found.iter().map(|cell| &cell.scenario).collect();
    scenarios.dedup();
    let mut text = HEAD.to_owned();
    text += &format!(
        "\n**{} scenarios, {} trials.** Named: {}. Ended: {}.\n",
        scenarios.len(),
        found.len(),
        count(|cell| &cell.actor),
        count(|cell| &cell.end)
    );
    let device = |cell: &Found| cell.scenario.split('-').next().unwrap_or_default().to_owned();
    let mut last = String::new();
    for cell in found {
        if device(cell) != last {
            last = device(cell);
            text += &format!(
                "\n## {last}\n\n| fault | phase | named | ended | originals on paper |\n|---|---|---|---|---|\n"
            );
        }
        let phase = phases.get(&cell.phase).map_or(cell.phase.as_str(), |phase| &phase.title);
        text += &format!(
            "| {} (`{}`) | {} | {} | {} | {} |\n",
            cell.title,
            cell.scenario,
            phase,
            words(&cell.actor),
            words(&cell.end),
            cell.originals
        );
    }
    Ok(text)
}
