//! A line hands over bytes in pieces of its own choosing. Whatever the pieces, every parser must
//! find the same in a valid stream, and find all of it.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use hal::printer::protocol::{
    PaperReply, Presenter, Reply, ReplyParser, StatusBits, StatusDialect,
};
use hal::reader::card;
use hal::reader::protocol::{
    Answer, BaudRate, Command, FrameParser, PREAMBLE, Sw3, join_payload, split_payload,
};
use hal::reader::specimen;
use hal::scanner::{Assembled, Assembler, ScannerOptions, Suffix};
use personal::PersonalBytes;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// The longest frame there is, with preamble and length.
const LONGEST_FRAME: usize = 0x0A00 + 7;

/// Cuts `bytes` at the given places, wherever they fall.
fn chop<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Places to cut at, from none to many.
fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..40)
}

/// Noise in which no frame begins.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no preamble", |byte| *byte != PREAMBLE[0]);
    prop::collection::vec(byte, 0..12)
}

fn answer() -> impl Strategy<Value = Answer> {
    let content = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(any::<u8>(), 1284),
    ];
    (any::<u8>(), any::<u8>(), any::<u8>(), content).prop_map(|(sw1, sw2, sw3, data)| Answer {
        sw1,
        sw2,
        sw3: Sw3::from(sw3),
        data: PersonalBytes::new(data),
    })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::ResetSam),
        Just(Command::SamStatus),
        Just(Command::SamId),
        Just(Command::FindCard),
        Just(Command::SelectCard),
        Just(Command::ReadBase),
        Just(Command::ReadAddedAddress),
        any::<u8>().prop_map(Command::MaxRfBytes),
        prop::sample::select(BaudRate::ALL.to_vec()).prop_map(Command::SetBaud),
    ]
}

fn shipped() -> Vec<card::Identity> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| specimen::load(file).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn answers_of_a_module(
        parts in prop::collection::vec((noise(), answer()), 1..5), tail in noise(), cuts in cuts(),
    ) {
        let mut stream = Vec::new();
        for (noise, answer) in &parts {
            stream.extend_from_slice(noise);
            stream.extend_from_slice(&answer.encode());
        }
        stream.extend_from_slice(&tail);
        let mut parser = FrameParser::for_answers();
        let found: Vec<_> = chop(&stream, &cuts)
            .into_iter()
            .flat_map(|piece| parser.push(piece))
            .map(|frame| Answer::from_body(frame.unwrap().expose()).unwrap())
            .collect();
        let sent: Vec<_> = parts.into_iter().map(|(_, answer)| answer).collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn requests_to_a_module(commands in prop::collection::vec(command(), 1..8), cuts in cuts()) {
        let stream: Vec<u8> = commands.iter().flat_map(|command| command.encode()).collect();
        let mut parser = FrameParser::for_requests();
        let found: Vec<_> = chop(&stream, &cuts)
            .into_iter()
            .flat_map(|piece| parser.push(piece))
            .map(|frame| Command::decode(frame.unwrap().expose()).unwrap())
            .collect();
        prop_assert_eq!(found, commands);
    }

    /// A frame that broke off, then a whole one: the whole one is found however both arrive.
    #[test]
    fn a_good_answer_behind_a_torn_one(
        torn in answer(), good in answer(), kept: prop::sample::Index, cuts in cuts(),
    ) {
        let first = torn.encode();
        let mut stream = first[..kept.index(first.len())].to_vec();
        stream.extend_from_slice(&good.encode());
        // The torn frame claims bytes that never come; a long pause shows the parser that it lies.
        stream.extend_from_slice(&[0; LONGEST_FRAME]);
        let mut whole = FrameParser::for_answers();
        let expected = whole.push(&stream);
        let mut parser = FrameParser::for_answers();
        let found: Vec<_> =
            chop(&stream, &cuts).into_iter().flat_map(|piece| parser.push(piece)).collect();
        prop_assert_eq!(&found, &expected);
        let is_good = |body: &PersonalBytes| Answer::from_body(body.expose()).unwrap() == good;
        let swallowed = found.iter().any(|frame| matches!(frame, Ok(body) if !is_good(body)));
        // One time in 256 a torn frame that swallowed the next one has a right sum by chance.
        prop_assert!(swallowed || found.iter().flatten().any(is_good));
    }

    #[test]
    fn a_specimen_card_as_it_is_read(which: prop::sample::Index, noise in noise(), cuts in cuts()) {
        let all = shipped();
        let identity = which.get(&all);
        let data = join_payload(&card::encode(identity).unwrap(), identity.photo.expose()).unwrap();
        let answer = Answer { sw1: 0, sw2: 0, sw3: Sw3::Success, data };
        let stream = [noise.as_slice(), answer.encode().as_slice()].concat();
        let mut parser = FrameParser::for_answers();
        let found: Vec<_> =
            chop(&stream, &cuts).into_iter().flat_map(|piece| parser.push(piece)).collect();
        prop_assert_eq!(found.len(), 1);
        let answer = Answer::from_body(found[0].as_ref().unwrap().expose()).unwrap();
        prop_assert!(Command::ReadBase.may_be_answered_by(&answer));
        let payload = split_payload(answer.data.expose()).unwrap();
        prop_assert!(card::parse(payload.text, payload.photo).unwrap() == *identity);
    }

    #[test]
    fn answers_of_a_printer((model, replies) in model_and_replies(), cuts in cuts()) {
        let stream: Vec<u8> = replies.iter().flat_map(on_the_line).collect();
        let mut parser = ReplyParser::new(model.0, model.1);
        let found: Vec<_> =
            chop(&stream, &cuts).into_iter().flat_map(|piece| parser.push(piece)).collect();
        prop_assert_eq!(found, replies);
        prop_assert_eq!(parser.noise, 0);
    }

    /// The four status answers say the same state whether they come one by one or all at once.
    #[test]
    fn a_state_of_a_printer(bits in any::<u32>(), cuts in cuts()) {
        let bit = |n: u32| bits >> n & 1 == 1;
        let state = StatusBits {
            offline: bit(0), waiting: bit(1), cover_open: bit(2), feeding: bit(3),
            stopped_for_paper: bit(4), error: bit(5), jammed: bit(6), cutter: bit(7),
            unrecoverable: bit(8), cooling: bit(9), paper_low: bit(10), paper_out: bit(11),
        };
        let stream: Vec<u8> = (1..=4).map(|which| state.byte(which).unwrap()).collect();
        let mut parser = ReplyParser::default();
        let mut heard = StatusBits::default();
        let replies = chop(&stream, &cuts).into_iter().flat_map(|piece| parser.push(piece));
        for (which, reply) in (1..).zip(replies) {
            let Reply::Realtime(byte) = reply else { panic!("{reply:?}") };
            prop_assert!(heard.take(which, byte));
        }
        prop_assert_eq!(heard, state);
    }

    #[test]
    fn codes_of_a_scanner(
        codes in prop::collection::vec("[ -~]{1,40}|[样本退役军人]{1,12}", 1..6),
        suffix in prop::sample::select(vec![Suffix::Cr, Suffix::Lf, Suffix::CrLf]),
        cuts in cuts(),
    ) {
        let end = match suffix {
            Suffix::Lf => "\n",
            Suffix::CrLf => "\r\n",
            Suffix::Cr | Suffix::None => "\r",
        };
        let stream: String = codes.iter().flat_map(|code| [code.as_str(), end]).collect();
        let mut assembler = Assembler::new(&ScannerOptions { suffix, ..ScannerOptions::default() });
        let now = Instant::now();
        let found: Vec<_> = chop(stream.as_bytes(), &cuts)
            .into_iter()
            .flat_map(|piece| assembler.push(piece, now))
            .collect();
        let sent: Vec<_> = codes
            .into_iter()
            .map(|code| Assembled::Code(PersonalBytes::new(code.into_bytes())))
            .collect();
        prop_assert_eq!(found, sent);
    }

    /// Without a suffix a pause ends a code, and pauses shorter than that do not.
    #[test]
    fn a_code_without_an_end(code in "[ -~]{1,60}", cuts in cuts()) {
        let options = ScannerOptions { suffix: Suffix::None, ..ScannerOptions::default() };
        let mut assembler = Assembler::new(&options);
        let mut now = Instant::now();
        for piece in chop(code.as_bytes(), &cuts).into_iter().filter(|piece| !piece.is_empty()) {
            now += options.gap - Duration::from_millis(1);
            prop_assert!(assembler.push(piece, now).is_empty());
        }
        let found = assembler.tick(now + options.gap + options.gap);
        let expected = Assembled::Code(PersonalBytes::new(code.into_bytes()));
        prop_assert_eq!(found, Some(expected));
    }
}

/// A proof that lost its end is noise; what the printer said after it is not.
#[test]
fn answers_behind_a_torn_one_are_all_heard() {
    let mut parser = ReplyParser::default();
    let replies = parser.push(&[0x37, 0x22, 0x12, 0x16, 0x1a, 0x12, 0x32]);
    assert_eq!(replies, [0x12, 0x16, 0x1a, 0x12, 0x32].map(Reply::Realtime));
    assert_eq!(parser.noise, 2);
}

/// A kind of printer and what one of this kind may say.
fn model_and_replies() -> impl Strategy<Value = ((StatusDialect, Presenter), Vec<Reply>)> {
    let models = vec![
        (StatusDialect::DleEot, Presenter::None),
        (StatusDialect::DleEot, Presenter::CustomKpm),
        (StatusDialect::Asb, Presenter::None),
        (StatusDialect::EscV, Presenter::None),
        (StatusDialect::GsR, Presenter::None),
    ];
    prop::sample::select(models)
        .prop_flat_map(|model| (Just(model), prop::collection::vec(reply(model), 1..12)))
}

fn reply((dialect, presenter): (StatusDialect, Presenter)) -> BoxedStrategy<Reply> {
    let common = prop_oneof![
        any::<u8>().prop_map(|byte| Reply::Realtime(byte & !0x93 | 0x12)),
        any::<[u8; 4]>().prop_map(Reply::Printed),
        "[A-Za-z0-9 -]{1,60}".prop_map(Reply::Identity),
        Just(Reply::Cleared),
    ];
    // What these say would mean something else coming from another model.
    let own = match (dialect, presenter) {
        (StatusDialect::EscV, _) => any::<u8>().prop_map(|byte| Reply::Plain(byte & !0x90)).boxed(),
        (_, Presenter::CustomKpm) => any::<[u8; 4]>().prop_map(Reply::Full).boxed(),
        _ => prop_oneof![
            (any::<bool>(), any::<bool>())
                .prop_map(|(low, out)| Reply::Paper(PaperReply { low, out })),
            any::<[u8; 4]>().prop_map(|[a, b, c, d]| {
                Reply::Automatic([a & !0x93 | 0x10, b & !0x90, c & !0x90, d & !0x90])
            }),
        ]
        .boxed(),
    };
    prop_oneof![common, own].boxed()
}

/// The bytes of an answer, written here anew so that the parser is not its own judge.
fn on_the_line(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Realtime(byte) => vec![*byte],
        Reply::Printed(letters) => [&[0x37, 0x22], &letters[..], &[0]].concat(),
        Reply::Paper(paper) => {
            vec![if paper.low { 0x03 } else { 0 } | if paper.out { 0x0c } else { 0 }]
        }
        Reply::Identity(name) => [&[0x5f], name.as_bytes(), &[0]].concat(),
        Reply::Automatic(bytes) => bytes.to_vec(),
        Reply::Plain(byte) => vec![*byte],
        Reply::Full(bytes) => [&[0x10, 0x0f], &bytes[..]].concat(),
        Reply::Cleared => vec![0x37, 0x25, 0],
    }
}
