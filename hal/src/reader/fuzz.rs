//! Why: whoever throws arbitrary bytes at the parsers wants one function for each, with the promise
//! that is tested built in.
//!
//! Refuses: to be part of anything else.

use super::protocol::{Answer, FrameParser, split_payload};
use super::transport::Framing as _;
use super::transport::hid::HidReports;
use super::{card, protocol};

/// A stream of frames; its first byte says how it is chopped. Chopping must not matter, and a frame
/// that was found must encode to the bytes it was found in.
pub fn frames(bytes: &[u8]) {
    let Some((&chop, stream)) = bytes.split_first() else { return };
    let whole = FrameParser::for_answers().push(stream);
    let mut parser = FrameParser::for_answers();
    let mut chopped = Vec::new();
    for part in stream.chunks(usize::from(chop).max(1)) {
        chopped.extend(parser.push(part));
        let _ = (parser.in_frame(), parser.announced());
    }
    assert!(whole == chopped, "chopping changed the frames");
    for body in whole.into_iter().flatten() {
        let Some(answer) = Answer::from_body(body.expose()) else { continue };
        let sent = answer.encode();
        assert!(stream.windows(sent.len()).any(|window| window == &sent[..]), "not what came");
        let _ = protocol::sam_id(answer.data.expose());
        let _ = card::parse_added_address(answer.data.expose());
    }
    let _ = HidReports::default().unpack(stream);
}

/// The content of a card, as a read answer carries it, or the text alone.
pub fn card(bytes: &[u8]) {
    if let Ok(payload) = split_payload(bytes) {
        assert_eq!(payload.text.len() + payload.photo.len() + 4, bytes.len());
        check(payload.text, payload.photo);
    }
    check(bytes, &[]);
}

/// What was understood is understood again from what it encodes to.
fn check(text: &[u8], photo: &[u8]) {
    let Ok(identity) = card::parse(text, photo) else { return };
    let _ = identity.number_verifies();
    if identity.doubtful.is_empty()
        && let Ok(again) = card::encode(&identity)
    {
        assert!(card::parse(&again, photo).as_ref() == Ok(&identity), "it changed on the way");
    }
}
