//! Why: here the module's answers meet the line: they leave at its pace, break off where a card or
//! a plug goes, and turn to noise when both ends are set to different rates.
//!
//! Refuses: to decide what an answer says; that is `module`'s.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::protocol::FrameParser;
use super::command::Durable;
use super::module::Reply;
use super::{ReaderSimCommander, ReaderSimOptions};
use crate::pty::{Pty, line_time};
use crate::state_file::StateFile;

/// How long the device may be deaf to commands.
const TICK: Duration = Duration::from_millis(10);
/// How often the state file is looked at.
const FILE_TICK: Duration = Duration::from_millis(50);
/// Bytes that leave at once.
const CHUNK: usize = 16;

pub(super) struct Device {
    pty: Option<Pty>,
    options: ReaderSimOptions,
    commander: ReaderSimCommander,
    stop: Arc<AtomicBool>,
    file: Option<StateFile<Durable>>,
    file_due: Instant,
    /// What the pseudo-terminal was last told.
    readable: bool,
    stolen: bool,
    back_at: Option<Instant>,
}

impl Device {
    pub(super) fn new(
        options: ReaderSimOptions,
        commander: ReaderSimCommander,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let file = match &options.state {
            Some(path) => Some(StateFile::create(path, &commander.state().durable())?),
            None => None,
        };
        let pty = Some(Pty::open(options.link.as_deref())?);
        Ok(Self {
            pty,
            options,
            commander,
            stop,
            file,
            file_due: Instant::now(),
            readable: true,
            stolen: false,
            back_at: None,
        })
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.pty.as_ref().map(Pty::path)
    }

    pub(super) fn run(mut self) {
        let mut parser = FrameParser::for_requests();
        let mut buffer = [0_u8; 256];
        let mut unplugs = 0;
        while !self.stop.load(Ordering::Relaxed) {
            self.look_at_file();
            if self.plug_and_unplug(&mut unplugs) {
                parser.reset();
            }
            let Some(pty) = &mut self.pty else {
                std::thread::sleep(TICK);
                continue;
            };
            let read = match pty.read_some(&mut buffer, TICK) {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "the pseudo-terminal failed");
                    return;
                }
            };
            let heard = self.as_heard(&buffer[..read]);
            for request in parser.push(&heard) {
                let reply = match request {
                    Ok(body) => self.commander.state().answer(body.expose()),
                    Err(_) => self.commander.state().complaint(),
                };
                if let Some(reply) = reply
                    && let Err(error) = self.send(&reply)
                {
                    tracing::warn!(%error, "the pseudo-terminal failed");
                    return;
                }
            }
        }
    }

    fn look_at_file(&mut self) {
        let Some(file) = &mut self.file else { return };
        if Instant::now() < self.file_due {
            return;
        }
        self.file_due = Instant::now() + FILE_TICK;
        let mut state = self.commander.state();
        if let Some(wanted) = file.changed()
            && let Err(error) = state.take_over(&wanted)
        {
            tracing::warn!(%error, "the state file asks for what cannot be");
        }
        if let Err(error) = file.publish(&state.durable()) {
            tracing::warn!(%error, "the state file cannot be written");
        }
    }

    /// Brings the pseudo-terminal to what the state says; true after an unplugging.
    fn plug_and_unplug(&mut self, unplugs: &mut u64) -> bool {
        let (plugged, readable, stolen, unplugged) = {
            let mut state = self.commander.state();
            if state.unplugs != *unplugs {
                self.back_at = state.back_after.take().map(|after| Instant::now() + after);
            }
            if self.back_at.is_some_and(|at| Instant::now() >= at) {
                self.back_at = None;
                state.plugged = true;
            }
            (state.plugged, state.readable, state.stolen, state.unplugs != *unplugs)
        };
        if unplugged {
            *unplugs = self.commander.state().unplugs;
            self.pty = None;
        }
        if plugged && self.pty.is_none() {
            match self.plug_in(readable, stolen) {
                Ok(pty) => self.pty = Some(pty),
                Err(error) => tracing::warn!(%error, "the reader cannot be plugged in"),
            }
        }
        if let Some(pty) = &mut self.pty {
            if readable != self.readable && pty.set_readable(readable).is_ok() {
                self.readable = readable;
            }
            if stolen != self.stolen {
                // While the driver holds the line nobody else can take it; tried until he can.
                match stolen {
                    true => self.stolen = pty.steal().is_ok(),
                    false => {
                        pty.release();
                        self.stolen = false;
                    }
                }
            }
        }
        unplugged
    }

    /// The line as it is to be found, before anybody can find it.
    fn plug_in(&mut self, readable: bool, stolen: bool) -> io::Result<Pty> {
        let mut pty = Pty::open(None)?;
        if stolen {
            pty.steal()?;
        }
        pty.set_readable(readable)?;
        if let Some(link) = &self.options.link {
            pty.publish(link)?;
        }
        (self.readable, self.stolen) = (readable, stolen);
        Ok(pty)
    }

    /// True when the driver has set another rate than the module's.
    fn at_odds(&self) -> bool {
        let module = self.commander.state().baud;
        let line = self.pty.as_ref().and_then(|pty| pty.baud().ok());
        matches!((module, line), (Some(module), Some(line)) if module != line)
    }

    fn as_heard(&self, bytes: &[u8]) -> Vec<u8> {
        match !bytes.is_empty() && self.at_odds() {
            true => self.commander.state().noise.bytes(bytes.len()),
            false => bytes.to_vec(),
        }
    }

    fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let (moves, unplugs) = {
            let state = self.commander.state();
            (state.moves, state.unplugs)
        };
        let mut think = reply.late;
        if reply.needs_card {
            think += self.options.radio;
        }
        self.wait(think);
        self.babble(reply.babble)?;
        self.put(&reply.before)?;
        let mut pace = Pace::new(Instant::now());
        let mut sent = 0;
        while sent < reply.bytes.len() {
            let slow = {
                let mut state = self.commander.state();
                let gone = !state.plugged || state.unplugs != unplugs || !state.powered;
                if self.stop.load(Ordering::Relaxed) || gone {
                    return Ok(());
                }
                if reply.lift_at.is_some_and(|at| sent >= at) {
                    state.remove();
                    return Ok(());
                }
                if let Some((_, back)) = reply.unplug_at.filter(|(at, _)| sent >= *at) {
                    state.unplug(back);
                    return Ok(());
                }
                if reply.needs_card && state.moves != moves {
                    return Ok(());
                }
                state.slow
            };
            let mut end = (sent + CHUNK).min(reply.bytes.len());
            for at in reply.lift_at.into_iter().chain(reply.unplug_at.map(|(at, _)| at)) {
                end = end.min(at.max(sent + 1));
            }
            if !reply.last_late.is_zero() {
                if sent + 1 == reply.bytes.len() {
                    self.wait(reply.last_late);
                } else {
                    end = end.min(reply.bytes.len() - 1);
                }
            }
            if let Some(due) = self.rate().map(|baud| pace.due(end - sent, baud, slow)) {
                self.wait(due.saturating_duration_since(Instant::now()));
            }
            self.put(&reply.bytes[sent..end])?;
            sent = end;
        }
        self.put(&reply.after)?;
        let mut state = self.commander.state();
        if reply.needs_card && reply.bytes.len() > super::super::protocol::LONGEST_SHORT {
            state.counters.contents += 1;
        }
        if reply.then_baud.is_some() {
            state.baud = reply.then_baud;
        }
        Ok(())
    }

    /// The pace of the line; `None` sends at once.
    fn rate(&self) -> Option<u32> {
        self.options.baud.map(|baud| self.commander.state().baud.unwrap_or(baud))
    }

    fn babble(&mut self, long: Duration) -> io::Result<()> {
        let until = Instant::now() + long;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            let noise = self.commander.state().noise.bytes(CHUNK);
            self.put(&noise)?;
            self.wait(line_time(CHUNK, self.rate().unwrap_or(115_200)));
        }
        Ok(())
    }

    /// Lets time pass without holding up the end.
    fn wait(&self, duration: Duration) {
        let until = Instant::now() + duration;
        while !self.stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(TICK));
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let noise = (!bytes.is_empty() && self.at_odds())
            .then(|| self.commander.state().noise.bytes(bytes.len()));
        match &mut self.pty {
            Some(pty) => pty.write(noise.as_deref().unwrap_or(bytes)),
            None => Ok(()),
        }
    }
}

/// When bytes have left a line. Counted from the first one, so that the sleeper's lateness does not
/// add up.
struct Pace {
    due: Instant,
}

impl Pace {
    fn new(start: Instant) -> Self {
        Self { due: start }
    }

    fn due(&mut self, count: usize, baud: u32, slow: u32) -> Instant {
        self.due += line_time(count, baud).saturating_mul(slow.max(1));
        self.due
    }
}
