//! Why: what comes from a line is anybody's; here any bytes meet the assembler.
//!
//! Refuses: to pass when two cuttings of the same bytes give different codes.

use std::time::{Duration, Instant};

use super::assemble::{Assembled, Assembler};
use super::{ScannerOptions, Suffix};

/// The first byte chooses suffix and cutting, the rest is what the scanner sent.
///
/// # Panics
/// When a promise of the assembler is broken: that is what it is for.
pub fn codes(data: &[u8]) {
    let Some((&choice, sent)) = data.split_first() else { return };
    let suffix = [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::None][usize::from(choice & 3)];
    // Small limits are met more often.
    let longest = if choice & 4 == 0 { 24 } else { super::LONGEST };
    let options = ScannerOptions { suffix, longest, ..ScannerOptions::default() };
    let size = usize::from(choice >> 3) + 1;
    let chopped = assemble(&options, sent.chunks(size));
    let whole = assemble(&options, std::iter::once(sent));
    assert!(chopped == whole, "cutting the bytes changed the codes");
    for found in &whole {
        if let Assembled::Code(code) = found {
            let length = code.expose().len();
            assert!(length > 0 && length <= longest, "a code of {length} bytes");
        }
    }
}

fn assemble<'a>(
    options: &ScannerOptions,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Vec<Assembled> {
    let mut assembler = Assembler::new(options);
    let now = Instant::now();
    let mut found: Vec<_> = pieces.flat_map(|piece| assembler.push(piece, now)).collect();
    found.extend(assembler.tick(now + Duration::from_secs(60)));
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_few_inputs_pass() {
        for choice in 0..=255 {
            super::codes(&[choice, b'a', b'\r', b'\n', 0, b'b', b'\n', 0xff, b'\r']);
        }
        super::codes(&[]);
    }
}
