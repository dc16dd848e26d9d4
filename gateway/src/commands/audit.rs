//! Why: what somebody should look at, and who has read what, in one list.

use clap::Args;
use gateway::audit;
use uuid::Uuid;

use super::{Which, wait};

const EXAMPLES: &str = "Examples:
  gateway audit --data DIR
  gateway audit --data DIR --case 0198c0de-0000-7000-8000-000000000000 --json";

/// Options of `gateway audit`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    #[command(flatten)]
    store: Which,
    /// Most lines of each kind.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Only reads of this case.
    #[arg(long, value_name = "ID")]
    case: Option<Uuid>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Does what was asked.
pub fn run(options: Audit) -> anyhow::Result<()> {
    let Audit { store, limit, case, json } = options;
    let report = wait(audit(&store.place()?, limit, case))??;
    crate::answer(json, &report, || {
        for alarm in &report.alarms {
            let submission = alarm.submission_id.as_deref().unwrap_or("-");
            println!("{}  alarm  {}  {submission}  {}", alarm.at, alarm.kind, alarm.detail);
        }
        for read in &report.reads {
            let case = read.case_id.as_deref().unwrap_or("all cases");
            let department = read.department.as_deref().unwrap_or("-");
            let (at, role, holder, action) = (&read.at, &read.role, &read.holder, &read.action);
            println!("{at}  read   {role}  {holder}  {department}  {action}  {case}");
        }
    })
}
