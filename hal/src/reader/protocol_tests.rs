use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn answer(hex: &str) -> Answer {
    let mut parser = FrameParser::for_answers();
    let mut frames = parser.push(&bytes(hex));
    assert_eq!(frames.len(), 1, "{hex}");
    Answer::from_body(frames.remove(0).unwrap().expose()).unwrap()
}

#[test]
fn requests_match_the_published_frames() {
    let table = [
        (Command::ResetSam, "AAAAAA9669 0003 10FF EC"),
        (Command::SamStatus, "AAAAAA9669 0003 11FF ED"),
        (Command::SamId, "AAAAAA9669 0003 12FF EE"),
        (Command::FindCard, "AAAAAA9669 0003 2001 22"),
        (Command::SelectCard, "AAAAAA9669 0003 2002 21"),
        (Command::ReadBase, "AAAAAA9669 0003 3001 32"),
        (Command::ReadAddedAddress, "AAAAAA9669 0003 3003 30"),
        (Command::MaxRfBytes(0x50), "AAAAAA9669 0004 61FF 50 CA"),
        (Command::SetBaud(BaudRate::B115200), "AAAAAA9669 0003 6000 63"),
        (Command::SetBaud(BaudRate::B9600), "AAAAAA9669 0003 6004 67"),
    ];
    for (command, wire) in table {
        assert_eq!(command.encode(), bytes(wire), "{command:?}");
        let mut parser = FrameParser::for_requests();
        let frames = parser.push(&bytes(wire));
        assert_eq!(Command::decode(frames[0].as_ref().unwrap().expose()), Some(command));
    }
    assert_eq!(Command::decode(&[0x30, 0x10]), None, "fingerprints have no command");
    assert_eq!(Command::decode(&[0x60, 0x05]), None);
}

#[test]
fn answers_match_the_published_check_frames() {
    let found = answer("AAAAAA9669 0008 00009F 00000000 97");
    assert_eq!((found.sw3, found.data.expose().len()), (Sw3::CardFound, 4));
    let selected = answer("AAAAAA9669 000C 000090 0000000000000000 9C");
    assert_eq!((selected.sw3, selected.data.expose().len()), (Sw3::Success, 8));
    assert_eq!(answer("AAAAAA9669 0004 000080 84").sw3, Sw3::NoCard);
    assert_eq!(answer("AAAAAA9669 0004 000081 85").sw3, Sw3::SelectFailed);
    assert_eq!(answer("AAAAAA9669 0004 000041 45").sw3, Sw3::ReadFailed);
    assert_eq!(answer("AAAAAA9669 0004 000031 35").sw3, Sw3::CardRejectsReader);
    for hex in ["AAAAAA9669 0008 00009F 00000000 97", "AAAAAA9669 0004 000041 45"] {
        assert_eq!(*answer(hex).encode(), bytes(hex));
    }
}

#[test]
fn the_published_malformed_frame_is_never_an_answer() {
    let mut parser = FrameParser::for_answers();
    assert!(parser.push(&bytes("AAAAAA9669 0005 050505")).is_empty());
    assert!(parser.in_frame(), "it is a frame cut short");
}

#[test]
fn every_status_code_goes_there_and_back_and_unknown_ones_stay_visible() {
    for byte in 0..=u8::MAX {
        assert_eq!(Sw3::from(byte).byte(), byte);
    }
    assert_eq!(Sw3::from(0x91), Sw3::Unknown(0x91));
    assert!(Sw3::Unknown(0x91).to_string().contains("91"));
    let table = [
        (0x90, Sw3::Success),
        (0x9F, Sw3::CardFound),
        (0x10, Sw3::ChecksumWrong),
        (0x11, Sw3::LengthWrong),
        (0x21, Sw3::BadCommand),
        (0x24, Sw3::Unrecognised),
        (0x31, Sw3::CardRejectsReader),
        (0x32, Sw3::ReaderRejectsCard),
        (0x33, Sw3::VerificationFailed),
        (0x40, Sw3::WrongCardType),
        (0x41, Sw3::ReadFailed),
        (0x47, Sw3::RandomFailed),
        (0x60, Sw3::SelfTestFailed),
        (0x66, Sw3::NotAuthorised),
        (0x80, Sw3::NoCard),
        (0x81, Sw3::SelectFailed),
    ];
    assert_eq!(table.len(), Sw3::PUBLISHED.len());
    for (byte, code) in table {
        assert_eq!(Sw3::from(byte), code);
    }
}

#[test]
fn card_errors_with_a_card_status_are_not_rejected() {
    for code in [Sw3::CardRejectsReader, Sw3::ReadFailed, Sw3::RandomFailed, Sw3::SelectFailed] {
        let sent = Answer { sw1: 0x69, sw2: 0x82, sw3: code, data: PersonalBytes::default() };
        let mut parser = FrameParser::for_answers();
        let frames = parser.push(&sent.encode());
        let read = Answer::from_body(frames[0].as_ref().unwrap().expose()).unwrap();
        assert_eq!(read, sent);
        assert!(Command::ReadBase.may_be_answered_by(&read));
    }
}

#[test]
fn a_wrong_sum_or_length_is_damage_and_the_next_frame_is_found() {
    let good = bytes("AAAAAA9669 0004 000080 84");
    let mut parser = FrameParser::for_answers();
    let mut stream = bytes("AAAAAA9669 0004 000080 85");
    stream.extend_from_slice(&good);
    let results = parser.push(&stream);
    assert_eq!(results.len(), 2);
    assert_eq!(results[0], Err(FrameError::Checksum));
    assert_eq!(results[1].as_ref().unwrap().expose(), &[0, 0, 0x80]);

    let mut stream = bytes("AAAAAA9669 FFFF");
    stream.extend_from_slice(&bytes("AAAAAA9669 0001 01"));
    stream.extend_from_slice(&good);
    let results = parser.push(&stream);
    assert_eq!(results[0], Err(FrameError::Length(0xFFFF)));
    assert_eq!(results[1], Err(FrameError::Length(1)));
    assert!(results[2].is_ok());
}

#[test]
fn a_stray_preamble_byte_or_a_vendors_head_is_skipped() {
    for before in ["AA", "AAAA", "AAAAAA96", "00", "A5 5A 00 10 00", "AAAAAA9600"] {
        let mut stream = bytes(before);
        stream.extend_from_slice(&bytes("AAAAAA9669 0004 000080 84 00"));
        let results = FrameParser::for_answers().push(&stream);
        assert_eq!(results.len(), 1, "{before}");
        assert!(results[0].is_ok(), "{before}");
    }
}

#[test]
fn a_success_of_another_command_is_stale() {
    let found = answer("AAAAAA9669 0008 00009F 00000000 97");
    let selected = answer("AAAAAA9669 000C 000090 0000000000000000 9C");
    let none = answer("AAAAAA9669 0004 000080 84");
    assert!(Command::FindCard.may_be_answered_by(&found));
    assert!(Command::FindCard.may_be_answered_by(&none));
    assert!(!Command::FindCard.may_be_answered_by(&selected));
    assert!(Command::SelectCard.may_be_answered_by(&selected));
    assert!(!Command::SelectCard.may_be_answered_by(&found));
    assert!(!Command::ReadBase.may_be_answered_by(&selected));
    assert!(!Command::SamStatus.may_be_answered_by(&selected));
}

#[test]
fn payload_lengths_are_parsed_and_checked() {
    let joined = join_payload(&[1; 256], &[2; 1024]).unwrap();
    assert_eq!(joined.expose().len() + 4, 0x0508, "body and sum of the published length");
    let split = split_payload(joined.expose()).unwrap();
    assert_eq!((split.text.len(), split.photo.len()), (256, 1024));
    assert!(split_payload(&joined.expose()[..200]).is_err());
    assert!(split_payload(&[1, 0]).is_err());
    let no_photo = join_payload(&[1; 256], &[]).unwrap();
    assert!(split_payload(no_photo.expose()).unwrap().photo.is_empty());
    let mut more = joined.expose().clone();
    more.push(0);
    assert!(split_payload(&more).is_err(), "a byte too many");
}

#[test]
fn the_module_number_is_printed_as_on_its_label() {
    let mut data = Vec::new();
    for part in [5_u16, 1] {
        data.extend_from_slice(&part.to_le_bytes());
    }
    for part in [20_091_231_u32, 42, 7] {
        data.extend_from_slice(&part.to_le_bytes());
    }
    assert_eq!(sam_id(&data).unwrap(), "05012009123100000000420000000007");
    assert_eq!(sam_id(&data[1..]), None);
}

fn any_answer() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..400)).prop_map(
        |(sw1, sw2, sw3, data)| {
            Answer { sw1, sw2, sw3: Sw3::from(sw3), data: PersonalBytes::new(data) }
                .encode()
                .to_vec()
        },
    )
}

proptest! {
    #[test]
    fn chopping_changes_nothing(
        parts in prop::collection::vec(
            prop_oneof![any_answer(), prop::collection::vec(any::<u8>(), 0..20),
                Just(PREAMBLE.to_vec()), Just(vec![0xAA; 4])], 1..6),
        cuts in prop::collection::vec(1_usize..64, 1..50),
    ) {
        let stream: Vec<u8> = parts.concat();
        let whole = FrameParser::for_answers().push(&stream);
        let mut parser = FrameParser::for_answers();
        let mut chopped = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at(cut.min(rest.len()));
            chopped.extend(parser.push(now));
            rest = later;
        }
        prop_assert_eq!(whole, chopped);
    }

    #[test]
    fn a_good_frame_is_found_behind_garbage(
        garbage in prop::collection::vec(any::<u8>().prop_filter("not a preamble", |b| *b != 0xAA), 0..300),
        frame in any_answer(),
    ) {
        let mut stream = garbage;
        stream.extend_from_slice(&frame);
        let results = FrameParser::for_answers().push(&stream);
        prop_assert_eq!(results.len(), 1);
        let body = results[0].as_ref().unwrap();
        prop_assert_eq!(&*Answer::from_body(body.expose()).unwrap().encode(), &frame);
    }

    #[test]
    fn no_bytes_panic_and_none_are_hoarded(stream in prop::collection::vec(any::<u8>(), 0..6000)) {
        let mut parser = FrameParser::for_answers();
        parser.push(&stream);
        prop_assert!(parser.buffer.capacity() <= 2 * (HEAD + usize::from(LONGEST)));
        let _ = split_payload(&stream);
    }
}

/// A read answer and what stands on its card.
fn content() -> (Vec<u8>, crate::reader::Identity) {
    use crate::reader::card;
    let id = crate::reader::Identity {
        name: "样本甲".into(),
        number: "11010519491231002X".into(),
        birth: Some("1949-12-31".into()),
        valid_from: Some(jiff::civil::date(2016, 5, 1)),
        photo: PersonalBytes::new((0..1024_u32).map(|at| at.to_le_bytes()[0]).collect()),
        ..crate::reader::Identity::blank(card::CardKind::Resident)
    };
    let data = join_payload(&card::encode(&id).unwrap(), id.photo.expose()).unwrap();
    (Answer { sw1: 0, sw2: 0, sw3: Sw3::Success, data }.encode().to_vec(), id)
}

/// Noise in which no preamble can hide.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>().prop_filter("ends a preamble", |b| *b != 0x69), 0..200)
}

proptest! {
    #[test]
    fn a_card_is_the_same_however_its_answer_is_chopped_and_whatever_is_around_it(
        before in noise(),
        after in noise(),
        cuts in prop::collection::vec(1_usize..300, 1..40),
    ) {
        let (frame, id) = content();
        let stream = [before, frame, after].concat();
        let mut parser = FrameParser::for_answers();
        let mut found = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() { break; }
            let (now, later) = rest.split_at(cut.min(rest.len()));
            found.extend(parser.push(now));
            rest = later;
        }
        prop_assert_eq!(found.len(), 1);
        let answer = Answer::from_body(found[0].as_ref().unwrap().expose()).unwrap();
        prop_assert!(Command::ReadBase.may_be_answered_by(&answer));
        let payload = split_payload(answer.data.expose()).unwrap();
        let read = crate::reader::card::parse(payload.text, payload.photo).unwrap();
        prop_assert!(read == id);
    }

    #[test]
    fn what_a_fuzzer_would_find(
        mut bytes in prop::collection::vec(any::<u8>(), 0..700),
        frame in any_answer(),
        at in any::<prop::sample::Index>(),
    ) {
        crate::reader::fuzz::card(&bytes);
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, frame);
        crate::reader::fuzz::frames(&bytes);
    }
}
