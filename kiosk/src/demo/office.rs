//! Why: what staff and departments do is done here as they do it: over HTTPS, with their own
//! tokens, against the real gateway.
//!
//! Refuses: the gateway's database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use catalog::case::{DepartmentAction, Progress, ShownState};
use serde::Deserialize;
use tokio::runtime::Handle;

use super::visit::Reply;

/// How long the gateway may take to open a submission.
const OPENED: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Tokens {
    staff: String,
    departments: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Progress>,
}

/// A desk with every token of the office.
pub struct Office {
    http: reqwest::Client,
    base: String,
    tokens: Tokens,
    tokio: Handle,
}

impl Office {
    /// With the tokens that `gateway keygen` handed out.
    pub fn open(data: &Path, base: &str, tokio: &Handle) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tokens = std::fs::read(data.join("tokens.json")).context("tokens.json")?;
        let ca = std::fs::read(data.join("tls/ca.pem")).context("tls/ca.pem")?;
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca)?])
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base: base.to_owned(),
            tokens: serde_json::from_slice(&tokens)?,
            tokio: tokio.clone(),
        })
    }

    fn get<T: serde::de::DeserializeOwned>(&self, path: &str, token: &str) -> anyhow::Result<T> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(token);
        self.tokio.block_on(async {
            let answer = request.send().await?;
            let status = answer.status();
            ensure!(status.is_success(), "GET {path}: {status}");
            Ok(answer.json().await?)
        })
    }

    fn post(&self, path: &str, token: &str, body: &impl serde::Serialize) -> anyhow::Result<()> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(token).json(body);
        self.tokio.block_on(async {
            let answer = request.send().await?;
            let status = answer.status();
            if !status.is_success() {
                bail!("POST {path}: {status}: {}", answer.text().await.unwrap_or_default());
            }
            Ok(())
        })
    }

    /// The case with this receipt number, as soon as it is opened.
    pub fn case(&self, receipt_number: &str) -> anyhow::Result<Progress> {
        let end = Instant::now() + OPENED;
        loop {
            let Cases { cases } = self.get("/staff/cases", &self.tokens.staff)?;
            let found = cases.into_iter().find(|case| case.receipt_number == receipt_number);
            match found {
                Some(case) => return Ok(case),
                None if Instant::now() > end => {
                    bail!("no case for {receipt_number} after {OPENED:?}")
                }
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Waits until the answer to a correction request has reached its department.
    pub fn answered(&self, receipt_number: &str, service: &str) -> anyhow::Result<()> {
        let end = Instant::now() + OPENED;
        loop {
            let case = self.case(receipt_number)?;
            let waiting = case.services.iter().any(|known| {
                known.service == service && known.state == ShownState::CorrectionNeeded
            });
            if !waiting {
                return Ok(());
            }
            ensure!(Instant::now() < end, "{service} still needs its correction after {OPENED:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// One thing that staff or a department does.
    pub fn reply(&self, case: &Progress, reply: &Reply) -> anyhow::Result<()> {
        if let Some(action) = &reply.staff {
            let path = format!("/staff/cases/{}", case.case_id);
            let body = serde_json::json!({ "action": action });
            return self.post(&path, &self.tokens.staff, &body);
        }
        let (Some(service), Some(report)) = (&reply.service, &reply.report) else {
            bail!("a reply has either `staff`, or `service` and `report`");
        };
        self.report(case, service, report)
    }

    fn report(
        &self,
        case: &Progress,
        service: &str,
        report: &DepartmentAction,
    ) -> anyhow::Result<()> {
        let department = case
            .services
            .iter()
            .find(|known| known.service == service)
            .map(|known| known.department.as_str())
            .with_context(|| format!("the case has no service {service}"))?;
        let token = self
            .tokens
            .departments
            .get(department)
            .with_context(|| format!("no token for {department}"))?;
        let path = format!("/departments/{department}/cases/{}/services/{service}", case.case_id);
        self.post(&path, token, report)
    }

    /// Services by department, as each finds them in its own inbox.
    pub fn inboxes(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let mut found = BTreeMap::new();
        for (department, token) in &self.tokens.departments {
            #[derive(Deserialize)]
            struct Inbox {
                cases: Vec<Entry>,
            }
            #[derive(Deserialize)]
            struct Entry {
                services: Vec<catalog::case::ServiceProgress>,
            }
            let inbox: Inbox = self.get(&format!("/departments/{department}/inbox"), token)?;
            let services: Vec<String> = inbox
                .cases
                .into_iter()
                .flat_map(|entry| entry.services)
                .map(|service| service.service)
                .collect();
            if !services.is_empty() {
                found.insert(department.clone(), services);
            }
        }
        Ok(found)
    }
}
