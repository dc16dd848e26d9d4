//! Why: the printer, its line and the people around it in one place, behind one lock.
//!
//! Refuses: to lose what was printed: every strip of paper that comes off is kept as a picture.

use super::PrinterSimOptions;
use super::machine::{DOTS_PER_MM, Machine, Ticket};
use super::orders::{Order, When};
use super::port::Port;
use super::voice::Voice;
use crate::state_file::StateFile;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a person needs to take a ticket.
const GRIP: Duration = Duration::from_millis(300);
/// How often the state file is looked at and written.
const FILE_TICK: Duration = Duration::from_millis(60);
/// How many tickets `state` tells of.
const REMEMBERED: usize = 16;

/// What the state file holds. Everything above the counters may be edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterState {
    /// The power is on.
    pub power: bool,
    /// Paper left on the roll, in millimetres.
    pub paper_mm: u32,
    /// The paper is jammed.
    pub paper_jammed: bool,
    /// The cover stands open.
    pub cover_open: bool,
    /// The cutter is stuck.
    pub cutter_stuck: bool,
    /// The head is too hot.
    pub head_hot: bool,
    /// Paper used so far, in millimetres.
    pub mm_used: u64,
    /// Tickets cut off so far.
    pub tickets_cut: u64,
    /// Strips torn off by hand so far.
    pub strips_torn: u64,
}

/// What `state` answers.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    kept: PrinterState,
    plugged: bool,
    ticket_in_mouth: bool,
    taken: u64,
    retracted: u64,
    bytes_taken: u64,
    dots_moved: u64,
    buffered: usize,
    hanging_rows: usize,
    unknown_commands: usize,
    orders_waiting: usize,
    receipts: usize,
    last_lines: &'a [String],
    last_qr: &'a [String],
    tickets: &'a [Strip],
}

/// A strip of paper that came off.
#[derive(Debug, Clone, Serialize)]
struct Strip {
    lines: Vec<String>,
    qr: Vec<String>,
    torn: bool,
}

pub(super) struct Shared {
    pub(super) machine: Machine,
    pub(super) port: Option<Port>,
    pub(super) options: PrinterSimOptions,
    address: Option<SocketAddr>,
    /// Whether the line may be opened; outlives an unplugging.
    readable: bool,
    voice: Voice,
    waiting: Vec<(When, Order)>,
    timers: Vec<(Instant, Order)>,
    busy_until: Option<Instant>,
    people_take: bool,
    take_at: Option<Instant>,
    receipts: usize,
    strips: Vec<Strip>,
    before: PrinterState,
    file: Option<StateFile<PrinterState>>,
    next_file: Instant,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(machine: Machine, options: PrinterSimOptions) -> io::Result<Self> {
        let port = match options.tcp {
            None => Port::serial(&options.link)?,
            Some(address) => Port::network(address)?,
        };
        let fresh = PrinterState {
            power: true,
            paper_mm: machine.mechanics.paper_dots / DOTS_PER_MM,
            paper_jammed: false,
            cover_open: false,
            cutter_stuck: false,
            head_hot: false,
            mm_used: 0,
            tickets_cut: 0,
            strips_torn: 0,
        };
        let before = options
            .state
            .as_ref()
            .and_then(|path| std::fs::read(path).ok())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or(fresh);
        let address = port.address();
        let voice = Voice::new(options.seed);
        let mut shared = Self {
            machine,
            port: Some(port),
            options,
            address,
            readable: true,
            voice,
            waiting: Vec::new(),
            timers: Vec::new(),
            busy_until: None,
            people_take: true,
            take_at: None,
            receipts: 0,
            strips: Vec::new(),
            before,
            file: None,
            next_file: Instant::now(),
        };
        shared.apply(&shared.before.clone(), None);
        if let Some(path) = &shared.options.state {
            shared.file = Some(StateFile::create(path, &shared.before)?);
        }
        Ok(shared)
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Sets what differs from what was told last, so that an edit of one thing does not undo
    /// another that happened meanwhile.
    fn apply(&mut self, wanted: &PrinterState, told: Option<&PrinterState>) {
        let differs =
            |pick: fn(&PrinterState) -> bool| told.is_none_or(|told| pick(told) != pick(wanted));
        let mechanics = &mut self.machine.mechanics;
        if told.is_none_or(|told| told.paper_mm != wanted.paper_mm) {
            mechanics.paper_dots = wanted.paper_mm.saturating_mul(DOTS_PER_MM);
        }
        if differs(|state| state.paper_jammed) {
            mechanics.jammed = wanted.paper_jammed;
        }
        if differs(|state| state.cover_open) {
            mechanics.cover_open = wanted.cover_open;
        }
        if differs(|state| state.cutter_stuck) {
            mechanics.cutter_stuck = wanted.cutter_stuck;
        }
        if differs(|state| state.head_hot) {
            mechanics.hot = wanted.head_hot;
        }
        if differs(|state| state.power) {
            self.power(wanted.power);
        }
    }

    fn power(&mut self, on: bool) {
        self.machine.set_power(on);
        if !on {
            self.voice.forget();
            if let Some(port) = &mut self.port {
                port.power_lost();
            }
        }
    }

    fn kept(&self) -> PrinterState {
        let (mechanics, counters) = (&self.machine.mechanics, &self.machine.counters);
        PrinterState {
            power: mechanics.power,
            paper_mm: mechanics.paper_dots / DOTS_PER_MM,
            paper_jammed: mechanics.jammed,
            cover_open: mechanics.cover_open,
            cutter_stuck: mechanics.cutter_stuck,
            head_hot: mechanics.hot,
            mm_used: self.before.mm_used + counters.dots / u64::from(DOTS_PER_MM),
            tickets_cut: self.before.tickets_cut + counters.cuts,
            strips_torn: self.before.strips_torn + self.torn(),
        }
    }

    fn torn(&self) -> u64 {
        self.strips.iter().map(|strip| u64::from(strip.torn)).sum()
    }

    /// What the clock brings: timers, people at the mouth, edits of the file.
    pub(super) fn keep_time(&mut self, now: Instant) {
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.timers).into_iter().partition(|(at, _)| *at <= now);
        self.timers = later;
        for (_, order) in due {
            self.obey_logged(order);
        }
        if self.busy_until.is_some_and(|until| now >= until) {
            self.busy_until = None;
            self.machine.mechanics.feeding = false;
        }
        match (self.machine.holds_ticket() && self.people_take, self.take_at) {
            (true, None) => self.take_at = Some(now + GRIP),
            (true, Some(at)) if now >= at => {
                self.machine.take_ticket();
                self.take_at = None;
            }
            (false, _) => self.take_at = None,
            _ => {}
        }
        if now >= self.next_file {
            self.next_file = now + FILE_TICK;
            let told = self.kept();
            if let Some(mut file) = self.file.take() {
                if let Some(wanted) = file.changed() {
                    self.apply(&wanted, Some(&told));
                }
                if let Err(error) = file.publish(&self.kept()) {
                    tracing::warn!(%error, "the simulated printer could not write its state");
                }
                self.file = Some(file);
            }
        }
    }

    pub(super) fn answer_and_keep(&mut self, now: Instant) {
        // The picture first: who hears the proof may look for it at once.
        for ticket in self.machine.take_tickets() {
            self.receipts += 1;
            let number = self.receipts;
            self.keep(ticket, "receipt", number);
        }
        let answers = self.machine.take_answers();
        let said = self.voice.say(answers, now);
        if let Some(port) = self.port.as_mut()
            && self.machine.mechanics.power
            && !said.is_empty()
            && let Err(error) = port.write(&said)
        {
            tracing::warn!(%error, "the simulated printer could not answer");
        }
    }

    fn keep(&mut self, ticket: Ticket, name: &str, number: usize) {
        let out = &self.options.out;
        if let Err(error) = write(&ticket, out, name, number) {
            tracing::error!(%error, out = %out.display(), "a strip of paper could not be written");
        }
        if self.strips.len() == REMEMBERED {
            let oldest = self.strips.remove(0);
            self.before.strips_torn += u64::from(oldest.torn);
        }
        let torn = name != "receipt";
        self.strips.push(Strip { lines: ticket.lines, qr: ticket.qr, torn });
    }

    pub(super) fn bytes_until_order(&self) -> usize {
        let now = self.machine.counters.bytes;
        let next = self.waiting.iter().filter_map(|(when, _)| match when {
            When::AfterBytes(at) => Some(at.saturating_sub(now)),
            _ => None,
        });
        usize::try_from(next.min().unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
    }

    pub(super) fn dots_until_order(&self) -> u32 {
        let now = self.machine.counters.dots;
        let next = self.waiting.iter().filter_map(|(when, _)| match when {
            When::AfterDots(at) => Some(at.saturating_sub(now)),
            _ => None,
        });
        u32::try_from(next.min().unwrap_or(u64::MAX)).unwrap_or(u32::MAX)
    }

    /// Tells the machine where to stop for what was arranged.
    pub(super) fn arrange_stops(&mut self) {
        let any = |wanted: When| self.waiting.iter().any(|(when, _)| *when == wanted);
        let (at, after) = (any(When::AtCut), any(When::AfterCut));
        self.machine.stop_at_cut = at;
        self.machine.stop_after_cut = after;
    }

    /// Carries out what is due; true when something was.
    pub(super) fn carry_out(&mut self, due: impl Fn(&When, &Machine) -> bool) -> bool {
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(when, _)| due(when, &self.machine));
        self.waiting = later;
        let any = !now.is_empty();
        for (_, order) in now {
            self.obey_logged(order);
        }
        any
    }

    fn obey_logged(&mut self, order: Order) {
        if let Err(error) = self.obey(order) {
            tracing::error!(error, "what was arranged for the simulated printer did not happen");
        }
    }

    pub(super) fn command(&mut self, line: &str) -> Result<String, String> {
        self.obey(Order::parse(line)?)
    }

    fn obey(&mut self, order: Order) -> Result<String, String> {
        let soon = |millis: u64| Instant::now() + Duration::from_millis(millis);
        let mechanics = &mut self.machine.mechanics;
        match order {
            Order::Paper(millimetres) => {
                mechanics.paper_dots = millimetres.saturating_mul(DOTS_PER_MM);
            }
            Order::PaperJam(on) => mechanics.jammed = on,
            Order::NearEnd(forced) => mechanics.near_end = forced,
            Order::Cover(open) => mechanics.cover_open = open,
            Order::Cutter(stuck) => {
                (mechanics.cutter_stuck, mechanics.cutter_will_stick) = (stuck, false);
            }
            Order::CutterJamNext => mechanics.cutter_will_stick = true,
            Order::Head(hot) => mechanics.hot = hot,
            Order::Broken(on) => mechanics.broken = on,
            Order::LostMarker => mechanics.lose_proof = true,
            Order::Power(on) => self.power(on),
            Order::PowerCycle(millis) => {
                self.power(false);
                self.timers.push((soon(millis), Order::Power(true)));
            }
            Order::Mute(on) => self.voice.mute = on,
            Order::Noise(on) => self.voice.noise = on,
            Order::Late(millis) => self.voice.late = Duration::from_millis(millis),
            Order::Lag(on) => self.voice.lag = on,
            Order::Wrong(on) => self.voice.wrong = on,
            Order::Unplug(millis) => {
                self.port = None;
                self.timers.extend(millis.map(|millis| (soon(millis), Order::Plug)));
            }
            Order::Plug => self.plug()?,
            Order::Stolen(true) => self.steal()?,
            Order::Stolen(false) => self.serial()?.release(),
            Order::Permission(allowed) => {
                // Who has it open keeps it open; only opening again is refused.
                self.readable = allowed;
                if self.port.is_some() {
                    let pty = self.serial()?;
                    pty.set_readable(allowed).map_err(|error| error.to_string())?;
                }
            }
            Order::Speed(speed) => self.options.speed = (speed > 0).then_some(speed),
            Order::Busy(millis) => {
                mechanics.feeding = true;
                self.busy_until = Some(soon(millis));
            }
            Order::Take(take) => {
                self.people_take = take;
                if take {
                    self.machine.take_ticket();
                }
            }
            Order::Tear => {
                if let Some(strip) = self.machine.tear() {
                    let number = usize::try_from(self.torn()).unwrap_or(0) + 1;
                    self.keep(strip, "torn", number);
                }
            }
            Order::State => return self.state(),
            Order::Later(when, order) => {
                let counters = self.machine.counters;
                let when = match when {
                    When::AfterDots(count) => When::AfterDots(counters.dots.saturating_add(count)),
                    When::AfterBytes(count) => {
                        When::AfterBytes(counters.bytes.saturating_add(count))
                    }
                    place => place,
                };
                self.waiting.push((when, *order));
            }
        }
        Ok(String::new())
    }

    fn plug(&mut self) -> Result<(), String> {
        if self.port.is_none() {
            let port = match self.address {
                None => Port::serial_as(&self.options.link, self.readable),
                Some(address) => Port::network(address),
            };
            self.port = Some(port.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn serial(&mut self) -> Result<&mut crate::pty::Pty, String> {
        self.port.as_mut().ok_or("it is not plugged in")?.pty()
    }

    /// Another program has the line. Whoever holds it now would keep it, so it is plugged in again
    /// and the thief is quicker than the driver.
    fn steal(&mut self) -> Result<(), String> {
        self.serial()?;
        for _ in 0..20 {
            self.port = None;
            self.plug()?;
            if self.serial()?.steal().is_ok() {
                return Ok(());
            }
        }
        Err("the driver was quicker each time; say it again".to_owned())
    }

    fn state(&self) -> Result<String, String> {
        let last = self.strips.iter().rev().find(|strip| !strip.torn);
        let counters = &self.machine.counters;
        let told = Told {
            kept: self.kept(),
            plugged: self.port.is_some(),
            ticket_in_mouth: self.machine.holds_ticket(),
            taken: counters.taken,
            retracted: counters.retracted,
            bytes_taken: counters.bytes,
            dots_moved: counters.dots,
            buffered: self.machine.buffered(),
            hanging_rows: self.machine.hanging_rows(),
            unknown_commands: counters.unknown,
            orders_waiting: self.waiting.len(),
            receipts: self.receipts,
            last_lines: last.map_or(&[], |strip| &strip.lines),
            last_qr: last.map_or(&[], |strip| &strip.qr),
            tickets: &self.strips,
        };
        serde_json::to_string(&told).map_err(|error| error.to_string())
    }
}

/// Writes a strip under its number and, a receipt, in one step each as the latest.
fn write(ticket: &Ticket, out: &Path, name: &str, number: usize) -> io::Result<()> {
    let mut png = io::Cursor::new(Vec::new());
    ticket.image.write_to(&mut png, image::ImageFormat::Png).map_err(io::Error::other)?;
    for (bytes, ending) in [(ticket.bytes.as_slice(), "bin"), (png.get_ref().as_slice(), "png")] {
        std::fs::write(out.join(format!("{name}-{number}.{ending}")), bytes)?;
        if name == "receipt" {
            let fresh = out.join(format!(".receipt.{ending}.new"));
            std::fs::write(&fresh, bytes)?;
            std::fs::rename(&fresh, out.join(format!("receipt.{ending}")))?;
        }
    }
    Ok(())
}
