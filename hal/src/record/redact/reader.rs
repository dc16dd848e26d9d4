//! Why: a card's content travels inside frames, whole, chopped or damaged. A good frame is replaced
//! by a good frame about a specimen, a damaged one by one that is damaged in the same way.
//!
//! Refuses: to keep a byte of an answer that carries data, except the module's own number.

use jiff::civil::Date;
use personal::PersonalText;
use zeroize::Zeroizing;

use super::Redact;
use crate::reader::card::{self, CardKind, Identity};
use crate::reader::protocol::{Answer, Command, FrameParser, PREAMBLE, Sw3, split_payload};
use crate::reader::specimen;

/// Preamble and length.
const HEAD: usize = PREAMBLE.len() + 2;
/// Lengths that an answer may claim, as the driver's parser sees it.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=0x0A00;
/// Stands for bytes that could not be understood; no part of a preamble.
const PATTERN: u8 = 0x5A;

/// Replaces what a card told.
#[derive(Debug)]
pub(super) struct Answers {
    requests: FrameParser,
    asked: Option<Command>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { requests: FrameParser::for_requests(), asked: None }
    }
}

impl Redact for Answers {
    fn outbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        for body in self.requests.push(bytes).into_iter().flatten() {
            self.asked = Command::decode(body.expose());
        }
        Zeroizing::new(bytes.to_vec())
    }

    fn inbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        redact(bytes, self.asked)
    }

    fn judges_each_byte(&self) -> bool {
        false
    }

    fn is_idle_question(&self, bytes: &[u8]) -> bool {
        bytes == Command::SamStatus.encode()
    }
}

/// Walks over the bytes exactly as the driver's parser does, so that it will find the same frames
/// and the same damage in what is kept.
fn redact(bytes: &[u8], asked: Option<Command>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![PATTERN; bytes.len()]);
    // What may be changed again to keep a damaged frame damaged.
    let mut free = vec![true; bytes.len()];
    let mut damaged = Vec::new();
    let mut from = 0;
    while let Some(at) = find_preamble(bytes, from) {
        let head = at..(at + HEAD).min(bytes.len());
        out[head.clone()].copy_from_slice(&bytes[head.clone()]);
        free[head.clone()].fill(false);
        if head.len() < HEAD {
            break;
        }
        let length = usize::from(u16::from_be_bytes([bytes[head.end - 2], bytes[head.end - 1]]));
        from = at + 1;
        if !LENGTHS.contains(&length) {
            continue;
        }
        let end = head.end + length;
        let Some(summed) = bytes.get(at + PREAMBLE.len()..end) else {
            // Broken off; the driver waits for the rest until it gives up.
            break;
        };
        if sum(summed) != 0 {
            damaged.push(at + PREAMBLE.len()..end);
            continue;
        }
        if let Some(answer) = Answer::from_body(&bytes[head.end..end - 1]) {
            let frame = replace(&answer, asked).encode();
            out[at..end].copy_from_slice(&frame);
            free[at..end].fill(false);
        }
        from = end;
    }
    for round in 1..8 {
        for range in &damaged {
            if sum(&out[range.clone()]) == 0
                && let Some(at) = range.clone().find(|at| free[*at])
            {
                out[at] = PATTERN ^ round;
            }
        }
    }
    out
}

fn find_preamble(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(PREAMBLE.len()).position(|window| window == PREAMBLE).map(|at| from + at)
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// An answer of the same status and length that tells of a specimen.
fn replace(answer: &Answer, asked: Option<Command>) -> Answer {
    let data = answer.data.expose();
    let told = match (answer.sw3, asked) {
        // Says which module it is, not who stands before it.
        (Sw3::Success, Some(Command::SamId)) if data.len() == 16 => data.clone(),
        (Sw3::Success, Some(Command::ReadAddedAddress)) => added_address(data.len()),
        (Sw3::Success, _) if data.len() > 64 => content(data),
        _ => vec![0; data.len()],
    };
    Answer { sw1: answer.sw1, sw2: answer.sw2, sw3: answer.sw3, data: told.into() }
}

/// The content of a read answer, replaced by that of a specimen of the same kind of card.
fn content(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    match split_payload(data) {
        Ok(payload) => {
            out.extend_from_slice(&data[..4]);
            out.extend_from_slice(&text_like(payload.text, payload.photo));
            out.resize(data.len(), 0);
        }
        Err(_) => {
            // Lengths that lie; others that lie as well, because these may be letters.
            out.extend_from_slice(&[0xFF; 4]);
            out.resize(data.len(), PATTERN);
        }
    }
    out
}

/// The specimen's text at the length of the card's, failing where the card's fails.
fn text_like(text: &[u8], photo: &[u8]) -> Vec<u8> {
    let read = card::parse(text, photo);
    let kind = read.as_ref().map_or(CardKind::Resident, |identity| identity.kind);
    let Some(mut stand_in) = stand_in(kind) else { return vec![0; text.len()] };
    let fits = |identity: &Identity| {
        let mut bytes = card::encode(identity).ok()?.to_vec();
        bytes.resize(text.len(), 0);
        Some(bytes)
    };
    match read {
        Ok(identity) => {
            if !identity.number_verifies() {
                stand_in.number = wrong(&stand_in.number);
            }
            fits(&stand_in)
        }
        Err(error) => {
            // The first that is refused for the same reason.
            let nobody = Identity { number: PersonalText::default(), ..stand_in.clone() };
            let mut backwards = stand_in;
            backwards.valid_from = Some(Date::MAX);
            [fits(&nobody), fits(&backwards), None]
                .into_iter()
                .flatten()
                .find(|bytes| card::parse(bytes, &[]).err().as_ref() == Some(&error))
        }
    }
    .unwrap_or_else(|| vec![0; text.len()])
}

/// The number with a check character that does not verify.
fn wrong(number: &PersonalText) -> PersonalText {
    let mut text = number.as_str().to_owned();
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    PersonalText::new(text)
}

fn stand_in(kind: CardKind) -> Option<Identity> {
    let file = match kind {
        CardKind::HongKongMacaoTaiwan => {
            include_str!("../../../specimens/hong-kong-macao-taiwan.toml")
        }
        CardKind::Foreigner2017 => include_str!("../../../specimens/foreigner-2017.toml"),
        CardKind::Foreigner2023 => include_str!("../../../specimens/foreigner-2023.toml"),
        CardKind::Resident | CardKind::Unknown(_) => {
            include_str!("../../../specimens/resident.toml")
        }
    };
    specimen::parse(file).ok()
}

/// The specimen's address over the given length, filled up with spaces.
fn added_address(length: usize) -> Vec<u8> {
    let address = stand_in(CardKind::Resident).map(|identity| identity.address).unwrap_or_default();
    let units = address.as_str().encode_utf16().chain(std::iter::repeat(u16::from(b' ')));
    let mut bytes: Vec<u8> = units.take(length.div_ceil(2)).flat_map(u16::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::protocol::{FrameError, join_payload};

    fn frames(bytes: &[u8]) -> Vec<Result<usize, FrameError>> {
        FrameParser::for_answers()
            .push(bytes)
            .into_iter()
            .map(|frame| frame.map(|body| body.expose().len()))
            .collect()
    }

    fn read_answer(identity: &Identity) -> Zeroizing<Vec<u8>> {
        let text = card::encode(identity).unwrap();
        let data = join_payload(&text, identity.photo.expose()).unwrap();
        Answer { sw1: 0, sw2: 0, sw3: Sw3::Success, data }.encode()
    }

    fn identity_in(bytes: &[u8]) -> Identity {
        let body = FrameParser::for_answers().push(bytes).remove(0).unwrap();
        let data = body.expose()[3..].to_vec();
        let payload = split_payload(&data).unwrap();
        card::parse(payload.text, payload.photo).unwrap()
    }

    #[test]
    fn a_card_becomes_the_specimen_of_its_kind() {
        for (file, kind) in [
            (include_str!("../../../specimens/resident-rare-name.toml"), CardKind::Resident),
            (include_str!("../../../specimens/foreigner-2023.toml"), CardKind::Foreigner2023),
        ] {
            let card = specimen::parse(file).unwrap();
            let before = read_answer(&card);
            let after = redact(&before, Some(Command::ReadBase));
            assert_eq!(after.len(), before.len());
            let read = identity_in(&after);
            assert_eq!(read.kind, kind);
            assert_eq!(read.name, stand_in(kind).unwrap().name);
            assert!(read.number_verifies());
            assert!(read.photo.expose().iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_number_that_does_not_verify_stays_one() {
        let mut card = stand_in(CardKind::Resident).unwrap();
        card.number = wrong(&card.number);
        let after = redact(&read_answer(&card), Some(Command::ReadBase));
        assert!(!identity_in(&after).number_verifies());
    }

    #[test]
    fn a_card_that_is_refused_stays_refused_for_the_same_reason() {
        let mut card = stand_in(CardKind::Resident).unwrap();
        card.number = PersonalText::default();
        let text = card::encode(&card).unwrap();
        let before = card::parse(&text, &[]).unwrap_err();
        assert_eq!(card::parse(&text_like(&text, &[]), &[]).unwrap_err(), before);
        let noise = vec![0xD8; 256];
        assert!(card::parse(&text_like(&noise, &[]), &[]).is_err());
    }

    #[test]
    fn only_the_modules_own_number_is_kept() {
        let answer = |sw3, data: Vec<u8>| Answer { sw1: 0, sw2: 0, sw3, data: data.into() };
        let told =
            |sw3, data: Vec<u8>, asked| replace(&answer(sw3, data), asked).data.expose().clone();
        let id: Vec<u8> = (1..=16).collect();
        assert_eq!(told(Sw3::Success, id.clone(), Some(Command::SamId)), id);
        assert_eq!(told(Sw3::Success, id.clone(), Some(Command::SelectCard)), vec![0; 16]);
        assert_eq!(told(Sw3::ReadFailed, id.clone(), Some(Command::SamId)), vec![0; 16]);
        let address = told(Sw3::Success, vec![7; 70], Some(Command::ReadAddedAddress));
        assert_eq!(address[..4], [0x37, 0x68, 0x2C, 0x67], "样本");
        let lying = told(Sw3::Success, vec![0x37; 300], Some(Command::ReadBase));
        assert!(split_payload(&lying).is_err() && !lying.contains(&0x37));
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let good = || {
            (any::<u8>(), prop::collection::vec(any::<u8>(), 0..90)).prop_map(|(sw3, data)| {
                Answer { sw1: 0, sw2: 0, sw3: Sw3::from(sw3), data: data.into() }.encode().to_vec()
            })
        };
        prop_oneof![
            3 => good(),
            2 => (good(), any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(mut frame, at, by)| {
                let at = at.index(frame.len());
                frame[at] ^= by;
                frame
            }),
            2 => (good(), any::<prop::sample::Index>()).prop_map(|(mut frame, at)| {
                frame.truncate(at.index(frame.len()));
                frame
            }),
            1 => prop::collection::vec(any::<u8>(), 0..20),
            1 => Just(PREAMBLE.to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn the_driver_finds_the_same_frames_and_the_same_damage(
            pieces in prop::collection::vec(piece(), 0..6)
        ) {
            let before = pieces.concat();
            let after = redact(&before, Some(Command::ReadBase));
            prop_assert_eq!(after.len(), before.len());
            prop_assert_eq!(frames(&after), frames(&before));
        }
    }
}
