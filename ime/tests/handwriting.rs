//! What is drawn becomes text: the flow with a reader that is made here, and the network itself on
//! strokes that are drawn here.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use ime::{
    CHARACTERS, Engine, HandwritingError, Ink, Key, MIDDLE_DOT, MODEL, PAGE, Pinyin, Point, PpOcr,
    Purpose, Reads, Recogniser, Tables, Way, Writer, rare::Rare,
};

/// Offers as many characters as it is asked for; which, is told by the number of strokes.
#[derive(Default)]
struct Counting {
    asked: Mutex<Vec<usize>>,
}

fn offered(strokes: usize, number: usize) -> char {
    char::from_u32(0x4e00 + (strokes * 100 + number) as u32).unwrap()
}

impl Recogniser for Counting {
    fn candidates(&self, ink: &Ink, most: usize) -> Vec<char> {
        self.asked.lock().unwrap().push(ink.strokes().len());
        (0..most).map(|number| offered(ink.strokes().len(), number)).collect()
    }
}

const STROKE: [Point; 2] = [(0.1, 0.5), (0.9, 0.5)];

fn writer(reads: Reads) -> (Writer, Arc<Counting>, Arc<AtomicUsize>) {
    let (reader, made) = (Arc::new(Counting::default()), Arc::new(AtomicUsize::new(0)));
    let (given, count) = (reader.clone(), made.clone());
    let make = move || {
        count.fetch_add(1, SeqCst);
        Some(given.clone() as Arc<dyn Recogniser>)
    };
    let load = || {
        let mut rare = Rare::default();
        rare.read_parts("喆\t吉 吉\n").unwrap();
        rare
    };
    let tables = Tables { strokes: false, parts: true, radicals: false, load: Box::new(load) };
    let pinyin = || -> Box<dyn Engine> { Box::new(Pinyin::new()) };
    let mut writer = Writer::new(Box::new(pinyin), tables).with_recogniser(Box::new(make), reads);
    writer.serve(Purpose::Name);
    writer.go(Way::Handwriting);
    (writer, reader, made)
}

fn page(writer: &Writer) -> String {
    writer.page().iter().map(|one| one.text.as_str()).collect()
}

fn expected(strokes: usize, page: usize) -> String {
    (page * PAGE..(page + 1) * PAGE).map(|number| offered(strokes, number)).collect()
}

#[test]
fn each_stroke_brings_its_candidates_and_a_choice_ends_the_ink() {
    let (mut writer, reader, made) = writer(Reads::Here);
    assert!(writer.can(Way::Handwriting) && made.load(SeqCst) == 0, "made when it is needed");
    writer.stroke(&STROKE);
    assert_eq!(page(&writer), expected(1, 0));
    writer.stroke(&STROKE);
    assert_eq!(page(&writer), expected(2, 0));
    assert_eq!((made.load(SeqCst), writer.ink().strokes().len()), (1, 2));
    let chosen = writer.press(Key::Choose(1), "王").unwrap();
    assert_eq!(chosen, format!("王{}", offered(2, 1)));
    assert!(writer.ink().is_empty() && writer.page().is_empty());
    assert_eq!(writer.press(Key::Choose(0), "王"), None);
    assert_eq!(*reader.asked.lock().unwrap(), [1, 2]);
}

#[test]
fn pages_are_turned_and_begin_anew_with_new_ink() {
    let (mut writer, ..) = writer(Reads::Here);
    writer.stroke(&STROKE);
    assert_eq!(writer.more(), (false, true));
    writer.press(Key::PreviousPage, "");
    let mut pages = 1;
    while writer.more().1 {
        writer.press(Key::NextPage, "");
        assert_eq!(page(&writer), expected(1, pages));
        pages += 1;
    }
    assert!(pages * PAGE >= 15, "{pages} pages");
    writer.press(Key::NextPage, "");
    writer.press(Key::PreviousPage, "");
    assert_eq!(page(&writer), expected(1, pages - 2));
    assert_eq!(writer.more(), (true, true));
    writer.stroke(&STROKE);
    assert_eq!((page(&writer), writer.more()), (expected(2, 0), (false, true)));
}

#[test]
fn backspace_takes_strokes_first_and_characters_then() {
    let (mut writer, reader, _) = writer(Reads::Here);
    writer.stroke(&STROKE);
    writer.stroke(&STROKE);
    assert_eq!(writer.press(Key::Backspace, "王建"), None);
    assert_eq!(page(&writer), expected(1, 0));
    assert!(writer.unstroke() && writer.page().is_empty() && !writer.unstroke());
    assert_eq!(writer.press(Key::Backspace, "王建").as_deref(), Some("王"));
    assert_eq!(*reader.asked.lock().unwrap(), [1, 2, 1], "no ink is not read");
    writer.stroke(&STROKE);
    assert_eq!(writer.press(Key::Letter('3'), "路"), None, "not beside ink");
    assert_eq!(writer.press(Key::Clear, "路"), None);
    assert!(writer.ink().is_empty() && writer.page().is_empty());
    assert_eq!(writer.press(Key::Letter('3'), "路").as_deref(), Some("路3"));
    assert_eq!(writer.press(Key::Letter('x'), "路"), None);
}

#[test]
fn another_way_field_or_joining_wipes_the_ink() {
    let (mut writer, ..) = writer(Reads::Here);
    type Act = fn(&mut Writer);
    let acts: [Act; 4] = [
        |writer| writer.go(Way::Pinyin),
        |writer| writer.serve(Purpose::Name),
        |writer| writer.join("吉"),
        Writer::clear_ink,
    ];
    for act in acts {
        writer.go(Way::Handwriting);
        writer.stroke(&STROKE);
        assert!(!writer.ink().is_empty());
        act(&mut writer);
        assert!(writer.ink().is_empty() && writer.page().is_empty());
    }
    writer.serve(Purpose::Name);
    writer.stroke(&STROKE);
    assert!(writer.ink().is_empty(), "only where one draws");
}

#[test]
fn drawing_ends_joining() {
    let (mut writer, ..) = writer(Reads::Here);
    writer.join("吉吉");
    assert_eq!(page(&writer), "喆");
    writer.stroke(&STROKE);
    assert_eq!(page(&writer), expected(1, 0));
    assert_eq!(writer.press(Key::Choose(0), "吉吉").unwrap(), format!("吉吉{}", offered(1, 0)));
}

#[test]
fn only_the_answer_to_the_present_ink_counts() {
    let (mut writer, ..) = writer(Reads::Elsewhere);
    assert!(writer.reading().is_none(), "nothing is drawn");
    writer.stroke(&STROKE);
    assert!(writer.page().is_empty());
    let first = writer.reading().unwrap();
    assert!(writer.reading().is_none(), "asked for once");
    writer.stroke(&STROKE);
    let second = writer.reading().unwrap();
    // Answers may come in any order; the late one is to ink that has changed.
    assert!(writer.recognised(second.generation(), second.read()));
    assert!(!writer.recognised(first.generation(), first.read()));
    assert_eq!(page(&writer), expected(2, 0));
    // Nor does the same answer count again: it would turn the pages back.
    writer.press(Key::NextPage, "");
    assert!(!writer.recognised(second.generation(), second.read()));
    assert_eq!(page(&writer), expected(2, 1));
    // What was offered stays while new ink is read, so that the row does not flicker.
    writer.stroke(&STROKE);
    assert_eq!(page(&writer), expected(2, 1));
    let third = writer.reading().unwrap();
    let answer = third.read();
    writer.serve(Purpose::Name);
    assert!(!writer.recognised(third.generation(), answer), "not to the next person");
    assert!(writer.page().is_empty());
}

#[test]
fn a_choice_and_taking_back_make_answers_late() {
    let (mut writer, ..) = writer(Reads::Elsewhere);
    for ending in [
        (|writer| _ = writer.press(Key::Choose(0), "")) as fn(&mut Writer),
        |writer| _ = writer.unstroke(),
        |writer| _ = writer.press(Key::Clear, ""),
    ] {
        writer.stroke(&STROKE);
        let reading = writer.reading().unwrap();
        writer.recognised(reading.generation(), reading.read());
        writer.stroke(&STROKE);
        let late = writer.reading().unwrap();
        ending(&mut writer);
        let before = page(&writer);
        assert!(!writer.recognised(late.generation(), late.read()));
        assert_eq!(page(&writer), before);
        writer.clear_ink();
    }
}

#[test]
fn reading_may_happen_on_another_thread() {
    let (mut writer, _, made) = writer(Reads::Elsewhere);
    writer.stroke(&STROKE);
    let reading = writer.reading().unwrap();
    assert_eq!(made.load(SeqCst), 0, "the network is loaded there, too");
    let (generation, found) =
        std::thread::spawn(move || (reading.generation(), reading.read())).join().unwrap();
    assert!(writer.recognised(generation, found));
    assert_eq!((page(&writer), made.load(SeqCst)), (expected(1, 0), 1));
}

#[test]
fn a_reader_that_cannot_be_made_is_not_offered_again() {
    let make = || None;
    let mut writer = Writer::default().with_recogniser(Box::new(make), Reads::Here);
    assert!(writer.can(Way::Handwriting) && !Writer::default().can(Way::Handwriting));
    writer.go(Way::Handwriting);
    writer.stroke(&STROKE);
    assert!(writer.page().is_empty() && !writer.can(Way::Handwriting));
    // Without any, ink can be drawn and taken back, and that is all.
    let mut writer = Writer::default();
    writer.go(Way::Handwriting);
    writer.stroke(&STROKE);
    assert!(writer.reading().is_none() && writer.unstroke());
}

/// Where the network is: `make test` sees to it.
fn folder() -> PathBuf {
    let given = std::env::var_os("RONGGUI_HANDWRITING").map(PathBuf::from);
    let folder = given
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/handwriting"));
    assert!(
        folder.join(MODEL).is_file(),
        "there is no network in {}: run scripts/handwriting-model, or name another folder in \
         RONGGUI_HANDWRITING",
        folder.display()
    );
    folder
}

fn ink(strokes: &[&[Point]]) -> Ink {
    let mut ink = Ink::default();
    strokes.iter().for_each(|stroke| assert!(ink.add(stroke)));
    ink
}

#[test]
fn the_network_reads_characters_in_any_order_of_strokes() {
    let reader = PpOcr::load(&folder()).unwrap();
    let across = |y: f32| [(0.2, y), (0.8, y)];
    let (top, middle, bottom) = (across(0.2), across(0.5), across(0.8));
    let down: [Point; 2] = [(0.5, 0.2), (0.5, 0.8)];
    let corner: [Point; 3] = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)];
    let left: [Point; 2] = [(0.2, 0.2), (0.2, 0.8)];
    let long: [Point; 2] = [(0.5, 0.05), (0.5, 0.95)];
    let falling: [Point; 3] = [(0.5, 0.1), (0.45, 0.5), (0.15, 0.9)];
    let pressed: [Point; 2] = [(0.48, 0.5), (0.85, 0.9)];
    let wide: [Point; 2] = [(0.1, 0.4), (0.9, 0.4)];
    let characters: [(char, Vec<&[Point]>); 7] = [
        ('王', vec![&top, &middle, &down, &bottom]),
        ('三', vec![&top, &middle, &bottom]),
        ('口', vec![&left, &corner, &bottom]),
        ('田', vec![&left, &corner, &middle, &down, &bottom]),
        ('中', vec![&left, &corner, &bottom, &long]),
        ('大', vec![&wide, &falling, &pressed]),
        ('十', vec![&wide, &long]),
    ];
    for (character, mut strokes) in characters {
        let found = reader.candidates(&ink(&strokes), 20);
        assert!(found.iter().take(5).any(|one| *one == character), "{character}: {found:?}");
        assert_eq!(found.len(), 20);
        strokes.reverse();
        assert_eq!(reader.candidates(&ink(&strokes), 20), found, "in the order that nobody writes");
    }
}

#[test]
fn the_network_offers_characters_only_and_none_for_no_ink() {
    let reader = PpOcr::load(&folder()).unwrap();
    assert!(reader.candidates(&Ink::default(), 20).is_empty());
    // The letter A, a scrawl, a touch.
    let scrawl: Vec<Point> = (0u16..40)
        .map(|at| (f32::from(at * 7 % 40) / 40.0, f32::from(at * 11 % 40) / 40.0))
        .collect();
    for strokes in [
        vec![&[(0.1, 0.9), (0.5, 0.1), (0.9, 0.9)][..], &[(0.3, 0.6), (0.7, 0.6)]],
        vec![&scrawl[..]],
        vec![&[(0.5, 0.5)][..]],
    ] {
        let found = reader.candidates(&ink(&strokes), 20);
        assert_eq!(found.len(), 20);
        let mut once = found.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 20, "none twice: {found:?}");
        for one in found {
            assert!(ime::codepoint::is_chinese(one) || one == MIDDLE_DOT, "{one:?}");
            assert!(!('\u{f900}'..='\u{faff}').contains(&one), "a twin: {one:?}");
        }
    }
    // Between the parts of a name: it must be reachable by drawing it.
    let dot = reader.candidates(&ink(&[&[(0.5, 0.5), (0.51, 0.51)]]), 20);
    assert!(dot.contains(&MIDDLE_DOT), "{dot:?}");
    assert_eq!(reader.candidates(&ink(&[&scrawl]), 3).len(), 3);
}

#[test]
fn what_is_missing_or_damaged_is_told_with_its_cure() {
    let folder = folder();
    let own = std::env::temp_dir().join(format!("ime-handwriting-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&own);
    std::fs::create_dir_all(&own).unwrap();
    let load = || PpOcr::load(&own).err().expect("an error");
    let tells = |error: &HandwritingError, name: &str| {
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("scripts/handwriting-model"), "{text}");
    };

    let error = load();
    assert!(matches!(error, HandwritingError::Read { .. }));
    tells(&error, CHARACTERS);
    std::fs::copy(folder.join(CHARACTERS), own.join(CHARACTERS)).unwrap();
    let error = load();
    assert!(matches!(error, HandwritingError::Read { .. }));
    tells(&error, MODEL);

    let network = std::fs::read(folder.join(MODEL)).unwrap();
    for damaged in [&b""[..], b"no network", &network[..network.len() / 2], &network[..4096]] {
        std::fs::write(own.join(MODEL), damaged).unwrap();
        let error = load();
        assert!(matches!(error, HandwritingError::Model { .. }), "{error}");
        tells(&error, MODEL);
    }

    std::fs::write(own.join(MODEL), &network).unwrap();
    assert!(PpOcr::load(&own).is_ok());
    let lines = std::fs::read_to_string(folder.join(CHARACTERS)).unwrap();
    let shorter = lines.trim_end().rsplit_once('\n').unwrap().0;
    std::fs::write(own.join(CHARACTERS), shorter).unwrap();
    let error = load();
    assert!(matches!(error, HandwritingError::Mismatch { .. }), "{error}");
    tells(&error, CHARACTERS);
    std::fs::remove_dir_all(&own).unwrap();
}
