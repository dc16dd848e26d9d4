//! Every fault in every phase: one test a cell.

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = tests::faults::cells()?
        .into_iter()
        .map(|cell| {
            let name = format!("{}::{}", cell.scenario, cell.phase);
            Trial::test(name, move || {
                tests::faults::try_cell(&cell)
                    .map(|_| ())
                    .map_err(|error| format!("{error:#}").into())
            })
        })
        .collect();
    trials.push(Trial::test("enough_scenarios", || {
        let cells = tests::faults::cells()?;
        let mut scenarios: Vec<_> = cells.iter().map(|cell| &cell.scenario).collect();
        scenarios.dedup();
        match scenarios.len() {
            80.. => Ok(()),
            few => Err(Failed::from(format!("only {few} scenarios"))),
        }
    }));
    libtest_mimic::run(&arguments, trials).exit();
}
