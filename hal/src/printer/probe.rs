//! Why: a technician before an unknown printer needs to see what it answers, byte for byte, and
//! which profile that fits, without printing anything.
//!
//! Refuses: commands that move paper or that some model takes for something else.

use super::protocol::{self, Answer, Presenter, Reply, ReplyParser, StatusBits, StatusDialect};
use super::{Confirmation, PrinterError, PrinterProfile, PrinterStatus};
use crate::contract::Recoverable as _;
use crate::line::{Line, LineError, OpenLine};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What a printer answered to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeAnswer {
    /// The question, as manuals call it.
    pub question: String,
    /// Its bytes, in hexadecimal.
    pub sent: String,
    /// What came back, in hexadecimal; empty when nothing did.
    pub received: String,
    /// Whether that is an answer to this question.
    pub understood: bool,
    /// Milliseconds from the question to the end of the answer.
    pub millis: Option<f64>,
}

/// What went wrong, for a technician.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeFault {
    /// The stable word.
    pub code: &'static str,
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub cure: &'static str,
}

/// What is known about a printer after asking it everything that is harmless.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// The line, as a technician would call it.
    pub line: String,
    /// What stands in the way of printing; none when nothing does.
    pub fault: Option<ProbeFault>,
    /// Its state in the dialect of the profile; none when it does not answer in it.
    pub status: Option<PrinterStatus>,
    /// Who made it (`GS I 66`).
    pub maker: Option<String>,
    /// The model (`GS I 67`).
    pub model: Option<String>,
    /// Dialects in which it tells its state, the best first.
    pub dialects: Vec<StatusDialect>,
    /// Ways in which it proves that something is printed, the best first.
    pub confirmations: Vec<Confirmation>,
    /// It tells whether a ticket is in its mouth. Asked only when the profile names a presenter
    /// that can.
    pub sees_ticket: Option<bool>,
    /// The shortest time between a question and its answer, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Bytes that were no answer to anything: a wrong rate or a bad cable.
    pub noise: usize,
    /// Everything that was asked.
    pub answers: Vec<ProbeAnswer>,
}

/// The letters of the proof that a probe asks for.
const PROOF: [u8; 4] = *b"TEST";

/// Asks a printer everything that is harmless and says what it is. Nothing is printed. Takes at
/// most about `patience`; a printer that answers is through in a fraction of a second.
pub fn probe(
    mut open: Box<dyn OpenLine>,
    profile: &PrinterProfile,
    patience: Duration,
) -> ProbeReport {
    let mut report = ProbeReport {
        line: open.describe(),
        fault: None,
        status: None,
        maker: None,
        model: None,
        dialects: Vec::new(),
        confirmations: Vec::new(),
        sees_ticket: None,
        rtt_ms: None,
        noise: 0,
        answers: Vec::new(),
    };
    let outcome = match open.open() {
        Ok(line) => Prober { line, report: &mut report, deadline: Instant::now() + patience }
            .ask_all(profile),
        Err(error) => Err(error),
    };
    let status = report.status;
    let error = match outcome {
        Err(error) => Some(error.into()),
        Ok(()) => match status {
            Some(status) => status.fault(),
            None if report.noise > 0 => Some(PrinterError::Garbled { noise: report.noise }),
            None => Some(PrinterError::Silent),
        },
    };
    report.fault = error.map(|error| ProbeFault {
        code: error.code(),
        message: error.to_string(),
        cure: error.cure(),
    });
    report
}

struct Prober<'a> {
    line: Box<dyn Line>,
    report: &'a mut ProbeReport,
    deadline: Instant,
}

impl Prober<'_> {
    fn ask_all(&mut self, profile: &PrinterProfile) -> Result<(), LineError> {
        let all =
            [StatusDialect::DleEot, StatusDialect::Asb, StatusDialect::EscV, StatusDialect::GsR];
        for dialect in all {
            let mut bits = StatusBits::default();
            let mut whole = true;
            for (number, question) in dialect.questions().iter().enumerate() {
                let name = match dialect {
                    StatusDialect::DleEot => format!("DLE EOT {}", number + 1),
                    StatusDialect::Asb => "GS a".to_owned(),
                    StatusDialect::EscV => "ESC v".to_owned(),
                    StatusDialect::GsR => "GS r 1".to_owned(),
                };
                let parser = ReplyParser::new(dialect, Presenter::None);
                whole &= self
                    .ask(&name, question, parser, |reply| {
                        (dialect.take(&mut bits, number, reply) == Answer::Taken).then_some(())
                    })?
                    .is_some();
            }
            if whole {
                self.report.dialects.push(dialect);
                if dialect == profile.status {
                    self.report.status = Some(PrinterStatus::of(bits, dialect));
                }
            }
            if dialect == StatusDialect::Asb && whole {
                // Reports that come by themselves would be taken for other answers.
                self.line.write_all(&[0x1d, 0x61, 0], self.until())?;
            }
        }
        let proof = protocol::process_id(PROOF);
        let proved = self.ask("GS ( H", &proof, ReplyParser::default(), |reply| {
            (*reply == Reply::Printed(PROOF)).then_some(())
        })?;
        if proved.is_some() {
            self.report.confirmations.push(Confirmation::ProcessId);
        }
        if self.report.dialects.contains(&StatusDialect::GsR) {
            self.report.confirmations.push(Confirmation::TransmitStatus);
        }
        self.report.maker = self.name(66)?;
        self.report.model = self.name(67)?;
        let presenter = profile.presenter;
        if presenter.sees() {
            let parser = ReplyParser::new(profile.status, presenter);
            let seen = self.ask("DLE EOT 20", presenter.question(), parser, |reply| {
                matches!(reply, Reply::Full(_)).then_some(())
            })?;
            self.report.sees_ticket = Some(seen.is_some());
        }
        Ok(())
    }

    fn name(&mut self, which: u8) -> Result<Option<String>, LineError> {
        let question = protocol::identify(which);
        self.ask(&format!("GS I {which}"), &question, ReplyParser::default(), |reply| match reply {
            Reply::Identity(name) => Some(name.clone()),
            _ => None,
        })
    }

    /// A share of the time for each of the dozen questions.
    fn until(&self) -> Instant {
        let now = Instant::now();
        now + (self.deadline.saturating_duration_since(now) / 4).min(Duration::from_millis(600))
    }

    fn ask<T>(
        &mut self,
        name: &str,
        question: &[u8],
        mut parser: ReplyParser,
        mut pick: impl FnMut(&Reply) -> Option<T>,
    ) -> Result<Option<T>, LineError> {
        self.line.drain()?;
        let start = Instant::now();
        let until = self.until();
        self.line.write_all(question, until)?;
        let mut received = Vec::new();
        let mut found = None;
        let mut buffer = [0; 128];
        while found.is_none() && Instant::now() < until {
            match self.line.read_some(&mut buffer, until) {
                Ok(read) => {
                    received.extend_from_slice(&buffer[..read]);
                    found = parser.push(&buffer[..read]).iter().find_map(&mut pick);
                }
                Err(LineError::Timeout) => break,
                Err(error) => return Err(error),
            }
        }
        let millis = found.is_some().then(|| start.elapsed().as_secs_f64() * 1000.0);
        self.report.rtt_ms = match (self.report.rtt_ms, millis) {
            (Some(best), Some(now)) => Some(f64::min(best, now)),
            (best, now) => best.or(now),
        };
        self.report.noise += parser.noise;
        self.report.answers.push(ProbeAnswer {
            question: name.to_owned(),
            sent: hex(question),
            received: hex(&received),
            understood: found.is_some(),
            millis,
        });
        Ok(found)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
