//! Why: a technician who has just connected a scanner wants to know whether its line opens, whether
//! its bytes arrive, and whether its suffix and rate are set as the profile says.
//!
//! Refuses: to show what was scanned.

use std::time::{Duration, Instant};

use serde::Serialize;
use zeroize::Zeroizing;

use super::{Assembled, Assembler, ScannerError, ScannerOptions, Suffix};
use crate::contract::Recoverable as _;
use crate::line::{LineError, OpenLine};

/// What one look at a scanner found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// The line, as a technician would call it.
    pub line: String,
    /// Whether it could be opened.
    pub opened: bool,
    /// How many bytes came.
    pub bytes: usize,
    /// Length of the first code without its suffix; `None` when no code came in time.
    pub code_length: Option<usize>,
    /// What the bytes ended with, where that can be told.
    pub suffix_seen: Option<Suffix>,
    /// [`Recoverable::code`](crate::contract::Recoverable::code) of what went wrong.
    pub fault: Option<&'static str>,
    /// What went wrong, in words.
    pub message: Option<String>,
    /// What ends it.
    pub cure: Option<&'static str>,
}

impl ProbeReport {
    fn blame(&mut self, error: &ScannerError) {
        self.fault = Some(error.code());
        self.message = Some(error.to_string());
        self.cure = Some(error.cure());
    }
}

/// Opens the line and waits at most `patience` for one code to be shown. No code in that time is
/// no fault: nobody may have shown one.
pub fn probe(open: &mut dyn OpenLine, options: &ScannerOptions, patience: Duration) -> ProbeReport {
    let mut report = ProbeReport { line: open.describe(), ..ProbeReport::default() };
    if let Err(error) = listen(open, options, patience, &mut report) {
        report.blame(&error);
    }
    report
}

fn listen(
    open: &mut dyn OpenLine,
    options: &ScannerOptions,
    patience: Duration,
    report: &mut ProbeReport,
) -> Result<(), ScannerError> {
    let deadline = Instant::now() + patience;
    let mut line = open.open()?;
    report.opened = true;
    line.drain()?;
    if let Some(trigger) = &options.trigger {
        line.write_all(&trigger.on, Instant::now() + options.send)?;
    }
    let mut assembler = Assembler::new(options);
    let mut buffer = Zeroizing::new([0_u8; 1024]);
    let mut tail = Zeroizing::new([0_u8; 2]);
    let mut outcome = Ok(());
    while Instant::now() < deadline {
        let until = assembler.due().unwrap_or(deadline).min(deadline);
        let found = match line.read_some(&mut *buffer, until) {
            Ok(read) => {
                report.bytes += read;
                for &byte in &buffer[..read] {
                    *tail = [tail[1], byte];
                }
                assembler.push(&buffer[..read], Instant::now())
            }
            Err(LineError::Timeout) => assembler.tick(Instant::now()).into_iter().collect(),
            Err(lost) => return Err(lost.into()),
        };
        if let Some(first) = found.into_iter().next() {
            match first {
                Assembled::Code(code) => report.code_length = Some(code.expose().len()),
                Assembled::Refused(error) => outcome = Err(error),
            }
            break;
        }
    }
    if report.bytes > 0 {
        report.suffix_seen = Some(match *tail {
            [b'\r', b'\n'] => Suffix::CrLf,
            [_, b'\r'] => Suffix::Cr,
            [_, b'\n'] => Suffix::Lf,
            _ => Suffix::None,
        });
    }
    if let Some(trigger) = options.trigger.as_ref().filter(|trigger| !trigger.off.is_empty()) {
        // The scanner has been heard already; its light goes out by itself if this is lost.
        let _ = line.write_all(&trigger.off, Instant::now() + options.send);
    }
    outcome
}
