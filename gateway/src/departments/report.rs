//! Why: an operator wants to know how each department is connected, whether the other end answers,
//! and what waits to be delivered, without looking into tables.
//!
//! Refuses: to send anything: a probe only asks whether somebody is there.

use std::path::Path;
use std::sync::Arc;

use catalog::Catalog;
use serde::Serialize;

use super::{Departments, DepartmentsError};
use crate::cases::{Cases, DeliveryCount};
use crate::http::ApiError;
use crate::stores::Stores;

/// How one department is connected.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// Department key.
    pub department: String,
    /// Its name.
    pub name: String,
    /// `push`, `pull` or `worklist`.
    pub kind: &'static str,
    /// The system at the other end.
    pub system: Option<String>,
    /// Where it is.
    pub place: Option<String>,
    /// What came of asking whether it is there, if it was asked: `status 405`, or why not.
    pub answer: Option<String>,
    /// False: it was asked and is not there.
    pub reachable: Option<bool>,
}

/// How deliveries stand.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// By department and state.
    pub deliveries: Vec<DeliveryCount>,
}

/// Reads the configuration in `data`, and says how each department is connected; asks the other end
/// whether it is there if `probe` is set.
pub async fn check(
    data: &Path,
    catalog: &Arc<Catalog>,
    probe: bool,
) -> Result<Vec<Connection>, DepartmentsError> {
    let departments = Departments::load(data, catalog)?;
    let mut found = Vec::new();
    for department in catalog.departments() {
        let adapter = departments.adapters.get(&department.key);
        let mut connection = Connection {
            department: department.key.clone(),
            name: department.text.zh.clone(),
            kind: "pull",
            system: None,
            place: None,
            answer: None,
            reachable: None,
        };
        if let Some(adapter) = adapter {
            let description = adapter.describe();
            connection.kind = description.kind;
            connection.system = description.system;
            connection.place = description.place;
            let asked = if probe { adapter.probe().await } else { None };
            connection.reachable = asked.as_ref().map(Result::is_ok);
            connection.answer = asked.map(|asked| match asked {
                Ok(status) => format!("status {status}"),
                Err(why) => why.to_owned(),
            });
        }
        found.push(connection);
    }
    Ok(found)
}

/// How deliveries stand in `stores`.
pub async fn standing(stores: &Stores, catalog: &Arc<Catalog>) -> Result<Standing, ApiError> {
    let objects = stores.objects.open().await?;
    let cases = Cases::open(&stores.database, objects, Arc::clone(catalog))?;
    Ok(Standing { deliveries: cases.delivery_counts().await? })
}
