//! Why: ESC/POS is a pile of dialects; this folder is the one place that knows its bytes. It writes
//! commands (here), reads answers (`replies`), and knows how each dialect puts a state into bits
//! (`status`, `dialect`, `presenter`). It touches no line.
//!
//! Refuses: `FS C` (a Japanese selector, something else on clones), and any data that carries a
//! real-time sequence: `DLE EOT`, `DLE ENQ` and `DLE DC4` are obeyed by printers wherever they
//! appear, even inside a picture, where they flush buffers or switch the printer off.

mod dialect;
mod presenter;
mod replies;
mod status;
#[cfg(test)]
mod tests;

pub use dialect::{ASB_LENGTH, Answer, StatusDialect};
pub use presenter::{FullStatus, Presenter};
pub use replies::{PaperReply, Reply, ReplyParser};
pub use status::StatusBits;

use super::document::Align;

/// The byte every real-time command starts with.
pub const DLE: u8 = 0x10;
/// Second bytes that turn a [`DLE`] into a real-time command.
const REALTIME: [u8; 3] = [0x04, 0x05, 0x14];

/// `ESC @`: power-on settings.
pub const INIT: &[u8] = &[0x1b, 0x40];
/// `FS &`: Chinese characters on.
pub const CHINESE_ON: &[u8] = &[0x1c, 0x26];
/// `FS .`: Chinese characters off.
pub const CHINESE_OFF: &[u8] = &[0x1c, 0x2e];
/// `DLE ENQ 2`: give up what stopped printing and forget the buffer.
pub const RECOVER_AND_CLEAR: &[u8] = &[DLE, 0x05, 2];
/// `GS r 1`: report the paper sensor when the buffer has got this far.
pub const TRANSMIT_PAPER_STATUS: &[u8] = &[0x1d, 0x72, 1];

/// `DLE DC4 8`: forget the receive buffer even without an error, on models that have it. The seven
/// bytes after the function are what the command demands, so that noise cannot be it.
pub const CLEAR_BUFFER: &[u8] = &[DLE, 0x14, 8, 1, 3, 0x14, 1, 6, 2, 8];
/// `GS I`: tell a name.
pub const fn identify(which: u8) -> [u8; 3] {
    [0x1d, 0x49, which]
}

/// `DLE EOT n`: report status `n` at once.
pub const fn status_request(which: u8) -> [u8; 3] {
    [DLE, 0x04, which]
}

/// `GS !`: character size, each factor 1 to 8.
pub fn size(wide: u8, high: u8) -> [u8; 3] {
    let factor = |value: u8| value.clamp(1, 8) - 1;
    [0x1d, 0x21, factor(wide) << 4 | factor(high)]
}

/// `FS !`: Chinese character size on models that do not apply `GS !` to Chinese.
pub fn chinese_size(wide: u8, high: u8) -> [u8; 3] {
    [0x1c, 0x21, if wide > 1 { 0x04 } else { 0 } | if high > 1 { 0x08 } else { 0 }]
}

/// `ESC a`: alignment.
pub const fn align(align: Align) -> [u8; 3] {
    let n = match align {
        Align::Left => 0,
        Align::Center => 1,
        Align::Right => 2,
    };
    [0x1b, 0x61, n]
}

/// `ESC E`: bold.
pub const fn bold(on: bool) -> [u8; 3] {
    [0x1b, 0x45, on as u8]
}

/// `ESC 3`: height of a line in dots.
pub const fn line_spacing(dots: u8) -> [u8; 3] {
    [0x1b, 0x33, dots]
}

/// `ESC J`: print and feed by dots.
pub const fn feed_dots(dots: u8) -> [u8; 3] {
    [0x1b, 0x4a, dots]
}

/// `GS V 66`: feed to the cutter and `dots` more, then cut.
pub const fn cut(dots: u8) -> [u8; 4] {
    [0x1d, 0x56, 66, dots]
}

/// The longest text a QR code may carry here; longer ones get modules too fine to scan off paper.
pub const QR_LONGEST: usize = 600;

/// `GS ( k` 165, 167, 169, 180, 181: a QR code of model 2 with error correction M. `None` when
/// the text is empty, longer than [`QR_LONGEST`] bytes or holds control characters.
pub fn qr(text: &str, module: u8) -> Option<Vec<u8>> {
    let data = text.as_bytes();
    if data.is_empty() || data.len() > QR_LONGEST || text.chars().any(char::is_control) {
        return None;
    }
    let length = u16::try_from(data.len() + 3).ok()?.to_le_bytes();
    let mut out = Vec::with_capacity(data.len() + 40);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 4, 0, 49, 65, 50, 0]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 67, module.clamp(1, 15)]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 69, 49]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, length[0], length[1], 49, 80, 48]);
    out.extend_from_slice(data);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]);
    Some(out)
}

/// Rows sent in one `GS v 0`. A small band keeps the row count in one byte, away from [`DLE`], and
/// fits the line buffer of cheap printers.
pub const RASTER_BAND: usize = 200;

/// `GS v 0`: a picture of `row_bytes` bytes a row, most significant bit left, cut into bands and
/// guarded against real-time sequences. Rows that are not whole are dropped.
pub fn raster(row_bytes: usize, rows: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() + 16);
    let Ok(across) = u16::try_from(row_bytes) else { return out };
    if row_bytes == 0 {
        return out;
    }
    for band in rows.chunks(row_bytes * RASTER_BAND) {
        let whole = band.len() / row_bytes;
        let Ok(down) = u16::try_from(whole) else { continue };
        if whole == 0 {
            continue;
        }
        let (x, y) = (across.to_le_bytes(), down.to_le_bytes());
        out.extend_from_slice(&[0x1d, 0x76, 0x30, 0, x[0], x[1], y[0], y[1]]);
        let start = out.len();
        out.extend_from_slice(&band[..whole * row_bytes]);
        guard_realtime(&mut out[start..]);
    }
    out
}

/// Takes real-time sequences out of picture data by burning one more dot beside each. The dot is
/// an eighth of a millimetre wide; what it prevents is a lost receipt.
pub fn guard_realtime(data: &mut [u8]) {
    for at in 1..data.len() {
        if data[at - 1] == DLE && REALTIME.contains(&data[at]) {
            data[at - 1] |= 0x08;
        }
    }
}

/// Whether a printer would find a real-time command in these bytes.
pub fn holds_realtime(data: &[u8]) -> bool {
    data.windows(2).any(|pair| pair[0] == DLE && REALTIME.contains(&pair[1]))
}

/// The four letters that name a place in a job, from the range the command allows.
pub fn marker_letters(number: u32) -> [u8; 4] {
    let mut rest = number;
    let mut letters = [0; 4];
    for letter in letters.iter_mut().rev() {
        *letter = 0x30 + (rest % 64) as u8;
        rest /= 64;
    }
    letters
}

/// `GS ( H` 48: answer with these letters when everything before this is on paper.
pub fn process_id(letters: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = letters;
    [0x1d, 0x28, 0x48, 6, 0, 48, 48, a, b, c, d]
}
