//! What a barcode scanner sends.

use std::time::{Duration, Instant};

use hal::scanner::{Assembled, Assembler, ScannerOptions, Suffix};

/// The first byte chooses suffix, limit and pieces; the rest is what the scanner sent.
pub fn codes(data: &[u8]) {
    // Chopping, lengths: the assembler's own promises.
    hal::scanner::fuzz::codes(data);

    let Some((&how, sent)) = data.split_first() else { return };
    let (suffix, end): (_, &[u8]) = match how & 3 {
        0 => (Suffix::Cr, b"\r"),
        1 => (Suffix::Lf, b"\n"),
        2 => (Suffix::CrLf, b"\r\n"),
        _ => (Suffix::None, b""),
    };
    let longest = if how & 4 == 0 { 24 } else { hal::scanner::LONGEST };
    let options = ScannerOptions { suffix, longest, ..ScannerOptions::default() };
    let now = Instant::now();
    let mut assembler = Assembler::new(&options);
    let found = assembler.push(sent, now);
    let given: usize = found.iter().map(length).sum();
    assert!(given <= sent.len(), "a byte was given twice");

    // After anything at all and a pause, a good code is understood, and it alone.
    let later = now + Duration::from_secs(60);
    let _ = assembler.tick(later);
    let mut found = assembler.push(&[b"RG20261123-0001", end].concat(), later);
    found.extend(assembler.tick(later + Duration::from_secs(60)));
    let [Assembled::Code(code)] = found.as_slice() else {
        panic!("a good code after noise gave {} other things", found.len());
    };
    assert_eq!(code.expose(), b"RG20261123-0001");
}

fn length(found: &Assembled) -> usize {
    match found {
        Assembled::Code(code) => code.expose().len(),
        Assembled::Refused(_) => 0,
    }
}
