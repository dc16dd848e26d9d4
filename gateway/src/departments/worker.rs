//! Why: carries deliveries to their departments. Each department has workers of its own, so that one
//! that is slow or away keeps nobody else waiting.
//!
//! Refuses: to drop what fails. It stays, with its reason and a growing pause, and an alarm when a
//! person should look.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::endpoint::Failure;
use super::pause::random;
use super::{Adapter, Delivered, Delivery, Departments, Tuning, Wants};
use crate::cases::{Cases, DeliveryLease, Due};
use crate::db::DbError;
use crate::receive::{AlarmKind, Receiver};

/// A worker that says nothing for so long has died. Longer than any request may take.
const LEASE: Duration = Duration::from_secs(600);
/// How often the table is looked at.
const INTERVAL: Duration = Duration::from_millis(300);
/// What a request under way gets at shutdown. After that it counts as lost, and is repeated with the
/// same key.
const FAREWELL: Duration = Duration::from_secs(5);

/// One worker of one department.
#[derive(Clone)]
struct Worker {
    department: String,
    adapter: Arc<dyn Adapter>,
    tuning: Tuning,
    cases: Cases,
    receiver: Arc<Receiver>,
}

enum Outcome {
    Delivered(Delivered),
    Obsolete(&'static str),
    Failed(Failure),
}

impl Departments {
    /// Starts the workers of all departments that are connected.
    pub fn start(
        &self,
        cases: &Cases,
        receiver: &Arc<Receiver>,
        stopped: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let mut tasks = Vec::new();
        for (department, adapter) in &self.adapters {
            for _ in 0..self.tuning.workers {
                let worker = Worker {
                    department: department.clone(),
                    adapter: Arc::clone(adapter),
                    tuning: self.tuning,
                    cases: cases.clone(),
                    receiver: Arc::clone(receiver),
                };
                tasks.push(tokio::spawn(worker.run(stopped.clone())));
            }
        }
        tasks
    }
}

impl Worker {
    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut ending = stopped.clone();
        let told = async move {
            let _ = ending.wait_for(|stop| *stop).await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::pin!(told);
        loop {
            while !*stopped.borrow() {
                let stepped = tokio::select! {
                    stepped = self.step() => stepped,
                    () = &mut told => return,
                };
                match stepped {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        let department = &self.department;
                        tracing::error!(%error, department, "the deliveries failed");
                        break;
                    }
                }
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Carries one delivery; `false` when none was due.
    async fn step(&self) -> Result<bool, DbError> {
        let now = Timestamp::now();
        let taken = self.cases.take_delivery(self.department.clone(), now, LEASE).await?;
        let Some(lease) = taken else { return Ok(false) };
        // A task of its own: a panic costs this delivery a try, and not the department its worker.
        let worker = self.clone();
        let about = lease.clone();
        let work = tokio::spawn(async move { worker.carry(about).await });
        let crashed = Outcome::Failed(Failure::waiting("adapter_crashed"));
        let outcome = work.await.unwrap_or(crashed);
        fail::fail_point!("delivery.sent");
        let wants = self.adapter.wants();
        let (case, service, step) = (lease.case_id, &lease.service, lease.step);
        match outcome {
            Outcome::Delivered(Delivered { reference }) => {
                self.cases.delivered(&lease, reference, wants == Wants::Share).await?;
                tracing::info!(%case, service, step, department = self.department, "delivered");
            }
            Outcome::Obsolete(why) => {
                self.cases.drop_delivery(&lease, why).await?;
                tracing::info!(%case, service, step, why, "delivery no longer wanted");
            }
            Outcome::Failed(failure) => self.failed(&lease, failure).await?,
        }
        Ok(true)
    }

    async fn carry(&self, lease: DeliveryLease) -> Outcome {
        let parcel = match self.cases.due(&lease).await {
            Ok(Due::Deliver(parcel)) => *parcel,
            Ok(Due::Obsolete(why)) => return Outcome::Obsolete(why),
            Err(_) => return Outcome::Failed(Failure::passing("case_store")),
        };
        let mut papers = Vec::new();
        if self.adapter.wants() == Wants::Share {
            for paper in &parcel.papers {
                let (department, name) = (lease.department.clone(), paper.name.clone());
                let found = self.cases.department_paper(department, lease.case_id, name).await;
                let Ok(found) = found else {
                    return Outcome::Failed(Failure::passing("paper_unreadable"));
                };
                let bytes = Zeroizing::new(found.bytes);
                // A correction may have replaced it since it was listed.
                if envelope::sha256(&bytes).to_string() != paper.sha256 {
                    return Outcome::Failed(Failure::passing("paper_replaced"));
                }
                papers.push(bytes);
            }
        }
        match self.adapter.deliver(&Delivery { lease, parcel, papers }).await {
            Ok(delivered) => Outcome::Delivered(delivered),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn failed(&self, lease: &DeliveryLease, failure: Failure) -> Result<(), DbError> {
        let (why, wish, pauses, alarm) = match failure {
            Failure::Passing { why, wish } => {
                let due = is_alarm(lease.attempt, self.tuning.alarm_after);
                (why, wish, self.tuning.pauses, due.then_some(AlarmKind::DeliveryStuck))
            }
            Failure::Waiting { why } => {
                let news = lease.problem.as_deref() != Some(&why);
                let alarm = news.then_some(AlarmKind::DeliveryRefused);
                (why, None, self.tuning.pauses.rarely(), alarm)
            }
        };
        let (case, service, step) = (lease.case_id, &lease.service, lease.step);
        let attempt = lease.attempt;
        let department = &self.department;
        tracing::info!(%case, service, step, attempt, why, department, "not delivered");
        // Before the row: twice an alarm is better than none.
        if let Some(kind) = alarm {
            let detail = format!("{department}: {why} ({})", lease.key());
            self.receiver.alarm(kind, None, None, detail).await;
        }
        let pause = pauses.after(attempt, wish, random);
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::ZERO);
        let next = Timestamp::now().checked_add(pause).unwrap_or(Timestamp::MAX);
        self.cases.deliver_later(lease, why, next).await
    }
}

/// At the first number of tries that is too many, and whenever it has doubled since.
fn is_alarm(attempt: u32, after: u32) -> bool {
    attempt.is_multiple_of(after) && (attempt / after).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_comes_again_but_ever_more_rarely() {
        let alarms: Vec<u32> = (1..=100).filter(|attempt| is_alarm(*attempt, 5)).collect();
        assert_eq!(alarms, [5, 10, 20, 40, 80]);
    }
}
