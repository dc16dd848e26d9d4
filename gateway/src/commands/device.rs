//! Why: a terminal is stolen, and somebody has to shut it out now, not at the next restart.
//!
//! Refuses: to deny without a reason; whoever reads the list in a year has to understand it.

use anyhow::ensure;
use clap::{Args, Subcommand};
use gateway::DenyList;
use serde::Serialize;

use super::{Which, answer};

const EXAMPLES: &str = "Examples:
  gateway device deny 3f9a1c --why 'stolen from the Jinjiang centre, 2026-11-20' --data /var/lib/ronggui
  gateway device list --data /var/lib/ronggui
  gateway device allow 3f9a1c --data /var/lib/ronggui";

/// Which terminals are let in no more.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Device {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Let a terminal in no more. Holds from the next call on, also for connections that are open.
    Deny {
        /// The terminal's id, or enough of its beginning.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        which: Which,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a terminal in again. What it could not deliver it delivers by itself.
    Allow {
        /// The terminal's id, or enough of its beginning.
        id: String,
        #[command(flatten)]
        which: Which,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// The terminals that are not let in, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Changed {
    device_id: String,
    denied: bool,
    changed: bool,
}

/// Does it.
pub async fn run(device: Device) -> anyhow::Result<()> {
    match device.action {
        Action::Deny { id, why, which, json } => {
            ensure!(!why.trim().is_empty(), "give a reason with --why");
            let list = DenyList::open(&which.place()?)?;
            let device = list.named(&id).await?;
            list.deny(device, why).await?;
            let report = Changed { device_id: device.to_string(), denied: true, changed: true };
            answer(json, &report, || println!("denied   {device}"))
        }
        Action::Allow { id, which, json } => {
            let list = DenyList::open(&which.place()?)?;
            let device = list.named(&id).await?;
            let changed = list.allow(device).await?;
            let report = Changed { device_id: device.to_string(), denied: false, changed };
            answer(json, &report, || match changed {
                true => println!("allowed  {device}"),
                false => println!("{device} was not denied"),
            })
        }
        Action::List { which, json } => {
            let denied = DenyList::open(&which.place()?)?.list().await?;
            answer(json, &denied, || {
                for one in &denied {
                    println!("{}  {}  {}", one.device_id, one.since, one.why.escape_debug());
                }
                if denied.is_empty() {
                    println!("no terminal is denied");
                }
            })
        }
    }
}
