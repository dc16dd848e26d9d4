use std::path::PathBuf;

use super::super::wav::mono;
use super::super::{FileVoice, ProgramVoice, attention, done, probe};
use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    speaker: SpeakerHandle,
    events: Receiver<SpeakerEvent>,
}

fn bench(voice: impl Voice + 'static) -> Bench {
    let (sender, events) = channel();
    let options = SpeakerOptions {
        volume: 100,
        poll: Duration::from_millis(5),
        backoff: Backoff::new(Duration::from_millis(10), Duration::from_millis(30)),
        ..SpeakerOptions::default()
    };
    let speaker =
        spawn_speaker(Box::new(voice), options, Box::new(move |event| drop(sender.send(event))));
    Bench { speaker, events }
}

impl Bench {
    fn next(&self) -> SpeakerEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn online(self) -> Self {
        assert_eq!(self.next(), SpeakerEvent::Status(DeviceStatus::Starting));
        assert_eq!(self.next(), SpeakerEvent::Status(DeviceStatus::Online));
        self
    }
}

fn prompt(id: &'static str, priority: u8, seconds: u16) -> Prompt {
    let samples = vec![1000; usize::from(seconds) * 8_000 + 80];
    Prompt {
        id: PromptId(id),
        sound: Sound::Wav(mono(8_000, &samples).into()),
        priority,
        deadline: None,
    }
}

/// A program of a few lines in place of one that plays.
fn program(dir: &Path, text: &str) -> ProgramVoice {
    let script = dir.join("play.sh");
    std::fs::write(&script, text).unwrap();
    ProgramVoice::new("/bin/sh", vec![script.into(), dir.join("heard.wav").into()])
}

#[test]
fn what_was_played_can_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(FileVoice::new(dir.path(), false)).online();
    for chime in [attention(), done()] {
        let id = chime.id;
        bench.speaker.say(chime);
        assert_eq!(bench.next(), SpeakerEvent::Started(id));
        assert_eq!(bench.next(), SpeakerEvent::Finished(id));
    }
    let Sound::Wav(wav) = done().sound else { panic!("in memory") };
    assert!(std::fs::read(dir.path().join("0002-done.wav")).unwrap() == wav[..]);
    bench.speaker.volume(0);
    bench.speaker.say(prompt("quiet", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("quiet")));
    let quiet = std::fs::read(dir.path().join("0003-quiet.wav")).unwrap();
    assert!(quiet[44..].iter().all(|byte| *byte == 0));
}

#[test]
fn the_more_important_prompt_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(FileVoice::new(dir.path(), true)).online();
    bench.speaker.say(prompt("first", 1, 60));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("first")));
    bench.speaker.say(prompt("lesser", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Refused(PromptId("lesser")));
    bench.speaker.say(prompt("equal", 1, 60));
    assert_eq!(bench.next(), SpeakerEvent::Replaced(PromptId("first")));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("equal")));
    bench.speaker.stop();
    assert_eq!(bench.next(), SpeakerEvent::Stopped(PromptId("equal")));
    bench.speaker.say(prompt("after", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("after")));
    assert_eq!(bench.next(), SpeakerEvent::Finished(PromptId("after")));
}

#[test]
fn a_program_hears_the_whole_sound_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let bench = bench(program(dir.path(), "exec cat > \"$1\"\n")).online();
    // More than a pipe holds.
    let long = prompt("long", 0, 30);
    bench.speaker.say(long.clone());
    assert_eq!(bench.next(), SpeakerEvent::Started(long.id));
    assert_eq!(bench.next(), SpeakerEvent::Finished(long.id));
    let Sound::Wav(wav) = &long.sound else { panic!("in memory") };
    assert!(std::fs::read(dir.path().join("heard.wav")).unwrap() == wav[..]);
}

#[test]
fn a_program_that_hangs_is_killed_at_the_deadline_and_at_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    // `exec`, so that the process that is killed is the one that sleeps.
    let bench = bench(program(dir.path(), "exec sleep 600\n")).online();
    let hasty = Prompt { deadline: Some(Duration::from_millis(100)), ..prompt("hasty", 0, 0) };
    let id = hasty.id;
    bench.speaker.say(hasty);
    assert_eq!(bench.next(), SpeakerEvent::Started(id));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Offline));
    assert_eq!(bench.next(), SpeakerEvent::Failed { id: Some(id), error: SpeakerError::Timeout });
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Online), "tried again by itself");
    bench.speaker.say(prompt("longer", 0, 60));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("longer")));
    bench.speaker.stop();
    assert_eq!(bench.next(), SpeakerEvent::Stopped(PromptId("longer")));
    bench.speaker.say(prompt("longest", 0, 60));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("longest")));
    let begun = Instant::now();
    drop(bench);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_program_that_fails_is_a_fault_until_it_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let text = "cat > /dev/null; test -e \"$1\" || exit 3\n";
    let bench = bench(program(dir.path(), text)).online();
    bench.speaker.say(prompt("one", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("one")));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::HardwareError));
    let failed = SpeakerError::Program(Some(3));
    assert_eq!(bench.next(), SpeakerEvent::Failed { id: Some(PromptId("one")), error: failed });
    std::fs::write(dir.path().join("heard.wav"), "").unwrap();
    bench.speaker.say(prompt("two", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Started(PromptId("two")));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Online));
    assert_eq!(bench.next(), SpeakerEvent::Finished(PromptId("two")));
}

#[test]
fn a_speaker_that_is_not_there_is_found_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("played");
    let bench = bench(FileVoice::new(&folder, false));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Starting));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::NoDevice));
    let absent = SpeakerError::Absent(folder.clone());
    assert_eq!(bench.next(), SpeakerEvent::Failed { id: None, error: absent.clone() });
    bench.speaker.say(prompt("now", 0, 0));
    let now = Some(PromptId("now"));
    assert_eq!(bench.next(), SpeakerEvent::Failed { id: now, error: absent });
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Online));
    assert_eq!(bench.speaker.status(), DeviceStatus::Online);
}

#[test]
fn a_recording_that_cannot_be_played_leaves_the_speaker_in_service() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("text.wav"), "not a sound").unwrap();
    let bench = bench(FileVoice::new(dir.path(), false)).online();
    let missing = PathBuf::from("/nonexistent/a.wav");
    let table = [
        (Sound::File(missing), "speaker_recording"),
        (Sound::File(dir.path().to_path_buf()), "speaker_recording"),
        (Sound::File(dir.path().join("text.wav")), "speaker_wav"),
        (Sound::Wav(Arc::from(&b""[..])), "speaker_wav"),
    ];
    for (sound, code) in table {
        bench.speaker.say(Prompt { sound, ..prompt("bad", 0, 0) });
        match bench.next() {
            SpeakerEvent::Failed { error, .. } => assert_eq!(error.code(), code),
            other => panic!("{other:?}"),
        }
        assert_eq!(bench.speaker.status(), DeviceStatus::Online);
    }
}

#[test]
fn a_panic_of_the_voice_is_a_fault_of_the_speaker_and_passes() {
    struct Panics;
    impl Voice for Panics {
        fn ready(&mut self) -> Result<(), SpeakerError> {
            Ok(())
        }
        fn start(
            &mut self,
            _: PromptId,
            _: Vec<u8>,
            _: Duration,
        ) -> Result<Box<dyn Playing>, SpeakerError> {
            panic!("a fault that nobody has met yet")
        }
    }
    let bench = bench(Panics).online();
    bench.speaker.say(prompt("one", 0, 0));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::HardwareError));
    assert_eq!(bench.next(), SpeakerEvent::Status(DeviceStatus::Online));
}

#[test]
fn a_probe_says_why_nothing_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let heard = probe(&mut program(dir.path(), "exec cat > \"$1\"\n"), 50, PATIENCE);
    assert_eq!((heard.played, heard.fault), (true, None));
    let short = Duration::from_millis(50);
    let late = probe(&mut program(dir.path(), "exec sleep 600\n"), 50, short);
    assert_eq!((late.played, late.fault), (false, Some("speaker_timeout")));
    let mut none = ProgramVoice::new("/nonexistent/aplay", Vec::new());
    assert_eq!(probe(&mut none, 50, PATIENCE).fault, Some("speaker_absent"));
}
