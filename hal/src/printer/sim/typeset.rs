//! Why: what a printer makes of letters, pictures and codes before anything moves: rows of dots.
//!
//! Refuses: to know of paper.

use crate::glyphs::{GlyphCell, GlyphSource};
use qrcode::{Color, EcLevel, QrCode};

pub(super) struct Settings {
    pub(super) align: u8,
    pub(super) bold: bool,
    pub(super) size: (usize, usize),
    pub(super) chinese_size: (usize, usize),
    pub(super) chinese: bool,
    pub(super) spacing: usize,
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

/// What goes to the head. A text is told after its last row, so that half a line does not count.
pub(super) enum Piece {
    /// One row of dots.
    Row(Vec<u8>),
    /// A text line is complete; a picture is told by its size.
    Line(String),
    /// A QR code is complete.
    Qr(String),
}

/// Sets lines.
pub(super) struct Typesetter {
    fonts: &'static GlyphSource,
    pub(super) row_bytes: usize,
    pub(super) settings: Settings,
    cells: Vec<(GlyphCell, bool)>,
    text: String,
    pub(super) qr_module: usize,
    pub(super) qr_text: Vec<u8>,
    /// What is ready for the head.
    pub(super) out: Vec<Piece>,
    /// Commands that made no sense where they came.
    pub(super) misplaced: usize,
}

impl Typesetter {
    pub(super) fn new(fonts: &'static GlyphSource, row_bytes: usize) -> Self {
        Self {
            fonts,
            row_bytes,
            settings: Settings::default(),
            cells: Vec::new(),
            text: String::new(),
            qr_module: 3,
            qr_text: Vec::new(),
            out: Vec::new(),
            misplaced: 0,
        }
    }

    /// Forgets the line that is being set.
    pub(super) fn forget_line(&mut self) {
        self.cells.clear();
        self.text.clear();
    }

    pub(super) fn set(&mut self, ch: char, narrow: bool) {
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

    pub(super) fn flush_line(&mut self) {
        if !self.cells.is_empty() {
            self.end_line();
        }
    }

    pub(super) fn end_line(&mut self) {
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
        self.out.extend(rows.into_iter().map(Piece::Row));
        if !text.is_empty() {
            self.out.push(Piece::Line(text));
        }
    }

    fn left_edge(&self, used: usize) -> usize {
        let spare = (self.row_bytes * 8).saturating_sub(used);
        match self.settings.align {
            1 => spare / 2,
            2 => spare,
            _ => 0,
        }
    }

    pub(super) fn feed(&mut self, dots: usize) {
        let blank = vec![0; self.row_bytes];
        self.out.extend(std::iter::repeat_n(blank, dots).map(Piece::Row));
    }

    pub(super) fn raster(&mut self, row_bytes: usize, rows: &[u8]) {
        // As on paper: a picture in the middle of a text line is not printed.
        if !self.cells.is_empty() || row_bytes == 0 {
            self.misplaced += 1;
            return;
        }
        let told = format!("[picture {}x{}]", row_bytes * 8, rows.len() / row_bytes);
        let left = self.left_edge(row_bytes * 8) / 8;
        for row in rows.chunks(row_bytes) {
            let mut whole = vec![0; self.row_bytes];
            for (to, from) in whole.iter_mut().skip(left).zip(row) {
                *to = *from;
            }
            self.out.push(Piece::Row(whole));
        }
        self.out.push(Piece::Line(told));
    }

    pub(super) fn print_qr(&mut self) {
        self.flush_line();
        let text = std::mem::take(&mut self.qr_text);
        let Ok(code) = QrCode::with_error_correction_level(&text, EcLevel::M) else {
            self.misplaced += 1;
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
        self.out.extend(rows.into_iter().map(Piece::Row));
        self.out.push(Piece::Qr(String::from_utf8_lossy(&text).into_owned()));
    }
}

fn burn(rows: &mut [Vec<u8>], x: usize, y: usize) {
    if let Some(byte) = rows.get_mut(y).and_then(|row| row.get_mut(x / 8)) {
        *byte |= 0x80 >> (x % 8);
    }
}
