use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::Language;

/// Says every sentence as samples of one level, and counts.
struct Hum {
    asked: Arc<AtomicU64>,
    samples: usize,
}

impl Engine for Hum {
    fn speak(&self, text: &str, _: Language) -> Result<Sound, VoiceError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(!text.contains("panic"), "as asked");
        Ok(Sound::new(vec![1_000; self.samples], crate::RATE))
    }
}

struct Bench {
    voice: Voice,
    events: Receiver<Event>,
    asked: Arc<AtomicU64>,
}

fn bench(player: &[&str], samples: usize) -> Bench {
    let asked = Arc::new(AtomicU64::new(0));
    let (sender, events) = channel();
    let engine = Arc::new(Hum { asked: Arc::clone(&asked), samples });
    let command: Vec<String> = player.iter().map(|&part| part.to_owned()).collect();
    let sink = Box::new(move |event| drop(sender.send(event)));
    let voice = Voice::start(engine, Box::new(Player::new(&command)), 10, true, sink).unwrap();
    Bench { voice, events, asked }
}

impl Bench {
    /// The next event; a test that waits for ever is ended by its runner.
    fn next(&self) -> Event {
        self.events.recv().unwrap()
    }

    fn say(&self, text: &str) -> Reading {
        self.voice.say(Utterance::of(Language::English, text))
    }
}

fn into(path: &Path) -> [String; 3] {
    ["sh".to_owned(), "-c".to_owned(), format!("cat >>{}", path.display())]
}

#[test]
fn a_page_is_heard_through_a_real_program_and_repeated_without_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard");
    let command = into(&path);
    let bench = bench(&command.each_ref().map(String::as_str), 1_000);
    assert!(bench.voice.available());
    let reading = bench.say("One. Two. One.");
    for sentence in 0..3 {
        assert_eq!(bench.next(), Event::Started { reading, sentence, of: 3 });
    }
    assert_eq!(bench.next(), Event::Finished(reading));
    let heard = std::fs::read(&path).unwrap();
    let loud = heard.as_chunks::<2>().0.iter().filter(|two| i16::from_le_bytes(**two) == 1_000);
    assert_eq!(loud.count(), 3_000);
    // Each text is made once, whoever asks again.
    bench.voice.repeat();
    while bench.next() != Event::Finished(reading) {}
    assert_eq!(bench.asked.load(Ordering::Relaxed), 2);
    bench.voice.forget();
    bench.voice.repeat();
    while bench.next() != Event::Finished(reading) {}
    assert!(bench.asked.load(Ordering::Relaxed) > 2);
}

#[test]
fn a_stop_ends_what_would_sound_for_long() {
    let bench = bench(&["sh", "-c", "cat >/dev/null"], crate::RATE as usize * 60);
    let reading = bench.say("Long.");
    assert_eq!(bench.next(), Event::Started { reading, sentence: 0, of: 1 });
    bench.voice.pause();
    assert_eq!(bench.next(), Event::Paused(reading));
    bench.voice.resume();
    assert_eq!(bench.next(), Event::Resumed(reading));
    bench.voice.stop();
    assert_eq!(bench.next(), Event::Stopped(reading));
    let next = bench.say("Next.");
    assert!(next > reading);
    assert_eq!(bench.next(), Event::Started { reading: next, sentence: 0, of: 1 });
    // Dropping it ends the player, too; a test that hangs here is ended by its runner.
    drop(bench.voice);
}

#[test]
fn players_that_are_missing_or_die_or_block_are_told_with_a_cure() {
    for (player, code) in [
        (&["/no/such/player"][..], "voice.player_absent"),
        (&["false"][..], "voice.player_ended"),
        (&["sleep", "1000"][..], "voice.player_blocked"),
    ] {
        let bench = bench(player, 100_000);
        let reading = bench.say("Text.");
        let failed = loop {
            match bench.next() {
                Event::Started { .. } => {}
                Event::Failed { reading: of, error, again } => {
                    assert_eq!((of, again), (Some(reading), false));
                    break error;
                }
                other => panic!("{player:?}: {other:?}"),
            }
        };
        assert_eq!(failed.code(), code);
        assert!(!failed.cure().is_empty());
    }
}

#[test]
fn an_engine_that_panics_is_a_sentence_that_is_not_heard() {
    let bench = bench(&["sh", "-c", "cat >/dev/null"], 100);
    let reading = bench.say("panic");
    let error = VoiceError::EngineIo("it panicked".to_owned());
    assert_eq!(bench.next(), Event::Failed { reading: Some(reading), error, again: false });
    let reading = bench.say("well");
    while bench.next() != Event::Finished(reading) {}
}

#[test]
fn a_flood_of_orders_is_answered_and_ends_in_the_last() {
    let bench = bench(&["sh", "-c", "cat >/dev/null"], 10);
    for _ in 0..5_000 {
        bench.voice.tone(Tone::Key);
        bench.say("Text.");
    }
    let last = bench.say("Last.");
    while bench.next() != Event::Finished(last) {}
}

#[test]
fn a_silent_voice_takes_every_order() {
    let voice = Voice::silent();
    assert!(!voice.available());
    assert_ne!(voice.say(Utterance::new()), voice.say(Utterance::new()));
    voice.pause();
    voice.resume();
    voice.repeat();
    voice.tone(Tone::Error);
    voice.volume(3);
    voice.forget();
    voice.stop();
    assert_eq!(voice.state(), State::Idle);
}

#[test]
fn a_set_up_that_cannot_be_is_refused_before_anything_starts() {
    let refused = |config: &SpeechConfig| {
        Voice::from_config(config, Box::new(|_| {})).map(|_| ()).unwrap_err().code()
    };
    let volume = SpeechConfig { volume: 11, ..SpeechConfig::default() };
    assert_eq!(refused(&volume), "voice.setting");
    let recordings =
        SpeechConfig { recordings: Some("/no/where".into()), ..SpeechConfig::default() };
    assert_eq!(refused(&recordings), "voice.index");
    let none = SpeechConfig { engine: EngineKind::None, ..SpeechConfig::default() };
    assert!(!Voice::from_config(&none, Box::new(|_| {})).unwrap().available());
}
