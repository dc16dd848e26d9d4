//! Why: what a receipt printer does with a stream, without any line or clock: a buffer, a head
//! that burns rows, paper that ends, a cover, a cutter. The same machine serves tests in memory
//! and the program on a pseudo-terminal.
//!
//! Refuses: kindness. A buffered job prints after the next roll of paper, a real-time command in a
//! picture is obeyed, a letter the memory lacks comes out as a question mark.

use super::commands::{Command, Read, Realtime, RealtimeScan, read};
use crate::glyphs::{GlyphCell, GlyphSource};
use crate::printer::protocol::{PaperReply, StatusBits};
use encoding_rs::GB18030;
use image::{GrayImage, Luma};
use qrcode::{Color, EcLevel, QrCode};
use std::collections::VecDeque;

/// Dots a millimetre of paper.
pub const DOTS_PER_MM: u32 = 8;
/// Below this a roll counts as nearly used up.
const LOW_MM: u32 = 300;
/// What the receive buffer holds.
const BUFFER: usize = 1 << 20;

/// A receipt that was cut off.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// What is on the paper.
    pub image: GrayImage,
    /// The bytes it was made of.
    pub bytes: Vec<u8>,
    /// The text lines the printer set; a picture is told by its size.
    pub lines: Vec<String>,
    /// The texts of QR codes.
    pub qr: Vec<String>,
}

/// The mechanics, as a person at the printer changes them.
#[derive(Debug, Clone)]
pub struct Mechanics {
    /// Paper left on the roll, in dots.
    pub paper_dots: u32,
    /// The cover stands open.
    pub cover_open: bool,
    /// The cutter is stuck.
    pub cutter_stuck: bool,
    /// The cutter will stick at the next cut.
    pub cutter_will_stick: bool,
    /// The head is too hot.
    pub hot: bool,
    /// The power is on.
    pub power: bool,
    /// The printer takes everything and answers nothing.
    pub mute: bool,
}

impl Default for Mechanics {
    fn default() -> Self {
        Self {
            paper_dots: 60_000 * DOTS_PER_MM,
            cover_open: false,
            cutter_stuck: false,
            cutter_will_stick: false,
            hot: false,
            power: true,
            mute: false,
        }
    }
}

enum Motion {
    Row(Vec<u8>),
    Cut,
}

struct Settings {
    align: u8,
    bold: bool,
    size: (usize, usize),
    chinese_size: (usize, usize),
    chinese: bool,
    spacing: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            align: 0,
            bold: false,
            size: (1, 1),
            chinese_size: (1, 1),
            chinese: false,
            spacing: 30,
        }
    }
}

/// A receipt printer.
pub struct Machine {
    /// What a person can change.
    pub mechanics: Mechanics,
    /// Commands nobody knows, counted since power-on.
    pub unknown: usize,
    fonts: &'static GlyphSource,
    row_bytes: usize,
    scan: RealtimeScan,
    buffer: VecDeque<u8>,
    settings: Settings,
    cells: Vec<(GlyphCell, bool)>,
    text: String,
    qr_module: usize,
    qr_text: Vec<u8>,
    motions: VecDeque<Motion>,
    rows: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    lines: Vec<String>,
    qr: Vec<String>,
    answers: Vec<u8>,
    tickets: Vec<Ticket>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("mechanics", &self.mechanics).finish_non_exhaustive()
    }
}

impl Machine {
    /// A printer with a fresh roll, `width_dots` across.
    pub fn new(fonts: &'static GlyphSource, width_dots: u16) -> Self {
        Self {
            mechanics: Mechanics::default(),
            unknown: 0,
            fonts,
            row_bytes: usize::from(width_dots / 8).max(1),
            scan: RealtimeScan::default(),
            buffer: VecDeque::new(),
            settings: Settings::default(),
            cells: Vec::new(),
            text: String::new(),
            qr_module: 3,
            qr_text: Vec::new(),
            motions: VecDeque::new(),
            rows: Vec::new(),
            bytes: Vec::new(),
            lines: Vec::new(),
            qr: Vec::new(),
            answers: Vec::new(),
            tickets: Vec::new(),
        }
    }

    /// Takes what arrived on the line.
    pub fn receive(&mut self, bytes: &[u8]) {
        if !self.mechanics.power || self.mechanics.mute {
            return;
        }
        for byte in bytes {
            let (pass, found) = self.scan.push(*byte);
            if self.buffer.len() < BUFFER {
                self.buffer.extend(pass);
            }
            match found {
                Some(Realtime::Status(which)) => {
                    if let Some(byte) = self.status().byte(which) {
                        self.answers.push(byte);
                    }
                }
                Some(Realtime::Recover(2)) => self.clear(),
                Some(Realtime::Recover(_)) => {}
                // Clears on real printers too, and switches some of them off.
                Some(Realtime::Other(_)) => self.clear(),
                None => {}
            }
        }
    }

    /// Works for as long as it takes to move the paper by `dots`; commands that move no paper take
    /// no time. Gives back what it did not need.
    pub fn work(&mut self, mut dots: u32) -> u32 {
        while self.can_work() {
            match self.motions.front() {
                Some(Motion::Row(_)) => {
                    if dots == 0 {
                        return 0;
                    }
                    if let Some(Motion::Row(row)) = self.motions.pop_front() {
                        dots -= 1;
                        self.mechanics.paper_dots -= 1;
                        self.rows.push(row);
                    }
                }
                Some(Motion::Cut) => {
                    if self.mechanics.cutter_will_stick {
                        self.mechanics.cutter_will_stick = false;
                        self.mechanics.cutter_stuck = true;
                        return dots;
                    }
                    self.motions.pop_front();
                    self.finish_ticket();
                }
                None => {
                    if !self.next_command() {
                        return dots;
                    }
                }
            }
        }
        dots
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

    /// Switches the power; switching off forgets everything but the paper in the slot.
    pub fn set_power(&mut self, on: bool) {
        self.mechanics.power = on;
        if !on {
            self.clear();
            self.settings = Settings::default();
            self.answers.clear();
            self.mechanics.cutter_stuck = false;
        }
    }

    /// What the printer would answer about itself.
    pub fn status(&self) -> StatusBits {
        let mechanics = &self.mechanics;
        let out = mechanics.paper_dots == 0;
        StatusBits {
            offline: mechanics.cover_open || out || mechanics.cutter_stuck || mechanics.hot,
            waiting: false,
            cover_open: mechanics.cover_open,
            feeding: false,
            stopped_for_paper: out && !self.motions.is_empty(),
            error: mechanics.cutter_stuck || mechanics.hot,
            jammed: false,
            cutter: mechanics.cutter_stuck,
            unrecoverable: false,
            cooling: mechanics.hot,
            paper_low: mechanics.paper_dots < LOW_MM * DOTS_PER_MM,
            paper_out: out,
        }
    }

    fn can_work(&self) -> bool {
        self.mechanics.power && !self.status().offline
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.motions.clear();
        self.cells.clear();
        self.text.clear();
        self.bytes.clear();
    }

    fn next_command(&mut self) -> bool {
        let stream = self.buffer.make_contiguous();
        let Read::Whole(command, used) = read(stream, self.settings.chinese) else { return false };
        self.bytes.extend(self.buffer.drain(..used));
        self.obey(command);
        true
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Init => {
                self.settings = Settings::default();
                self.cells.clear();
                self.text.clear();
            }
            Command::LineFeed => self.end_line(),
            Command::Narrow(byte) if byte < 0x80 => self.set(char::from(byte), true),
            Command::Narrow(_) => self.set('?', true),
            Command::Wide(pair) => {
                let (text, bad) = GB18030.decode_without_bom_handling(&pair);
                let mut letters = text.chars();
                match (letters.next(), letters.next(), bad) {
                    (Some(ch), None, false) => self.set(ch, false),
                    _ => self.set('?', true),
                }
            }
            Command::Chinese(on) => self.settings.chinese = on,
            Command::Size(wide, high) => self.settings.size = (wide, high),
            Command::ChineseSize(wide, high) => self.settings.chinese_size = (wide, high),
            Command::Align(side) => self.settings.align = side,
            Command::Bold(on) => self.settings.bold = on,
            Command::Spacing(dots) => self.settings.spacing = dots,
            Command::FeedDots(dots) => {
                self.flush_line();
                self.feed(dots);
            }
            Command::FeedLines(lines) => {
                self.flush_line();
                self.feed(lines * self.settings.spacing);
            }
            Command::Raster { row_bytes, rows } => self.raster(row_bytes, &rows),
            Command::QrModule(dots) => self.qr_module = dots.clamp(1, 15),
            Command::QrStore(text) => self.qr_text = text,
            Command::QrPrint => self.print_qr(),
            Command::Cut(dots) => {
                self.flush_line();
                self.feed(dots);
                self.motions.push_back(Motion::Cut);
            }
            Command::ProcessId(letters) => {
                self.answers.extend([0x37, 0x22]);
                self.answers.extend(letters);
                self.answers.push(0);
            }
            Command::PaperStatus => {
                let status = self.status();
                let reply = PaperReply { low: status.paper_low, out: status.paper_out };
                self.answers.push(if reply.low { 3 } else { 0 } | if reply.out { 0x0c } else { 0 });
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
            Command::Ignored => {}
            Command::Unknown => self.unknown += 1,
        }
    }

    fn set(&mut self, ch: char, narrow: bool) {
        let (mut wide, mut high) = self.settings.size;
        if !narrow {
            wide = wide.max(self.settings.chinese_size.0);
            high = high.max(self.settings.chinese_size.1);
        }
        let width = if narrow { 12 } else { 24 } * wide;
        let used: usize = self.cells.iter().map(|(cell, _)| cell.width).sum();
        if used + width > self.row_bytes * 8 {
            self.end_line();
        }
        self.cells.push((self.fonts.cell(ch, width, 24 * high), self.settings.bold));
        self.text.push(ch);
    }

    fn flush_line(&mut self) {
        if !self.cells.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        let text = std::mem::take(&mut self.text);
        let tallest = cells.iter().map(|(cell, _)| cell.height).max().unwrap_or(0);
        let height = tallest.max(self.settings.spacing);
        let used: usize = cells.iter().map(|(cell, _)| cell.width).sum();
        let mut left = self.left_edge(used);
        let mut rows = vec![vec![0_u8; self.row_bytes]; height];
        for (cell, bold) in &cells {
            let top = tallest - cell.height;
            for (x, y) in (0..cell.width).flat_map(|x| (0..cell.height).map(move |y| (x, y))) {
                if cell.dot(x, y) {
                    burn(&mut rows, left + x, top + y);
                    if *bold {
                        burn(&mut rows, left + x + 1, top + y);
                    }
                }
            }
            left += cell.width;
        }
        if !text.is_empty() {
            self.lines.push(text);
        }
        self.motions.extend(rows.into_iter().map(Motion::Row));
    }

    fn left_edge(&self, used: usize) -> usize {
        let spare = (self.row_bytes * 8).saturating_sub(used);
        match self.settings.align {
            1 => spare / 2,
            2 => spare,
            _ => 0,
        }
    }

    fn feed(&mut self, dots: usize) {
        let blank = vec![0; self.row_bytes];
        self.motions.extend(std::iter::repeat_n(blank, dots).map(Motion::Row));
    }

    fn raster(&mut self, row_bytes: usize, rows: &[u8]) {
        // As on paper: a picture in the middle of a text line is not printed.
        if !self.cells.is_empty() || row_bytes == 0 {
            self.unknown += 1;
            return;
        }
        self.lines.push(format!("[picture {}x{}]", row_bytes * 8, rows.len() / row_bytes));
        let left = self.left_edge(row_bytes * 8) / 8;
        for row in rows.chunks(row_bytes) {
            let mut whole = vec![0; self.row_bytes];
            for (to, from) in whole.iter_mut().skip(left).zip(row) {
                *to = *from;
            }
            self.motions.push_back(Motion::Row(whole));
        }
    }

    fn print_qr(&mut self) {
        self.flush_line();
        let text = std::mem::take(&mut self.qr_text);
        let Ok(code) = QrCode::with_error_correction_level(&text, EcLevel::M) else {
            self.unknown += 1;
            return;
        };
        let (side, module) = (code.width(), self.qr_module);
        let left = self.left_edge(side * module);
        let mut rows = vec![vec![0_u8; self.row_bytes]; side * module];
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x0, y0) = (left + at % side * module, at / side * module);
                for (dx, dy) in (0..module).flat_map(|dx| (0..module).map(move |dy| (dx, dy))) {
                    burn(&mut rows, x0 + dx, y0 + dy);
                }
            }
        }
        self.qr.push(String::from_utf8_lossy(&text).into_owned());
        self.motions.extend(rows.into_iter().map(Motion::Row));
    }

    fn finish_ticket(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let bytes = std::mem::take(&mut self.bytes);
        let lines = std::mem::take(&mut self.lines);
        let qr = std::mem::take(&mut self.qr);
        if !rows.is_empty() {
            self.tickets.push(Ticket { image: picture(&rows), bytes, lines, qr });
        }
    }
}

fn burn(rows: &mut [Vec<u8>], x: usize, y: usize) {
    if let Some(byte) = rows.get_mut(y).and_then(|row| row.get_mut(x / 8)) {
        *byte |= 0x80 >> (x % 8);
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
