//! Why: a printer's answers come from outside, so any bytes in any pieces must be survived and
//! mean the same however they are chopped. One function for fuzzing, one promise each.
//!
//! Refuses: to be quiet about a broken promise: it panics, which is how a fuzzer hears of it.

use super::PrinterStatus;
use super::protocol::{Answer, Presenter, Reply, ReplyParser, StatusBits, StatusDialect};

/// Feeds bytes to the reply parser of a dialect. The first byte chooses the dialect and presenter,
/// the second the size of the pieces.
///
/// # Panics
/// When pieces give other replies than the whole, when a reply is found that its own bytes do not
/// give again, or when bytes are lost or counted twice.
pub fn replies(data: &[u8]) {
    let [choice, piece, bytes @ ..] = data else { return };
    let dialects =
        [StatusDialect::DleEot, StatusDialect::Asb, StatusDialect::EscV, StatusDialect::GsR];
    let dialect = dialects[usize::from(choice & 3)];
    let presenter = if choice & 4 == 0 { Presenter::None } else { Presenter::CustomKpm };
    let mut parser = ReplyParser::new(dialect, presenter);
    let whole = parser.push(bytes);
    let mut chopped = ReplyParser::new(dialect, presenter);
    let size = usize::from(*piece).max(1);
    let pieces: Vec<Reply> = bytes.chunks(size).flat_map(|piece| chopped.push(piece)).collect();
    assert_eq!(whole, pieces, "chopping changes nothing");
    assert_eq!(parser.noise, chopped.noise);
    let used: usize = whole.iter().map(|reply| wire(reply).len()).sum();
    assert!(used + parser.noise <= bytes.len(), "no byte counts twice");
    let mut bits = StatusBits::default();
    for reply in &whole {
        let mut again = ReplyParser::new(dialect, presenter);
        // A name may hold bytes that are no text; those do not come back as they were.
        if !matches!(reply, Reply::Identity(name) if name.contains('\u{fffd}')) {
            assert_eq!(again.push(&wire(reply)), std::slice::from_ref(reply));
        }
        for question in 0..5 {
            let taken = dialect.take(&mut bits, question, reply);
            assert!(question < 4 || dialect != StatusDialect::DleEot || taken == Answer::NotMine);
            let status = PrinterStatus::of(bits, dialect);
            assert!(!(status.usable() && status.fault().is_some()));
        }
    }
}

/// The bytes a printer sends for a reply.
fn wire(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Realtime(byte) | Reply::Plain(byte) => vec![*byte],
        Reply::Printed([a, b, c, d]) => vec![0x37, 0x22, *a, *b, *c, *d, 0],
        Reply::Paper(paper) => {
            vec![if paper.low { 0x03 } else { 0 } | if paper.out { 0x0c } else { 0 }]
        }
        Reply::Identity(name) => [&[0x5f], name.replace('\u{fffd}', "").as_bytes(), &[0]].concat(),
        Reply::Automatic(report) => report.to_vec(),
        Reply::Full([a, b, c, d]) => vec![0x10, 0x0f, *a, *b, *c, *d],
        Reply::Cleared => vec![0x37, 0x25, 0],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_keep_the_promises(bytes: Vec<u8>) {
            super::replies(&bytes);
        }

        #[test]
        fn mixed_answers_keep_them_too(
            choice: u8, piece in 1_u8..9,
            parts in prop::collection::vec(prop_oneof![
                Just(vec![0x12_u8]), Just(vec![0x1a]), Just(vec![0x10, 0, 0, 0x0f]),
                Just(vec![0x18, 8, 0x0c, 0x0f]), Just(vec![0x37, 0x22, b'0', b'1', b'2', b'3', 0]),
                Just(vec![0x00]), Just(vec![0x0f]), Just(b"\x5fSIM-80\0".to_vec()),
                Just(vec![0x10, 0x0f, 0x20, 0, 0, 0]), Just(vec![0x37, 0x25, 0]), Just(vec![0xff]),
            ], 0..40),
        ) {
            let mut bytes = vec![choice, piece];
            bytes.extend(parts.concat());
            super::replies(&bytes);
        }
    }
}
