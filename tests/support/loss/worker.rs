//! Why: a terminal in a process of its own can be killed like one. It speaks on a pipe; what it
//! said before it died is in the pipe, not in the process.
//!
//! Refuses: to let a process live on.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::record::{Record, Said};
use crate::program;

/// How a worker is started; see `queue-worker --help`.
#[derive(Clone, Debug)]
pub struct Work {
    /// The terminal's configuration.
    pub config: PathBuf,
    /// Its queue, when not that of the configuration.
    pub queue: Option<PathBuf>,
    /// Further options.
    pub options: Vec<String>,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Where its log goes.
    pub log: PathBuf,
}

impl Work {
    /// For a terminal, with its log beside its configuration.
    pub fn new(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
            queue: None,
            options: Vec::new(),
            environment: Vec::new(),
            log: config.with_file_name("worker.log"),
        }
    }

    /// With a queue elsewhere.
    pub fn queue(mut self, dir: &Path) -> Self {
        self.queue = Some(dir.to_owned());
        self
    }

    /// With an option and its value.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.options.push(format!("--{name}={}", value.to_string()));
        self
    }

    /// With an option without a value.
    pub fn flag(mut self, name: &str) -> Self {
        self.options.push(format!("--{name}"));
        self
    }

    /// With a variable of the environment.
    pub fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }
}

/// A worker while it runs.
pub struct Worker {
    child: Child,
    lines: mpsc::Receiver<Said>,
    log: PathBuf,
}

impl Worker {
    /// Starts one.
    pub fn start(work: &Work) -> anyhow::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(&work.log)?;
        let mut command = Command::new(program("queue-worker")?);
        command.arg("--config").arg(&work.config);
        if let Some(queue) = &work.queue {
            command.arg("--queue").arg(queue);
        }
        command.args(&work.options).env_remove("FAILPOINTS");
        command.envs(work.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().context("cannot start queue-worker")?;
        let output = child.stdout.take().context("no pipe")?;
        let (say, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                // A line without its end was cut off with the process: nothing was said.
                if let Some(said) = line.strip_suffix('\n').and_then(Said::read)
                    && say.send(said).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self { child, lines, log: work.log.clone() })
    }

    /// Listens until `done` or for `patience`; true when it was done.
    pub fn listen(
        &mut self,
        record: &mut Record,
        patience: Duration,
        mut done: impl FnMut(&Said, &Record) -> bool,
    ) -> bool {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(said) => {
                    record.add(said.clone());
                    if done(&said, record) {
                        return true;
                    }
                }
                Err(_) => return false,
            }
        }
    }

    /// Waits until it takes submissions.
    pub fn wait_ready(&mut self, record: &mut Record, patience: Duration) -> anyhow::Result<()> {
        if self.listen(record, patience, |said, _| matches!(said, Said::Ready { .. })) {
            return Ok(());
        }
        match self.child.try_wait()? {
            Some(status) => {
                bail!("the worker ended before it was ready ({status}): {}", self.last_words())
            }
            None => bail!("the worker is not ready after {patience:?}"),
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let said = log.lines().rfind(|line| line.starts_with("Error:"));
        said.unwrap_or("without a word").to_owned()
    }

    /// True while it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`; then everything it had said.
    pub fn kill(mut self, record: &mut Record) -> anyhow::Result<()> {
        let _ = self.child.kill();
        self.child.wait()?;
        // The pipe ends with the process, and with it the channel.
        for said in self.lines.iter() {
            record.add(said);
        }
        Ok(())
    }

    /// Waits for its own end, and takes down all it says; an error when it takes longer.
    pub fn finish(mut self, record: &mut Record, patience: Duration) -> anyhow::Result<()> {
        let ended = !self.listen(record, patience, |_, _| false);
        let end = Instant::now() + Duration::from_secs(5);
        while ended && Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the worker ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the worker has not ended after {patience:?}; {} wait", waiting(record))
    }
}

fn waiting(record: &Record) -> usize {
    record.stored.keys().filter(|id| !record.delivered.contains(*id)).count()
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
