//! What a receipt printer sends back.

use hal::printer::protocol::{Presenter, Reply, ReplyParser, StatusBits, StatusDialect};

use crate::chop::pieces;

/// More than the longest answer: after so many bytes that belong to none nothing may be pending.
const LONGEST_ANSWER: usize = 128;
/// Begins no answer and ends none.
const NEITHER: u8 = 0x80;

/// The first byte chooses the dialect and how the rest, a stream of answers, is chopped.
pub fn replies(data: &[u8]) {
    let Some((&how, stream)) = data.split_first() else { return };
    // Beside what is asserted here, each dialect keeps promises of its own.
    hal::printer::fuzz::replies(data);
    let dialect = match how & 3 {
        0 => StatusDialect::DleEot,
        1 => StatusDialect::Asb,
        2 => StatusDialect::EscV,
        _ => StatusDialect::GsR,
    };
    let presenter = if how & 4 == 0 { Presenter::None } else { Presenter::CustomKpm };
    let mut parser = ReplyParser::new(dialect, presenter);
    let whole = parser.push(stream);
    let mut in_pieces = ReplyParser::new(dialect, presenter);
    let chopped: Vec<_> = pieces(stream, how).flat_map(|piece| in_pieces.push(piece)).collect();
    assert_eq!(whole, chopped, "chopping changed what was heard");
    assert_eq!(parser.noise, in_pieces.noise, "chopping changed what was noise");

    // Every byte belongs to one answer, to noise, or to an answer that is not complete.
    let (least, most) =
        whole.iter().map(length).fold((0, 0), |sum, (least, most)| (sum.0 + least, sum.1 + most));
    assert!(least + parser.noise <= stream.len(), "a byte was told twice");
    assert!(most + parser.noise + LONGEST_ANSWER >= stream.len(), "bytes vanished");

    let mut bits = StatusBits::default();
    for (at, reply) in whole.iter().enumerate() {
        let Reply::Realtime(byte) = reply else { continue };
        let which = at as u8 % 6;
        let valid = (1..=4).contains(&which);
        assert_eq!(bits.take(which, *byte), valid);
        assert_eq!(bits.byte(which).is_some(), valid);
    }
    // A state survives being said and heard.
    let mut heard = StatusBits::default();
    for which in 1..=4 {
        let byte = bits.byte(which).expect("each of the four has an answer");
        assert!(heard.take(which, byte));
    }
    assert_eq!(heard, bits);

    let _ = parser.push(&[NEITHER; LONGEST_ANSWER]);
    assert_eq!(
        parser.push(&[0x12]),
        [Reply::Realtime(0x12)],
        "a good answer after noise was not heard"
    );
}

/// How many bytes an answer took, at least and at most.
fn length(reply: &Reply) -> (usize, usize) {
    match reply {
        Reply::Realtime(_) | Reply::Paper(_) | Reply::Plain(_) => (1, 1),
        Reply::Cleared => (3, 3),
        Reply::Automatic(_) => (4, 4),
        Reply::Full(_) => (6, 6),
        Reply::Printed(_) => (7, 7),
        // One to three bytes that are no text are shown as one character, which takes three.
        Reply::Identity(name) => (2 + name.chars().count(), 2 + name.len()),
    }
}
