//! Why: what a receipt printer does with a stream, without any line or clock: a buffer, a head
//! that burns rows, paper that ends, a cover, a cutter, a mouth. The same machine serves tests in
//! memory and the program on a line.
//!
//! Refuses: kindness. A buffered job prints after the next roll of paper, a real-time command in a
//! picture is obeyed, a letter the memory lacks comes out as a question mark, and what lost its
//! power forgot everything but the paper in its slot.

use super::commands::{Command, Read, Realtime, RealtimeScan, read};
use super::typeset::{Piece, Settings, Typesetter};
use crate::glyphs::GlyphSource;
use crate::printer::protocol::{FullStatus, Presenter, StatusBits, StatusDialect};
use encoding_rs::GB18030;
use image::{GrayImage, Luma};
use std::collections::VecDeque;

/// Dots a millimetre of paper.
pub const DOTS_PER_MM: u32 = 8;
/// Below this a roll counts as nearly used up.
const LOW_MM: u32 = 300;

/// A strip of paper that was cut or torn off.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// What is on the paper.
    pub image: GrayImage,
    /// The bytes it was made of.
    pub bytes: Vec<u8>,
    /// The text lines that are on it from top to bottom; a picture is told by its size.
    pub lines: Vec<String>,
    /// The texts of QR codes that are on it whole.
    pub qr: Vec<String>,
}

/// Which printer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Dots across.
    pub width_dots: u16,
    /// Bytes the receive buffer holds.
    pub buffer: usize,
    /// How it tells its state; it does not understand the other ways.
    pub dialect: StatusDialect,
    /// What holds the ticket out.
    pub presenter: Presenter,
}

impl Model {
    /// A usual printer, so many dots across.
    pub fn new(width_dots: u16) -> Self {
        Self {
            width_dots,
            buffer: 64 * 1024,
            dialect: StatusDialect::DleEot,
            presenter: Presenter::None,
        }
    }
}

/// The mechanics, as a person at the printer changes them.
#[derive(Debug, Clone)]
pub struct Mechanics {
    /// Paper left on the roll, in dots.
    pub paper_dots: u32,
    /// The paper is jammed.
    pub jammed: bool,
    /// What the sensor of the near end says, whatever the roll holds.
    pub near_end: Option<bool>,
    /// The cover stands open.
    pub cover_open: bool,
    /// The cutter is stuck.
    pub cutter_stuck: bool,
    /// The cutter will stick at the next cut.
    pub cutter_will_stick: bool,
    /// The head is too hot.
    pub hot: bool,
    /// Somebody holds the feed key.
    pub feeding: bool,
    /// It reports a defect.
    pub broken: bool,
    /// The power is on.
    pub power: bool,
    /// The next proof of printing is not sent.
    pub lose_proof: bool,
}

impl Default for Mechanics {
    fn default() -> Self {
        Self {
            paper_dots: 60_000 * DOTS_PER_MM,
            jammed: false,
            near_end: None,
            cover_open: false,
            cutter_stuck: false,
            cutter_will_stick: false,
            hot: false,
            feeding: false,
            broken: false,
            power: true,
            lose_proof: false,
        }
    }
}

enum Motion {
    Piece(Piece),
    Cut,
}

/// Places at which work can be made to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Station {
    /// The knife is about to move.
    AtCut,
    /// The ticket is off; nothing after it has been looked at.
    AfterCut,
}

/// Everything counted since the machine was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Dots of paper moved.
    pub dots: u64,
    /// Bytes taken from the line.
    pub bytes: u64,
    /// Cuts.
    pub cuts: u64,
    /// Tickets taken from the mouth by a person.
    pub taken: u64,
    /// Tickets taken back by the machine.
    pub retracted: u64,
    /// Commands nobody knows.
    pub unknown: usize,
}

/// A receipt printer.
pub struct Machine {
    /// What a person can change.
    pub mechanics: Mechanics,
    /// What was counted.
    pub counters: Counters,
    /// Stop before the next cut.
    pub stop_at_cut: bool,
    /// Stop after the next cut.
    pub stop_after_cut: bool,
    model: Model,
    scan: RealtimeScan,
    buffer: VecDeque<u8>,
    starving: bool,
    setter: Typesetter,
    motions: VecDeque<Motion>,
    rows: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    lines: Vec<String>,
    qr: Vec<String>,
    mouth: bool,
    reports: bool,
    reported: Option<[u8; 4]>,
    answers: Vec<u8>,
    tickets: Vec<Ticket>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("mechanics", &self.mechanics).finish_non_exhaustive()
    }
}

impl Machine {
    /// A printer with a fresh roll.
    pub fn new(fonts: &'static GlyphSource, model: Model) -> Self {
        Self {
            mechanics: Mechanics::default(),
            counters: Counters::default(),
            stop_at_cut: false,
            stop_after_cut: false,
            setter: Typesetter::new(fonts, usize::from(model.width_dots / 8).max(1)),
            model,
            scan: RealtimeScan::default(),
            buffer: VecDeque::new(),
            starving: true,
            motions: VecDeque::new(),
            rows: Vec::new(),
            bytes: Vec::new(),
            lines: Vec::new(),
            qr: Vec::new(),
            mouth: false,
            reports: false,
            reported: None,
            answers: Vec::new(),
            tickets: Vec::new(),
        }
    }

    /// How many bytes it takes from the line now. A command longer than the buffer is worked off
    /// as it comes, hence room for it even when the buffer is full.
    pub fn room(&self) -> usize {
        let room = self.model.buffer.saturating_sub(self.buffer.len());
        if room == 0 && self.starving && self.can_work() { 4096 } else { room }
    }

    /// Takes what arrived on the line.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.counters.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !self.mechanics.power {
            return;
        }
        for byte in bytes {
            let (pass, found) = self.scan.push(*byte);
            self.buffer.extend(pass);
            match found {
                Some(Realtime::Status(20)) if self.model.presenter == Presenter::CustomKpm => {
                    self.answers.extend(FullStatus::of(&self.status(), self.mouth));
                }
                Some(Realtime::Status(which)) if self.model.dialect == StatusDialect::DleEot => {
                    self.answers.extend(self.status().byte(which));
                }
                Some(Realtime::Status(_) | Realtime::Recover(0 | 1 | 3..)) | None => {}
                Some(Realtime::Recover(2)) => self.clear(),
                Some(Realtime::Clear) => {
                    self.clear();
                    self.answers.extend([0x37, 0x25, 0]);
                }
                // Clears on real printers too, and switches some of them off.
                Some(Realtime::Other(_)) => self.clear(),
            }
        }
    }

    /// Works for as long as it takes to move the paper by `dots`; commands that move no paper take
    /// no time. Gives back what it did not need and where it was made to stop.
    pub fn work(&mut self, mut dots: u32) -> (u32, Option<Station>) {
        while self.can_work() {
            if self.motions.is_empty() {
                if self.next_command() {
                    continue;
                }
                break;
            }
            match self.motions.front() {
                Some(Motion::Piece(Piece::Row(_))) if dots == 0 => break,
                Some(Motion::Cut) if std::mem::take(&mut self.stop_at_cut) => {
                    return (dots, Some(Station::AtCut));
                }
                Some(Motion::Cut) if self.mechanics.cutter_will_stick => {
                    self.mechanics.cutter_will_stick = false;
                    self.mechanics.cutter_stuck = true;
                    break;
                }
                _ => {}
            }
            match self.motions.pop_front() {
                Some(Motion::Piece(Piece::Row(row))) => {
                    dots -= 1;
                    self.counters.dots += 1;
                    self.mechanics.paper_dots -= 1;
                    self.rows.push(row);
                }
                Some(Motion::Piece(Piece::Line(text))) => self.lines.push(text),
                Some(Motion::Piece(Piece::Qr(text))) => self.qr.push(text),
                Some(Motion::Cut) => {
                    self.counters.cuts += 1;
                    self.mouth |= self.model.presenter == Presenter::Citizen;
                    if let Some(ticket) = self.strip() {
                        self.tickets.push(ticket);
                    }
                    if std::mem::take(&mut self.stop_after_cut) {
                        return (dots, Some(Station::AfterCut));
                    }
                }
                None => {}
            }
        }
        self.report();
        (dots, None)
    }

    /// Bytes to send back.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// Receipts that were cut since the last call.
    pub fn take_tickets(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.tickets)
    }

    /// How many bytes wait to be worked off.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Rows on the paper that hangs in the slot.
    pub fn hanging_rows(&self) -> usize {
        self.rows.len()
    }

    /// A ticket is in the mouth.
    pub fn holds_ticket(&self) -> bool {
        self.mouth
    }

    /// A person takes the ticket from the mouth.
    pub fn take_ticket(&mut self) {
        self.counters.taken += u64::from(std::mem::take(&mut self.mouth));
    }

    /// A person tears off what hangs in the slot, printed or not.
    pub fn tear(&mut self) -> Option<Ticket> {
        self.strip()
    }

    /// Switches the power; switching off forgets everything but the paper in the slot.
    pub fn set_power(&mut self, on: bool) {
        self.mechanics.power = on;
        if !on {
            self.clear();
            self.setter.settings = Settings::default();
            self.setter.qr_text.clear();
            self.scan = RealtimeScan::default();
            self.answers.clear();
            self.mechanics.cutter_stuck = false;
            (self.reports, self.reported) = (false, None);
        }
    }

    /// What the printer would answer about itself.
    pub fn status(&self) -> StatusBits {
        let mechanics = &self.mechanics;
        let out = mechanics.paper_dots == 0;
        let error = mechanics.cutter_stuck || mechanics.hot || mechanics.jammed || mechanics.broken;
        StatusBits {
            offline: mechanics.cover_open || out || error || mechanics.feeding,
            waiting: false,
            cover_open: mechanics.cover_open,
            feeding: mechanics.feeding,
            stopped_for_paper: out && !self.motions.is_empty(),
            error,
            jammed: mechanics.jammed,
            cutter: mechanics.cutter_stuck,
            unrecoverable: mechanics.broken,
            cooling: mechanics.hot,
            paper_low: mechanics.near_end.unwrap_or(mechanics.paper_dots < LOW_MM * DOTS_PER_MM),
            paper_out: out,
        }
    }

    fn can_work(&self) -> bool {
        self.mechanics.power && !self.status().offline
    }

    /// Sends a report if it reports by itself and something changed.
    fn report(&mut self) {
        let now = self.status().report();
        if self.reports && self.mechanics.power && self.reported != Some(now) {
            self.reported = Some(now);
            self.answers.extend(now);
        }
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.motions.clear();
        self.setter.forget_line();
        self.setter.out.clear();
        self.bytes.clear();
    }

    fn next_command(&mut self) -> bool {
        let stream = self.buffer.make_contiguous();
        let Read::Whole(command, used) = read(stream, self.setter.settings.chinese) else {
            self.starving = true;
            return false;
        };
        self.starving = false;
        self.bytes.extend(self.buffer.drain(..used));
        self.obey(command);
        self.motions.extend(self.setter.out.drain(..).map(Motion::Piece));
        self.counters.unknown += std::mem::take(&mut self.setter.misplaced);
        true
    }

    fn obey(&mut self, command: Command) {
        let setter = &mut self.setter;
        match command {
            Command::Init => {
                setter.settings = Settings::default();
                setter.forget_line();
            }
            Command::LineFeed => setter.end_line(),
            Command::Narrow(byte) if byte < 0x80 => setter.set(char::from(byte), true),
            Command::Narrow(_) => setter.set('?', true),
            Command::Wide(pair) => {
                let (text, bad) = GB18030.decode_without_bom_handling(&pair);
                let mut letters = text.chars();
                match (letters.next(), letters.next(), bad) {
                    (Some(ch), None, false) => setter.set(ch, false),
                    _ => setter.set('?', true),
                }
            }
            Command::Chinese(on) => setter.settings.chinese = on,
            Command::Size(wide, high) => setter.settings.size = (wide, high),
            Command::ChineseSize(wide, high) => setter.settings.chinese_size = (wide, high),
            Command::Align(side) => setter.settings.align = side,
            Command::Bold(on) => setter.settings.bold = on,
            Command::Spacing(dots) => setter.settings.spacing = dots,
            Command::FeedDots(dots) => {
                setter.flush_line();
                setter.feed(dots);
            }
            Command::FeedLines(lines) => {
                setter.flush_line();
                setter.feed(lines * setter.settings.spacing);
            }
            Command::Raster { row_bytes, rows } => setter.raster(row_bytes, &rows),
            Command::QrModule(dots) => setter.qr_module = dots.clamp(1, 15),
            Command::QrStore(text) => setter.qr_text = text,
            Command::QrPrint => setter.print_qr(),
            Command::Cut(dots) => {
                setter.flush_line();
                setter.feed(dots);
                self.motions.extend(self.setter.out.drain(..).map(Motion::Piece));
                self.motions.push_back(Motion::Cut);
            }
            Command::Ignored => {}
            Command::Unknown => self.counters.unknown += 1,
            other => self.answer(&other),
        }
    }

    /// Commands that print nothing and answer or move the ticket.
    fn answer(&mut self, command: &Command) {
        let cheap = matches!(self.model.dialect, StatusDialect::EscV | StatusDialect::GsR);
        let status = self.status();
        let set = |on: bool, bits: u8| if on { bits } else { 0 };
        match command {
            Command::ProcessId(letters) if !cheap => {
                if !std::mem::take(&mut self.mechanics.lose_proof) {
                    self.answers.extend([0x37, 0x22]);
                    self.answers.extend(letters);
                    self.answers.push(0);
                }
            }
            Command::PaperStatus => {
                if !std::mem::take(&mut self.mechanics.lose_proof) {
                    self.answers.push(set(status.paper_low, 3) | set(status.paper_out, 0x0c));
                }
            }
            Command::PaperSensor => {
                self.answers.push(
                    set(status.paper_low, 3)
                        | set(status.paper_out, 0x0c)
                        | set(status.cooling, 0x40),
                );
            }
            Command::Subscribe(on) if !cheap => {
                self.reports = *on;
                if *on {
                    self.reported = Some(status.report());
                    self.answers.extend(status.report());
                }
            }
            Command::Identify(which) => {
                let name = match which {
                    66 => "RONGGUI",
                    67 => "SIM-80",
                    _ => "",
                };
                self.answers.push(0x5f);
                self.answers.extend(name.bytes());
                self.answers.push(0);
            }
            Command::Ejector(3) if self.model.presenter == Presenter::CustomKpm => {
                self.mouth = self.counters.cuts > 0;
            }
            Command::Ejector(2) if self.model.presenter == Presenter::CustomKpm => self.retract(),
            Command::Collect if self.model.presenter == Presenter::Citizen => self.retract(),
            _ => self.counters.unknown += 1,
        }
    }

    fn retract(&mut self) {
        self.counters.retracted += u64::from(std::mem::take(&mut self.mouth));
    }

    /// Takes off what is burnt so far.
    fn strip(&mut self) -> Option<Ticket> {
        let rows = std::mem::take(&mut self.rows);
        let bytes = std::mem::take(&mut self.bytes);
        let lines = std::mem::take(&mut self.lines);
        let qr = std::mem::take(&mut self.qr);
        (!rows.is_empty()).then(|| Ticket { image: picture(&rows), bytes, lines, qr })
    }
}

/// White margins around what was burnt, as on a strip of paper.
fn picture(rows: &[Vec<u8>]) -> GrayImage {
    const MARGIN: u32 = 24;
    let across = rows.first().map_or(0, Vec::len) * 8;
    let width = u32::try_from(across).unwrap_or(0) + 2 * MARGIN;
    let height = u32::try_from(rows.len()).unwrap_or(0) + 2 * MARGIN;
    let mut image = GrayImage::from_pixel(width, height, Luma([255]));
    for (y, row) in (MARGIN..).zip(rows) {
        for (x, _) in (MARGIN..)
            .zip(0..across)
            .filter(|(_, at)| row.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0))
        {
            image.put_pixel(x, y, Luma([0]));
        }
    }
    image
}
