//! Why: the three ways in which a service reaches its department. A system with an interface gets
//! the share, in its own words; a system that fetches gets a sign that there is something to fetch;
//! people who work from paper find it on their list.
//!
//! Refuses: to send a field or paper for which the format has no name, and to put anything about a
//! person into a mere sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::Catalog;
use serde::Serialize;
use serde_json::json;

use super::endpoint::{Endpoint, Failure};
use super::format::Format;
use super::{Adapter, Answering, Delivered, Delivery, Description, Wants};

/// Bytes of a request's body; two papers of two good photographs are far below.
const LARGEST: usize = 64 << 20;

/// Sends the share to a department's system.
pub struct Push {
    pub(super) endpoint: Endpoint,
    pub(super) format: Arc<Format>,
    pub(super) catalog: Arc<Catalog>,
}

/// Tells a department's system that its inbox has something new.
pub struct Notice {
    pub(super) endpoint: Endpoint,
}

/// Nothing to send: the list is printed from the inbox, where the service is already.
pub struct WorkList;

#[derive(Serialize)]
struct Body<'a> {
    key: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    case_id: String,
    receipt_number: &'a str,
    service: &'a str,
    step: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    dispatched_at: String,
    fields: BTreeMap<&'a str, std::borrow::Cow<'a, str>>,
    materials: Vec<Material<'a>>,
}

#[derive(Serialize)]
struct Material<'a> {
    kind: &'a str,
    page: u32,
    media_type: &'a str,
    bytes: u64,
    sha256: &'a str,
    content: String,
}

impl Push {
    fn body(&self, key: &str, delivery: &Delivery) -> Result<Vec<u8>, Failure> {
        let Delivery { lease, parcel, papers } = delivery;
        let nameless = || Failure::waiting("not_in_format");
        let mut fields = BTreeMap::new();
        for (field, value) in &parcel.fields {
            let named = self.format.field(&self.catalog, field, value.as_str());
            let (name, value) = named.ok_or_else(nameless)?;
            fields.insert(name, value);
        }
        let mut materials = Vec::new();
        for (paper, content) in parcel.papers.iter().zip(papers) {
            materials.push(Material {
                kind: self.format.material(&paper.kind).ok_or_else(nameless)?,
                page: paper.page,
                media_type: &paper.media_type,
                bytes: paper.bytes,
                sha256: &paper.sha256,
                content: STANDARD.encode(content),
            });
        }
        let body = Body {
            key,
            kind: if parcel.is_correction { "correction" } else { "application" },
            case_id: lease.case_id.to_string(),
            receipt_number: &parcel.receipt_number,
            service: self.format.service(&lease.service).ok_or_else(nameless)?,
            step: lease.step,
            reference: parcel.reference.as_deref(),
            dispatched_at: lease.dispatched_at.to_string(),
            fields,
            materials,
        };
        let body = serde_json::to_vec(&body).map_err(|_| Failure::waiting("not_json"))?;
        match body.len() > LARGEST {
            true => Err(Failure::waiting("too_large")),
            false => Ok(body),
        }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Delivered, Failure> {
        let key = delivery.lease.key();
        let answer = self.endpoint.post(&key, self.body(&key, delivery)?).await?;
        let reference = self.format.reference(&answer);
        let reference = reference.map_err(|()| Failure::passing("answer_unreadable"))?;
        Ok(Delivered { reference })
    }
}

impl Adapter for Push {
    fn wants(&self) -> Wants {
        Wants::Share
    }

    fn describe(&self) -> Description {
        Description {
            kind: "push",
            system: Some(self.format.system.clone()),
            place: Some(self.endpoint.place()),
        }
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Answering<'a, Result<Delivered, Failure>> {
        Box::pin(self.send(delivery))
    }

    fn probe(&self) -> Answering<'_, Option<Result<u16, &'static str>>> {
        Box::pin(async { Some(self.endpoint.probe().await) })
    }
}

impl Notice {
    async fn send(&self, delivery: &Delivery) -> Result<Delivered, Failure> {
        let lease = &delivery.lease;
        let key = lease.key();
        let body = json!({
            "key": key,
            "type": "inbox",
            "case_id": lease.case_id,
            "service": lease.service,
            "step": lease.step,
            "dispatched_at": lease.dispatched_at,
        });
        self.endpoint.post(&key, body.to_string().into_bytes()).await?;
        Ok(Delivered { reference: None })
    }
}

impl Adapter for Notice {
    fn wants(&self) -> Wants {
        Wants::Names
    }

    fn describe(&self) -> Description {
        Description { kind: "pull", system: None, place: Some(self.endpoint.place()) }
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Answering<'a, Result<Delivered, Failure>> {
        Box::pin(self.send(delivery))
    }

    fn probe(&self) -> Answering<'_, Option<Result<u16, &'static str>>> {
        Box::pin(async { Some(self.endpoint.probe().await) })
    }
}

impl Adapter for WorkList {
    fn wants(&self) -> Wants {
        Wants::Names
    }

    fn describe(&self) -> Description {
        Description { kind: "worklist", system: None, place: None }
    }

    fn deliver<'a>(&'a self, _: &'a Delivery) -> Answering<'a, Result<Delivered, Failure>> {
        Box::pin(async { Ok(Delivered { reference: None }) })
    }

    fn probe(&self) -> Answering<'_, Option<Result<u16, &'static str>>> {
        Box::pin(async { None })
    }
}
