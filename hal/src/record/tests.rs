//! Recordings of the real drivers against the simulators, searched for the person and played back.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use encoding_rs::GB18030;

use super::*;
use crate::line::{LineError, OpenLine, SerialPortSpec};
use crate::printer::sim::{PrinterSim, PrinterSimOptions};
use crate::printer::{
    Element, JobPhase, PrintJob, PrinterEvent, PrinterOptions, PrinterProfile, ReceiptDocument,
    spawn_printer,
};
use crate::reader::sim::{ReaderSim, ReaderSimOptions};
use crate::reader::{Identity, ReaderError, ReaderEvent, ReaderOptions, spawn_reader, specimen};

const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who does not exist and has nothing in common with the specimen that stands in.
fn somebody() -> Identity {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens/resident-soldier.toml"),
    )
    .unwrap();
    let changed: Vec<&str> = text
        .lines()
        .map(|line| match line.split('=').next().unwrap().trim() {
            "name" => "name = '虚构者'",
            "address" => "address = '虚构省测试市测验区演练街 99 号'",
            "issuer" => "issuer = '测试市公安局测验分局'",
            _ => line,
        })
        .collect();
    specimen::parse(&changed.join("\n")).unwrap()
}

fn load(name: &str) -> Identity {
    specimen::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specimens/{name}.toml")))
        .unwrap()
}

/// What of a person a careless recording would hold, in every spelling.
fn traces(person: &Identity) -> BTreeSet<Vec<u8>> {
    let texts = [&person.name, &person.number, &person.address, &person.issuer];
    let mut traces = BTreeSet::new();
    for text in texts.map(|text| text.as_str()) {
        // Halves too: a piece may have been chopped off.
        let all: Vec<char> = text.chars().collect();
        for part in [all.as_slice(), &all[..all.len() / 2], &all[all.len() / 2..]] {
            let part: String = part.iter().collect();
            if part.chars().count() < 2 {
                continue;
            }
            traces.insert(part.as_bytes().to_vec());
            traces.insert(GB18030.encode(&part).0.to_vec());
            traces.insert(part.encode_utf16().flat_map(u16::to_le_bytes).collect());
            traces.insert(part.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
    }
    traces
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Searches the file as it is, its hexadecimal digits, and the bytes they stand for.
fn search(path: &Path, person: &Identity) -> Vec<Vec<u8>> {
    let file = std::fs::read(path).unwrap();
    let digits = file.to_ascii_lowercase();
    let all = |dir| -> Vec<u8> {
        let recording = Recording::load(path).unwrap();
        let entries = recording.entries.into_iter().filter(|entry| entry.dir == dir);
        entries.flat_map(|entry| entry.bytes).collect()
    };
    let (came, went) = (all(Direction::In), all(Direction::Out));
    traces(person)
        .into_iter()
        .filter(|trace| {
            holds(&file, trace)
                || holds(&digits, hex::encode(trace).as_bytes())
                || holds(&came, trace)
                || holds(&went, trace)
        })
        .collect()
}

fn reader(line: Box<dyn OpenLine>) -> (crate::reader::ReaderHandle, Receiver<ReaderEvent>) {
    let (sender, events) = channel();
    let options = ReaderOptions { presence: None, ..ReaderOptions::default() };
    let reader = spawn_reader(line, options, Box::new(move |event| drop(sender.send(event))));
    reader.arm();
    (reader, events)
}

/// How the reading of a card ended.
fn outcome(events: &Receiver<ReaderEvent>) -> Result<Box<Identity>, ReaderError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap() {
            ReaderEvent::Read(identity) => return Ok(identity),
            ReaderEvent::Failed(error) => return Err(error),
            _ => {}
        }
    }
}

/// Reads a card in the simulator, spoiled by `fault`, and writes down what passed.
fn recorded(path: &Path, card: &Identity, fault: &str) -> Result<Box<Identity>, ReaderError> {
    let sim = ReaderSim::start(ReaderSimOptions {
        baud: None,
        radio: Duration::from_millis(20),
        ..ReaderSimOptions::default()
    })
    .unwrap();
    sim.insert(card).unwrap();
    if !fault.is_empty() {
        sim.command(&format!("fault {fault}")).unwrap();
    }
    let recorder = Recorder::create(path, Recorded::Reader).unwrap();
    let spec = SerialPortSpec::new(sim.path(), 115_200);
    let (_reader, events) = reader(Box::new(recorder.listen(Box::new(spec))));
    outcome(&events)
}

fn replayed(path: &Path) -> (Result<Box<Identity>, ReaderError>, Replay) {
    let replay = Replay::new(Recording::load(path).unwrap(), Speed::AtOnce);
    let (_reader, events) = reader(Box::new(replay.line()));
    (outcome(&events), replay)
}

#[test]
fn a_visit_with_a_card_leaves_nobody_in_the_file_and_replays_as_the_specimen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reader.jsonl");
    let person = somebody();
    let read = recorded(&path, &person, "").unwrap();
    assert!(*read == person, "the driver itself got the person");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(search(&path, &person), Vec::<Vec<u8>>::new());

    let (again, replay) = replayed(&path);
    let (again, stand_in) = (again.unwrap(), load("resident"));
    assert!(again.name == stand_in.name && again.number == stand_in.number);
    assert_eq!(again.photo.expose().len(), person.photo.expose().len());
    assert_eq!(replay.divergence(), None);
}

#[test]
fn the_search_would_find_a_person() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("careless.jsonl");
    let person = somebody();
    let bytes = person.name.as_str().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entry = Entry { t_us: 0, dir: Direction::In, bytes, note: String::new() };
    let header = serde_json::to_string(&Header::new(Recorded::Reader)).unwrap();
    let line = serde_json::to_string(&entry).unwrap();
    std::fs::write(&path, format!("{header}\n{line}\n")).unwrap();
    assert!(!search(&path, &person).is_empty());
}

#[test]
fn damaged_answers_are_replaced_and_stay_damaged() {
    let person = somebody();
    for fault in
        ["checksum", "half-frame", "garbage-before", "garbage-after", "stale", "lift-at 700"]
    {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reader.jsonl");
        let then = recorded(&path, &person, fault);
        assert_eq!(search(&path, &person), Vec::<Vec<u8>>::new(), "{fault}");
        let (now, replay) = replayed(&path);
        assert_eq!(now.as_ref().err(), then.as_ref().err(), "{fault}");
        assert_eq!(replay.divergence(), None, "{fault}");
    }
}

fn receipt(person: &Identity) -> ReceiptDocument {
    ReceiptDocument {
        lines: vec![
            Element::heading("回执"),
            Element::pair("姓名", person.name.as_str().to_owned()),
            // Goes as a picture, because of the rare character.
            Element::text(format!("𠮷 {}", person.name.as_str())),
            Element::text(person.address.as_str().to_owned()),
            Element::Qr(format!("RG1-{}", person.number.as_str())),
            Element::Cut,
        ],
    }
}

fn print(line: Box<dyn OpenLine>, document: ReceiptDocument) -> JobPhase {
    let (sender, events) = channel();
    // No polls besides those that belong to the job.
    let profile = PrinterProfile { poll_ms: 60_000, ..PrinterProfile::mm80() };
    // The same proofs are asked for in each run.
    let options = PrinterOptions { profile, first_marker: 1, ..PrinterOptions::default() };
    let sink = Box::new(move |event| drop(sender.send(event)));
    let printer = spawn_printer(line, options, sink);
    let deadline = Instant::now() + PATIENCE;
    let mut sent = false;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match events.recv_timeout(left).unwrap() {
            PrinterEvent::Status(status) if status.usable() && !sent => {
                sent = true;
                printer.print(PrintJob::new(1, document.clone()));
            }
            PrinterEvent::Job { phase, .. } if phase.ended() => return phase,
            _ => {}
        }
    }
}

#[test]
fn a_receipt_leaves_its_commands_and_nothing_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("printer.jsonl");
    let mut options = PrinterSimOptions::new(dir.path().join("printer"), dir.path().join("out"));
    options.speed = None;
    let sim = PrinterSim::start(options).unwrap();
    let person = somebody();
    let recorder = Recorder::create(&path, Recorded::Printer).unwrap();
    let spec = SerialPortSpec::new(sim.path(), 115_200);
    let phase = print(Box::new(recorder.listen(Box::new(spec))), receipt(&person));
    assert_eq!(phase, JobPhase::Confirmed);
    recorder.flush();
    assert_eq!(search(&path, &person), Vec::<Vec<u8>>::new());
    let recording = Recording::load(&path).unwrap();
    let longest = recording.entries.iter().map(|entry| entry.bytes.len()).max().unwrap();
    assert!(longest > 100, "the receipt is there");

    let replay = Replay::new(recording.clone(), Speed::AtOnce);
    assert_eq!(print(Box::new(replay.line()), receipt(&person)), JobPhase::Confirmed);
    assert_eq!(replay.divergence(), None);
    // Another receipt is another conversation, and is told so.
    let other = ReceiptDocument { lines: vec![Element::text("1"), Element::Cut] };
    let replay = Replay::new(recording, Speed::AtOnce);
    assert!(matches!(print(Box::new(replay.line()), other), JobPhase::Unknown(_)));
    assert!(matches!(replay.divergence(), Some(Divergence::OtherBytes(_))));
}

#[test]
fn a_code_becomes_a_row_of_letters_and_keeps_its_chopping() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scanner.jsonl");
    let mut pty = crate::pty::Pty::open(None).unwrap();
    let recorder = Recorder::create(&path, Recorded::Scanner).unwrap();
    let mut open = recorder.listen(Box::new(SerialPortSpec::new(pty.path(), 9600)));
    let mut line = open.open().unwrap();
    let mut buffer = [0; 64];
    for piece in [&b"11010519"[..], b"491231002X\r", b"\x02noise\n"] {
        pty.write(piece).unwrap();
        let read = line.read_some(&mut buffer, Instant::now() + PATIENCE).unwrap();
        assert_eq!(&buffer[..read], piece);
    }
    drop(line);
    let recording = Recording::load(&path).unwrap();
    let came: Vec<_> = recording
        .entries
        .iter()
        .filter(|entry| entry.dir == Direction::In)
        .map(|entry| entry.bytes.as_slice())
        .collect();
    assert_eq!(came, [&b"XXXXXXXX"[..], b"XXXXXXXXXX\r", b"\x01XXXXX\n"]);
    let dirs: Vec<_> = recording.entries.iter().map(|entry| entry.dir).collect();
    assert_eq!((dirs[0], dirs.last()), (Direction::Open, Some(&Direction::Close)));
}

#[test]
fn failures_of_the_line_come_again_in_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("failures.jsonl");
    let recorder = Recorder::create(&path, Recorded::Scanner).unwrap();
    let link = dir.path().join("line");
    let mut open = recorder.listen(Box::new(SerialPortSpec::new(&link, 9600)));
    let soon = || Instant::now() + Duration::from_millis(50);
    let story = |open: &mut dyn OpenLine, plug: &dyn Fn() -> Option<crate::pty::Pty>| {
        let mut heard = vec![open.open().err().map(|error| error.status())];
        let far = plug();
        let mut line = open.open().unwrap();
        heard.push(line.read_some(&mut [0; 8], soon()).err().map(|error| error.status()));
        line.write_all(b"trigger", soon()).unwrap();
        drop(far);
        let lost = line.read_some(&mut [0; 8], soon()).unwrap_err();
        assert_eq!(lost, LineError::Gone);
        heard.push(Some(lost.status()));
        heard
    };
    let then = story(&mut open, &|| Some(crate::pty::Pty::open(Some(&link)).unwrap()));
    let replay = Replay::new(Recording::load(&path).unwrap(), Speed::Times(0.5));
    assert_eq!(story(&mut replay.line(), &|| None), then);
    assert!(replay.finished());
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    drop(Recorder::create(&path, Recorded::Reader).unwrap());
    assert!(Recorder::create(&path, Recorded::Reader).is_err(), "nothing is overwritten");
    let good = std::fs::read_to_string(&path).unwrap();
    assert!(Recording::parse(&good).unwrap().entries.is_empty());
    let cut = Recording::parse(&format!("{good}{{\"t_us\": 1, \"dir\"")).unwrap_err();
    assert!(cut.to_string().starts_with("line 2 "), "{cut}");
    let odd = "{\"t_us\": 1, \"dir\": \"in\", \"bytes\": \"abc\"}";
    assert!(Recording::parse(&format!("{good}{odd}")).is_err());
    let newer = good.replace("\"redaction\":1", "\"redaction\":2");
    assert!(matches!(Recording::parse(&newer), Err(RecordingError::TooNew(2))));
    assert!(matches!(Recording::parse("{}"), Err(RecordingError::NotARecording)));
    assert!(matches!(Recording::load(Path::new("/none")), Err(RecordingError::Unreadable { .. })));
}

#[test]
fn a_program_that_can_record_shows_the_marker() {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(holds(&program, MARKER.as_bytes()));
}
