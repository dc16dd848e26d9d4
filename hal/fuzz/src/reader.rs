//! What a card reader sends: frames on a line, and the content of a card.
//!
//! Frames carry a sum, which a fuzzer rarely guesses, so half of the inputs are not a stream but a
//! recipe for one: good frames, cut ones, damaged ones and noise, one after the other.

use std::sync::OnceLock;

use hal::reader::card::{self, CardField, CardKind, Identity};
use hal::reader::protocol::{
    Answer, BaudRate, Command, FrameError, FrameParser, PREAMBLE, Sw3, join_payload, split_payload,
};
use hal::reader::specimen;

use crate::chop::{find_after, pieces};

/// More than the longest frame: after so many idle bytes nothing may be pending.
const LONGEST_FRAME: usize = 0x0A00 + 7;

/// The first byte chooses how the stream is chopped, whether the rest is a recipe for it, and what
/// is asserted; everything each time would be too slow for millions of inputs.
pub fn frames(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let stream = if how & 0x80 == 0 { rest.to_vec() } else { cook(rest) };
    let seed = how & 0x1f;
    match how >> 5 & 3 {
        0 | 1 => answers(&stream, seed),
        2 => {
            recovers(&stream);
            hal::reader::fuzz::frames(&[&[seed], stream.as_slice()].concat());
        }
        _ => {
            for body in look_for(FrameParser::for_requests, &stream, seed, false) {
                if let Some(command) = Command::decode(&body) {
                    assert_eq!(&command.encode()[PREAMBLE.len() + 2..][..body.len()], &body[..]);
                }
            }
        }
    }
}

fn answers(stream: &[u8], seed: u8) {
    for body in look_for(FrameParser::for_answers, stream, seed, true) {
        let answer = Answer::from_body(&body).expect("a frame found is long enough for a status");
        assert_eq!(Sw3::from(answer.sw3.byte()), answer.sw3, "a code changed its meaning");
        let takers = COMMANDS.iter().filter(|command| command.may_be_answered_by(&answer)).count();
        match answer.sw3 {
            Sw3::CardFound | Sw3::NoCard => assert_eq!(takers, 1, "only a search asks for a card"),
            Sw3::Success => assert!(
                !(Command::SelectCard.may_be_answered_by(&answer)
                    && Command::ReadBase.may_be_answered_by(&answer)),
                "an answer to a selection was taken for a content"
            ),
            _ => assert_eq!(takers, COMMANDS.len(), "a refusal was passed over"),
        }
        let _ = split_payload(answer.data.expose());
        let _ = hal::reader::protocol::sam_id(answer.data.expose());
    }
}

const COMMANDS: [Command; 9] = [
    Command::ResetSam,
    Command::SamStatus,
    Command::SamId,
    Command::FindCard,
    Command::SelectCard,
    Command::ReadBase,
    Command::ReadAddedAddress,
    Command::MaxRfBytes(0x50),
    Command::SetBaud(BaudRate::B115200),
];

/// Parses whole and chopped, and makes sure that what is found stands in the stream, in order and
/// without overlap. Gives the bodies.
fn look_for(parser: fn() -> FrameParser, stream: &[u8], seed: u8, answers: bool) -> Vec<Vec<u8>> {
    let whole: Vec<Result<Vec<u8>, FrameError>> =
        parser().push(stream).into_iter().map(|found| found.map(|b| b.expose().clone())).collect();
    let mut chopped = Vec::new();
    let mut in_pieces = parser();
    for piece in pieces(stream, seed) {
        chopped.extend(in_pieces.push(piece).into_iter().map(|r| r.map(|b| b.expose().clone())));
    }
    assert_eq!(whole, chopped, "chopping changed what was found");

    let mut at = 0;
    let bodies: Vec<_> = whole.into_iter().filter_map(Result::ok).collect();
    for body in &bodies {
        let frame = framed(body);
        at = find_after(stream, &frame, at).expect("a frame was found that is not in the stream");
        if answers {
            let answer = Answer::from_body(body).expect("a status");
            assert_eq!(*answer.encode(), frame, "an answer does not come out as it went in");
        }
    }
    bodies
}

/// Preamble, length, body and sum, written here anew so that the parser is not its own judge.
fn framed(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 1).expect("short").to_be_bytes();
    let sum = length.iter().chain(body).fold(0, |sum, byte| sum ^ byte);
    [&PREAMBLE[..], &length, body, &[sum]].concat()
}

/// After anything at all and a pause, a good answer is understood, and after a reset at once.
fn recovers(stream: &[u8]) {
    let good = framed(&[0, 0, Sw3::NoCard.byte()]);
    let mut parser = FrameParser::for_answers();
    let _ = parser.push(stream);
    let _ = parser.push(&[0; LONGEST_FRAME]);
    let found = parser.push(&good);
    assert_eq!(found.len(), 1, "a good answer after noise and a pause was not found");
    assert!(found[0].as_ref().is_ok_and(|body| body.expose() == &good[7..10]));
    let _ = parser.push(stream);
    parser.reset();
    assert!(!parser.in_frame());
    assert_eq!(parser.push(&good).len(), 1, "a good answer after a reset was not found");
}

/// Makes a stream from a recipe.
fn cook(mut recipe: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut byte = || {
        let (first, rest) = recipe.split_first()?;
        recipe = rest;
        Some(*first)
    };
    while out.len() < 1500 {
        let Some(step) = byte() else { break };
        let amount = usize::from(step >> 3);
        match step & 7 {
            0 => out.extend(std::iter::repeat_n(byte().unwrap_or(0), amount)),
            1 => out.extend((0..amount).map_while(|_| byte())),
            2 => out.extend(COMMANDS[amount % COMMANDS.len()].encode()),
            3 => out.extend_from_slice(&PREAMBLE[..amount % (PREAMBLE.len() + 1)]),
            4..=6 => {
                let status = [byte().unwrap_or(0), 0, byte().unwrap_or(0x90)];
                let fill = byte().unwrap_or(0);
                // Lengths of a search, a selection and a read occur as well as odd ones.
                let length = match amount {
                    0..=23 => amount,
                    24..=27 => 1284,
                    _ => usize::from(byte().unwrap_or(0)) * 11,
                };
                let mut body = status.to_vec();
                body.extend((0..length).map(|at| fill.wrapping_mul(at as u8)));
                body.truncate(0x0A00 - 1);
                let mut frame = framed(&body);
                let spot = usize::from(byte().unwrap_or(0)) * frame.len() / 256;
                match step & 7 {
                    4 => {}
                    5 => frame.truncate(spot),
                    _ => frame[spot] ^= byte().unwrap_or(1),
                }
                out.extend(frame);
            }
            _ => out.extend(framed(&[0, 0, amount as u8 | 0x80])),
        }
    }
    out
}

/// The first byte chooses: the rest is a read answer's data, a card's text, or changes to the text
/// of a specimen card.
pub fn card(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    match how & 3 {
        0 => {
            if let Ok(payload) = split_payload(rest) {
                let again = join_payload(payload.text, payload.photo).expect("it was announced");
                assert_eq!(again.expose(), rest, "a payload does not come out as it went in");
                text(payload.text, payload.photo);
            }
        }
        1 => text(rest, &[]),
        2 => hal::reader::fuzz::card(rest),
        _ => {
            let specimens = specimens();
            let mut card = specimens[usize::from(how >> 2) % specimens.len()].clone();
            for change in rest.chunks_exact(2) {
                card[usize::from(change[0])] = change[1];
            }
            text(&card, &[0x57, 0x4C]);
        }
    }
}

fn text(bytes: &[u8], photo: &[u8]) {
    let Ok(id) = card::parse(bytes, photo) else { return };
    assert!(!id.number.is_empty(), "an identity without a number");
    assert_eq!(id.photo.expose(), photo);
    assert!(!matches!(id.kind, CardKind::Unknown(_)), "a card of unknown kind was read");
    let _ = (id.number_verifies(), format!("{id:?}"));
    match card::encode(&id) {
        Ok(encoded) => {
            let again = card::parse(&encoded, photo).expect("what was read can be read again");
            // A damaged character is shown as U+FFFD, which is a character like any other when it
            // comes back; fields that do not exist stay doubtful.
            let same = Identity { doubtful: id.doubtful.clone(), ..again.clone() };
            assert!(same == id, "a card changed on its way to a chip and back");
            let fewer = again.doubtful.iter().all(|field| id.doubtful.contains(field));
            assert!(fewer, "a card became doubtful on its way to a chip and back");
        }
        // Names of foreigners run on over two fields and are split by characters there.
        Err(error) => {
            let beyond = id.english_name.as_str().chars().any(|ch| u32::from(ch) > 0xffff);
            assert!(
                id.kind == CardKind::Foreigner2023
                    && error.field == CardField::EnglishName
                    && beyond,
                "what was read does not fit a card: {error}"
            );
        }
    }
}

/// The chips of the shipped specimen cards.
fn specimens() -> &'static [Vec<u8>] {
    static CHIPS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CHIPS.get_or_init(|| {
        [
            include_str!("../../specimens/resident.toml"),
            include_str!("../../specimens/resident-rare-name.toml"),
            include_str!("../../specimens/resident-expired.toml"),
            include_str!("../../specimens/hong-kong-macao-taiwan.toml"),
            include_str!("../../specimens/foreigner-2017.toml"),
            include_str!("../../specimens/foreigner-2023.toml"),
        ]
        .into_iter()
        .map(|text| {
            let identity = specimen::parse(text).expect("a shipped specimen is sound");
            card::encode(&identity).expect("a shipped specimen fits a chip").to_vec()
        })
        .collect()
    })
}
