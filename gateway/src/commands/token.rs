//! Why: tokens for desks, systems and operators, made and ended while the gateway runs.

use std::path::PathBuf;

use catalog::Catalog;
use clap::{Subcommand, ValueEnum};
use gateway::{NewToken, Role, add_token, list_tokens, revoke_token};

const EXAMPLES: &str = "Examples:
  gateway token add --data DIR --role department --department public_security --name desk-3 --days 90
  gateway token add --data DIR --role operator --name monitoring
  gateway token list --data DIR
  gateway token revoke t-0a1b2c3d4e --data DIR";

/// Token commands.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Token {
    /// Make a token. It is shown once and can never be shown again.
    Add {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// What it is for.
        #[arg(long)]
        role: RoleName,
        /// Whose inbox it opens, for the role `department`.
        #[arg(long, value_name = "KEY")]
        department: Option<String>,
        /// In whose hands it will be: a desk or a system.
        #[arg(long)]
        name: String,
        /// After how many days it ends.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        /// Catalogue folder of the province.
        #[arg(
            long,
            value_name = "DIR",
            env = "RONGGUI_CATALOG",
            default_value = "catalog/data/sichuan"
        )]
        catalog: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all tokens, without what opens a door.
    List {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a token. A running gateway follows within a second.
    Revoke {
        /// Its id, as `gateway token list` shows it.
        id: String,
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What a token is for.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// The comprehensive window: all cases.
    Staff,
    /// One department: its own inbox.
    Department,
    /// Figures, alarms and deliveries; nothing about a person.
    Operator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Staff => Self::Staff,
            RoleName::Department => Self::Department,
            RoleName::Operator => Self::Operator,
        }
    }
}

/// Does what was asked.
pub fn run(command: Token) -> anyhow::Result<()> {
    match command {
        Token::Add { data, role, department, name, days, catalog, json } => {
            let catalog = match department {
                Some(_) => Some(Catalog::load(&catalog)?),
                None => None,
            };
            let known = catalog.iter().flat_map(|catalog| catalog.departments());
            let known: Vec<&str> = known.map(|department| department.key.as_str()).collect();
            let department = department.as_deref();
            let new = NewToken { role: role.into(), department, name: &name, days };
            let added = add_token(&data, &new, &known)?;
            crate::answer(json, &added, || {
                println!("id       {}", added.id);
                println!("token    {} (shown once)", *added.token);
                match added.expires_at {
                    Some(end) => println!("expires  {end}"),
                    None => println!("expires  never"),
                }
            })
        }
        Token::List { data, json } => {
            let tokens = list_tokens(&data)?;
            crate::answer(json, &tokens, || {
                for line in &tokens {
                    let department = line.department.as_deref().unwrap_or("-");
                    let end = match (line.expires_at, line.expired) {
                        (Some(end), true) => format!("expired {end}"),
                        (Some(end), false) => format!("until {end}"),
                        (None, _) => "without end".into(),
                    };
                    let (id, role, name) = (&line.id, line.role, &line.name);
                    println!("{id:<20} {role:?}  {department}  {end}  {name}");
                }
            })
        }
        Token::Revoke { id, data, json } => {
            revoke_token(&data, &id)?;
            let report = serde_json::json!({ "revoked": id });
            crate::answer(json, &report, || println!("revoked  {id}"))
        }
    }
}
