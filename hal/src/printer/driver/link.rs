//! Why: one place that opens the line, asks and listens, so that an answer that comes late, twice
//! or torn is dealt with once and for every question alike.
//!
//! Refuses: to take an answer for the answer to another question. Answers to `DLE EOT` do not say
//! what they answer, and some printers lag one behind. Where a decision hangs on it, and for good
//! once a printer was seen to lag, each question is asked twice and the second answer counts.

use super::TICK;
use crate::contract::Backoff;
use crate::line::{Line, LineError, OpenLine};
use crate::printer::protocol::{Answer, FullStatus, Reply, ReplyParser, StatusBits, StatusDialect};
use crate::printer::{MediaState, PrinterError, PrinterProfile};
use crate::supervise::{Plugs, Reopen};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The latest answer that is waited for, from a printer that was seen to be late.
const LATEST: Duration = Duration::from_secs(3);
/// How often one question is begun again because its answers come late.
const MOST_LATE: u8 = 3;

/// How much trust an answer needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// A look while idle: wrong once is put right by the next look.
    Glance,
    /// A job or a report hangs on it.
    Sure,
}

/// The line to one printer.
pub(super) struct Link {
    opener: Box<dyn OpenLine>,
    line: Option<Box<dyn Line>>,
    pub(super) reopen: Reopen,
    parser: ReplyParser,
    stop: Arc<AtomicBool>,
    dialect: StatusDialect,
    /// How long an answer is waited for: as the profile says, longer for one that was late.
    answer: Duration,
    first_answer: Duration,
    /// It was seen to answer late.
    lags: bool,
    /// The last report that came by itself.
    report: Option<StatusBits>,
    /// A report came since it was last asked for.
    news: bool,
}

impl Link {
    pub(super) fn new(
        opener: Box<dyn OpenLine>,
        profile: &PrinterProfile,
        plugs: Plugs,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            opener,
            line: None,
            reopen: Reopen::new(Backoff::default(), plugs),
            parser: ReplyParser::new(profile.status, profile.presenter),
            stop,
            dialect: profile.status,
            answer: profile.answer(),
            first_answer: profile.answer(),
            lags: false,
            report: None,
            news: false,
        }
    }

    /// True when its answers came late, so that one that was not asked for alone proves little.
    pub(super) fn lags(&self) -> bool {
        self.lags
    }

    pub(super) fn is_open(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn open(&mut self) -> Result<(), LineError> {
        match self.opener.open() {
            Ok(line) => {
                tracing::info!(line = %self.opener.describe(), "printer line opened");
                self.line = Some(line);
                self.reopen.succeeded();
                self.parser.reset();
                self.lags = false;
                self.answer = self.first_answer;
                self.report = None;
                Ok(())
            }
            Err(error) => {
                self.reopen.failed(Instant::now());
                Err(error)
            }
        }
    }

    /// Gives up the line, so that it is opened again.
    pub(super) fn lose(&mut self) {
        if self.line.take().is_some() {
            self.reopen.failed(Instant::now());
        }
    }

    fn line(&mut self) -> Result<&mut Box<dyn Line>, LineError> {
        self.line.as_mut().ok_or(LineError::Gone)
    }

    pub(super) fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.line()?.write_all(bytes, deadline)
    }

    /// Forgets what arrived and was not looked at.
    pub(super) fn drain(&mut self) -> Result<(), LineError> {
        self.parser.reset();
        self.line()?.drain()
    }

    /// Replies that arrive until the deadline or the next tick, none when it stays quiet.
    pub(super) fn hear(&mut self, deadline: Instant) -> Result<Vec<Reply>, PrinterError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(PrinterError::Stopped);
        }
        let mut buffer = [0; 256];
        let until = deadline.min(Instant::now() + TICK);
        let replies = match self.line()?.read_some(&mut buffer, until) {
            Ok(read) => self.parser.push(&buffer[..read]),
            Err(LineError::Timeout) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for bits in replies.iter().filter_map(StatusDialect::unasked) {
            self.report = Some(bits);
            self.news = true;
        }
        Ok(replies)
    }

    /// What the printer said by itself since it was last asked.
    pub(super) fn news(&mut self) -> Option<StatusBits> {
        std::mem::take(&mut self.news).then_some(self.report).flatten()
    }

    /// All the printer can say about its state.
    pub(super) fn ask_status(&mut self, care: Care) -> Result<StatusBits, PrinterError> {
        let noise = self.parser.noise;
        let asked = self.ask_round(care);
        let noise = self.parser.noise - noise;
        match asked {
            // A clean round among rubbish may be rubbish that looks like one.
            Ok(_) if noise > 0 && care == Care::Sure => {
                let before = self.parser.noise;
                let again = self.ask_round(care)?;
                match self.parser.noise - before {
                    0 => Ok(again),
                    noise => Err(PrinterError::Garbled { noise }),
                }
            }
            Err(PrinterError::Silent) if noise > 0 => Err(PrinterError::Garbled { noise }),
            other => other,
        }
    }

    fn ask_round(&mut self, care: Care) -> Result<StatusBits, PrinterError> {
        let dialect = self.dialect;
        let mut bits = StatusBits::default();
        for (number, question) in dialect.questions().iter().enumerate() {
            let asked = self.ask(question, care, |reply| {
                (dialect.take(&mut bits, number, reply) == Answer::Taken).then_some(())
            });
            match (asked, self.report) {
                // A printer that stands still does not work off its buffer, where this question
                // waits; what it said when it stopped still holds.
                (Err(PrinterError::Silent), Some(report)) if report.offline => return Ok(report),
                (asked, _) => asked?,
            }
        }
        self.news = false;
        Ok(bits)
    }

    /// What the mouth of the presenter holds.
    pub(super) fn ask_media(&mut self, question: &[u8]) -> Result<MediaState, PrinterError> {
        self.ask(question, Care::Glance, |reply| match reply {
            Reply::Full(bytes) => Some(FullStatus(*bytes).media()),
            _ => None,
        })
    }

    /// One question and its answer. What arrived before is thrown away first.
    pub(super) fn ask<T>(
        &mut self,
        question: &[u8],
        care: Care,
        mut pick: impl FnMut(&Reply) -> Option<T>,
    ) -> Result<T, PrinterError> {
        self.drain()?;
        let mut needed = if self.lags || care == Care::Sure { 2 } else { 1 };
        let mut silent = false;
        let mut late = 0;
        loop {
            let deadline = Instant::now() + self.answer;
            self.write(question, deadline)?;
            let mut answer = None;
            let mut answers = 0;
            while answers == 0 && Instant::now() < deadline {
                for reply in self.hear(deadline)? {
                    if let Some(picked) = pick(&reply) {
                        answer = Some(picked);
                        answers += 1;
                    }
                }
            }
            match answer {
                Some(answer) if answers >= needed && !silent => return Ok(answer),
                Some(_) if !silent => needed -= answers,
                // A byte was lost on the wire, or this is the late answer to the question before.
                // Once everything that is still on its way has come, two questions tell: the
                // answer to the second is an answer to one of them.
                Some(_) => {
                    late += 1;
                    if late > MOST_LATE {
                        return Err(PrinterError::Silent);
                    }
                    self.lags = true;
                    self.answer = (self.answer * 2).min(LATEST);
                    self.settle()?;
                    (silent, needed) = (false, 2);
                }
                None if silent => return Err(PrinterError::Silent),
                None => silent = true,
            }
        }
    }

    /// Waits until nothing comes any more.
    fn settle(&mut self) -> Result<(), PrinterError> {
        let give_up = Instant::now() + LATEST * 2;
        let mut quiet = Instant::now() + self.answer;
        while Instant::now() < quiet.min(give_up) {
            if !self.hear(quiet)?.is_empty() {
                quiet = Instant::now() + self.answer;
            }
        }
        Ok(())
    }
}
