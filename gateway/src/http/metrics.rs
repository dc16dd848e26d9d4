//! Why: an operator sees from numbers that something is wrong before a veteran does. Numbers only:
//! labels are words from this program's own lists, so that no id, address or name can get into
//! them, nor a caller make them grow.
//!
//! Refuses: to be served on the address that terminals use.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::ApiError;
use crate::receive::Receiver;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    area: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Delivery {
    department: String,
    outcome: &'static str,
}

/// The counters of one process; cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Numbers>);

struct Numbers {
    registry: Registry,
    uploads: Family<Outcome, Counter>,
    received: Counter,
    receipts: Counter,
    refusals: Family<Code, Counter>,
    calls: Family<Call, Histogram>,
    connections: Gauge,
    not_connected: Family<Why, Counter>,
    deliveries: Family<Delivery, Counter>,
    pending: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    quarantined: Gauge,
    audit: Family<Kind, Gauge>,
    certificate_until: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at nought.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("ronggui");
        let histogram = || Histogram::new([0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 600.0]);
        let calls = Family::<Call, Histogram>::new_with_constructor(histogram as fn() -> Histogram);
        let mut numbers = Numbers {
            registry: Registry::default(),
            uploads: Family::default(),
            received: Counter::default(),
            receipts: Counter::default(),
            refusals: Family::default(),
            calls,
            connections: Gauge::default(),
            not_connected: Family::default(),
            deliveries: Family::default(),
            pending: Gauge::default(),
            oldest: Gauge::default(),
            quarantined: Gauge::default(),
            audit: Family::default(),
            certificate_until: Gauge::default(),
        };
        let n = &numbers;
        registry.register("uploads", "Uploads by what became of them", n.uploads.clone());
        registry.register_with_unit(
            "received",
            "Bytes of uploads that have arrived",
            Unit::Bytes,
            n.received.clone(),
        );
        registry.register("receipts", "Signed receipts handed out", n.receipts.clone());
        registry.register("refusals", "Calls refused, by code", n.refusals.clone());
        registry.register_with_unit(
            "calls",
            "Time from request to answer, by area and status",
            Unit::Seconds,
            n.calls.clone(),
        );
        registry.register("connections", "Connections at the moment", n.connections.clone());
        registry.register(
            "connections_refused",
            "Connections that were not accepted, by reason",
            n.not_connected.clone(),
        );
        registry.register(
            "deliveries",
            "Deliveries to departments' systems, by department and outcome",
            n.deliveries.clone(),
        );
        registry.register(
            "opener_pending",
            "Submissions that wait to be opened",
            n.pending.clone(),
        );
        registry.register_with_unit(
            "opener_oldest",
            "Age of the oldest of them",
            Unit::Seconds,
            n.oldest.clone(),
        );
        registry.register(
            "opener_quarantined",
            "Submissions that will not open as they are",
            n.quarantined.clone(),
        );
        registry.register("audit_rows", "Rows of the audit, by kind", n.audit.clone());
        registry.register(
            "certificate_until_seconds",
            "When the server certificate ends, in seconds since 1970",
            n.certificate_until.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "This program", build);
        numbers.registry = registry;
        Self(Arc::new(numbers))
    }

    /// An upload was begun, or came to an end.
    pub(crate) fn upload(&self, outcome: &'static str) {
        self.0.uploads.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.0.received.inc_by(bytes);
    }

    pub(crate) fn receipt(&self) {
        self.0.receipts.inc();
    }

    pub(crate) fn refusal(&self, code: &str) {
        self.0.refusals.get_or_create(&Code { code: code.to_owned() }).inc();
    }

    pub(crate) fn call(&self, area: &'static str, status: u16, took: Duration) {
        let status = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.0.calls.get_or_create(&Call { area, status }).observe(took.as_secs_f64());
    }

    pub(crate) fn connected(&self) -> Connected {
        self.0.connections.inc();
        Connected(self.clone())
    }

    pub(crate) fn not_connected(&self, why: &'static str) {
        self.0.not_connected.get_or_create(&Why { why }).inc();
    }

    pub(crate) fn certificate_until(&self, seconds: i64) {
        self.0.certificate_until.set(seconds);
    }

    /// Something was brought to a department's system, or was not. `department` is a key of the
    /// catalogue, `outcome` a word of the program's.
    pub fn delivery(&self, department: &str, outcome: &'static str) {
        let department = department.to_owned();
        self.0.deliveries.get_or_create(&Delivery { department, outcome }).inc();
    }

    /// What stands in the database is looked up when somebody asks, so that it is right after a
    /// restart and with several processes.
    async fn text(&self, receiver: &Receiver) -> Result<String, ApiError> {
        let waiting = receiver.waiting(Timestamp::now()).await?;
        self.0.pending.set(waiting.pending);
        self.0.oldest.set(waiting.oldest_seconds);
        self.0.quarantined.set(waiting.quarantined);
        for (kind, rows) in receiver.audit_counts().await? {
            self.0.audit.get_or_create(&Kind { kind }).set(rows);
        }
        let mut text = String::new();
        encode(&mut text, &self.0.registry).map_err(|error| ApiError::Internal(error.into()))?;
        Ok(text)
    }
}

/// A connection, counted until dropped.
pub(crate) struct Connected(Metrics);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.0.connections.dec();
    }
}

/// The one route of the metrics' own address.
pub(crate) fn routes(metrics: Metrics, receiver: Arc<Receiver>) -> axum::Router {
    axum::Router::new().route("/metrics", get(show)).with_state((metrics, receiver))
}

async fn show(
    State((metrics, receiver)): State<(Metrics, Arc<Receiver>)>,
) -> Result<impl IntoResponse, ApiError> {
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], metrics.text(&receiver).await?))
}
