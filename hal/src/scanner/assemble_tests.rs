use proptest::prelude::*;

use super::*;
use crate::scanner::Trigger;

const SUFFIXES: [Suffix; 4] = [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::None];

fn options(suffix: Suffix) -> ScannerOptions {
    ScannerOptions { suffix, ..ScannerOptions::default() }
}

fn ending(suffix: Suffix) -> &'static [u8] {
    match suffix {
        Suffix::Cr => b"\r",
        Suffix::Lf => b"\n",
        Suffix::CrLf => b"\r\n",
        Suffix::None => b"",
    }
}

fn code(bytes: &[u8]) -> Assembled {
    Assembled::Code(PersonalBytes::new(bytes.to_vec()))
}

/// Everything that comes of `bytes`, cut at `cuts`, and of silence after them.
fn assemble(options: &ScannerOptions, bytes: &[u8], cuts: &[usize]) -> Vec<Assembled> {
    let mut assembler = Assembler::new(options);
    let start = Instant::now();
    let mut found = Vec::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let to = cut.clamp(from, bytes.len());
        found.extend(assembler.push(&bytes[from..to], start));
        from = to;
    }
    found.extend(assembler.tick(start + Duration::from_secs(60)));
    found
}

#[test]
fn a_code_comes_without_its_suffix() {
    for suffix in SUFFIXES {
        let sent = [b"RG-2026-0001", ending(suffix)].concat();
        assert_eq!(assemble(&options(suffix), &sent, &[]), [code(b"RG-2026-0001")], "{suffix:?}");
    }
}

#[test]
fn every_cut_of_two_codes_gives_the_same_two() {
    for suffix in [Suffix::Cr, Suffix::Lf, Suffix::CrLf] {
        let sent = [&b"one"[..], ending(suffix), b"\x1dtwo\r2", ending(suffix)].concat();
        let whole = assemble(&options(suffix), &sent, &[]);
        for first in 0..=sent.len() {
            for second in first..=sent.len() {
                let cut = assemble(&options(suffix), &sent, &[first, second]);
                assert_eq!(cut, whole, "{suffix:?} at {first} and {second}");
            }
        }
    }
}

#[test]
fn a_scanner_that_sends_both_line_ends_makes_no_empty_codes() {
    for suffix in [Suffix::Cr, Suffix::Lf, Suffix::CrLf] {
        let found = assemble(&options(suffix), b"a\r\nb\r\n\r\n", &[]);
        assert_eq!(found, [code(b"a"), code(b"b")], "{suffix:?}");
    }
}

#[test]
fn a_pause_ends_a_code_only_where_no_suffix_does() {
    let start = Instant::now();
    let gap = Duration::from_millis(50);
    let mut bare = Assembler::new(&options(Suffix::None));
    assert_eq!(bare.push(b"ab", start), []);
    assert_eq!(bare.due(), Some(start + gap));
    assert_eq!(bare.push(b"cd", start + Duration::from_millis(49)), []);
    assert_eq!(bare.tick(start + gap), None, "the pause begins with the last byte");
    assert_eq!(bare.push(b"ef", start + Duration::from_millis(99)), [code(b"abcd")]);
    assert_eq!(bare.tick(start + Duration::from_secs(1)), Some(code(b"ef")));
    assert_eq!(bare.due(), None);

    let mut ended = Assembler::new(&options(Suffix::Cr));
    assert_eq!(ended.push(b"half", start), []);
    assert_eq!(ended.tick(start + gap), None);
    let late = start + Duration::from_secs(1);
    let broken = Assembled::Refused(ScannerError::CutShort { bytes: 4 });
    assert_eq!(ended.push(b"whole\r", late), [broken, code(b"whole")]);
}

#[test]
fn the_longest_code_passes_and_a_longer_one_is_told_once() {
    for suffix in SUFFIXES {
        let options = options(suffix);
        let longest = [&vec![b'x'; LONGEST][..], ending(suffix)].concat();
        assert_eq!(assemble(&options, &longest, &[]), [code(&vec![b'x'; LONGEST])], "{suffix:?}");
        let longer = [&vec![b'x'; LONGEST + 1][..], ending(suffix)].concat();
        let refused = Assembled::Refused(ScannerError::Oversize { longest: LONGEST });
        assert_eq!(assemble(&options, &longer, &[]), std::slice::from_ref(&refused));
        if suffix != Suffix::None {
            let then = [&longer[..], b"next", ending(suffix)].concat();
            assert_eq!(assemble(&options, &then, &[]), [refused, code(b"next")], "{suffix:?}");
        }
    }
}

#[test]
fn noise_is_no_code() {
    let table: [(&[u8], usize); 4] =
        [(b"ab\0cd", 1), (b"\xff\xfe\xff", 2), (b"\x7f", 1), (b"\x01\x02\x03", 3)];
    for (bytes, strange) in table {
        let refused = Assembled::Refused(ScannerError::Noise { bytes: bytes.len(), strange });
        for suffix in SUFFIXES {
            let sent = [bytes, ending(suffix)].concat();
            let found = assemble(&options(suffix), &sent, &[]);
            assert_eq!(found, std::slice::from_ref(&refused), "{suffix:?}");
        }
        // Without its end, noise is still noise and not a code that broke off.
        assert_eq!(assemble(&options(Suffix::Cr), bytes, &[]), [refused]);
    }
    let separators = b"[)>\x1e06\x1dK123\x1e\x04";
    assert_eq!(assemble(&options(Suffix::None), separators, &[]), [code(separators)]);
    let text = "样本甲".as_bytes();
    assert_eq!(assemble(&options(Suffix::None), text, &[]), [code(text)]);
}

#[test]
fn the_rest_of_a_code_that_began_too_early_is_passed_over() {
    let start = Instant::now();
    let mut assembler = Assembler::new(&options(Suffix::Cr));
    assembler.push(b"too ea", start);
    assembler.skip_what_has_begun();
    assert_eq!(assembler.push(b"rly\rwanted\r", start), [code(b"wanted")]);
    assembler.skip_what_has_begun();
    assert_eq!(assembler.push(b"next\r", start), [code(b"next")], "nothing had begun");
    assembler.push(b"never en", start);
    assembler.skip_what_has_begun();
    assert_eq!(assembler.tick(start + Duration::from_secs(1)), None, "unwanted, so not told");
    assert_eq!(assembler.push(b"x\r", start + Duration::from_secs(1)), [code(b"x")]);
}

#[test]
fn answers_to_commands_begin_no_code() {
    let trigger = Trigger { answers: vec![0x06], ..Trigger::default() };
    let options = ScannerOptions { trigger: Some(trigger), ..options(Suffix::Cr) };
    assert_eq!(assemble(&options, b"\x06\x06code\r\x06", &[]), [code(b"code")]);
}

#[test]
fn a_reset_forgets() {
    let start = Instant::now();
    let mut assembler = Assembler::new(&options(Suffix::Cr));
    assembler.push(b"old", start);
    assembler.reset();
    assert_eq!(assembler.push(b"new\r", start), [code(b"new")]);
}

fn suffix() -> impl Strategy<Value = Suffix> {
    prop::sample::select(SUFFIXES.to_vec())
}

proptest! {
    #[test]
    fn any_bytes_cut_anywhere_give_the_same(
        suffix in suffix(),
        bytes in prop::collection::vec(
            prop_oneof![4 => 0x20_u8..0x7f, 1 => Just(b'\r'), 1 => Just(b'\n'), 1 => any::<u8>()],
            0..200,
        ),
        mut cuts in prop::collection::vec(0_usize..200, 0..20),
        longest in 1_usize..40,
    ) {
        cuts.sort_unstable();
        let options = ScannerOptions { longest, ..options(suffix) };
        let whole = assemble(&options, &bytes, &[]);
        prop_assert_eq!(&assemble(&options, &bytes, &cuts), &whole);
        let every: Vec<_> = (0..bytes.len()).collect();
        prop_assert_eq!(&assemble(&options, &bytes, &every), &whole);
        for found in &whole {
            if let Assembled::Code(code) = found {
                prop_assert!(!code.expose().is_empty() && code.expose().len() <= longest);
            }
        }
    }

    #[test]
    fn sound_codes_all_arrive(
        suffix in prop::sample::select(vec![Suffix::Cr, Suffix::Lf, Suffix::CrLf]),
        codes in prop::collection::vec(prop::collection::vec(0x20_u8..0x7f, 1..60), 0..6),
        mut cuts in prop::collection::vec(0_usize..400, 0..20),
    ) {
        cuts.sort_unstable();
        let sent: Vec<u8> =
            codes.iter().flat_map(|code| [&code[..], ending(suffix)].concat()).collect();
        let wanted: Vec<_> = codes.iter().map(|bytes| code(bytes)).collect();
        prop_assert_eq!(assemble(&options(suffix), &sent, &cuts), wanted);
    }
}
