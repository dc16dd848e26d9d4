use proptest::prelude::*;

use super::*;
use crate::Language;
use crate::text::sentences;

/// Takes samples in pieces and remembers what was asked of it.
#[derive(Default)]
struct Ear {
    heard: Vec<i16>,
    open: bool,
    finished: bool,
    begun: usize,
    /// Takes at most so many at a time; 0 is nothing.
    most: Option<usize>,
    fault: Option<VoiceError>,
    never_ends: bool,
}

impl Output for Ear {
    fn begin(&mut self, rate: u32) -> Result<(), VoiceError> {
        assert_eq!(rate, RATE);
        (self.open, self.finished) = (true, false);
        self.begun += 1;
        self.fault.clone().map_or(Ok(()), Err)
    }

    fn write(&mut self, samples: &[i16]) -> Result<usize, VoiceError> {
        assert!(self.open && !self.finished && !samples.is_empty());
        let taken = samples.len().min(self.most.unwrap_or(usize::MAX));
        self.heard.extend_from_slice(&samples[..taken]);
        Ok(taken)
    }

    fn finish(&mut self) -> Result<(), VoiceError> {
        assert!(self.open);
        self.finished = true;
        Ok(())
    }

    fn ended(&mut self) -> Result<bool, VoiceError> {
        assert!(self.finished);
        self.open = self.never_ends;
        Ok(!self.never_ends)
    }

    fn stop(&mut self) {
        self.open = false;
    }
}

/// A reader with its clock, its ear and an engine that makes samples of one level for each sentence.
struct Bench {
    reader: Reader,
    ear: Ear,
    now: Duration,
    events: Vec<Event>,
    last: u64,
    wait: Option<Duration>,
    jobs: Vec<Job>,
}

const LENGTH: usize = 5_000;

/// The level says which sentence of which reading it is.
fn level(job: Job) -> i16 {
    i16::try_from(1_000 + job.reading.0 * 10 + job.sentence as u64).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self {
            reader: Reader::new(10, true),
            ear: Ear::default(),
            now: Duration::from_secs(1),
            events: Vec::new(),
            last: 0,
            wait: None,
            jobs: Vec::new(),
        }
    }

    fn order(&mut self, command: Command) {
        self.reader.command(self.now, command, &mut self.ear);
    }

    fn say(&mut self, count: usize) -> Reading {
        self.last += 1;
        let text = sentences(&"话。".repeat(count), Language::Chinese);
        assert_eq!(text.len(), count);
        self.order(Command::Say(Reading(self.last), text));
        Reading(self.last)
    }

    fn engine(&mut self) {
        while let Some((job, sentence)) = self.reader.wanted() {
            assert_eq!(sentence.text(), "话。");
            self.jobs.push(job);
        }
        for job in std::mem::take(&mut self.jobs) {
            self.reader.sound(job, Ok(Sound::new(vec![level(job); LENGTH], RATE)));
        }
    }

    fn step(&mut self, by: Duration) {
        self.now += by;
        self.engine();
        self.wait = self.reader.tick(self.now, &mut self.ear);
        while let Some(event) = self.reader.event() {
            self.events.push(event);
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(Duration::from_millis(20));
        }
    }

    fn of(&self, reading: Reading, sentence: usize) -> usize {
        let level = level(Job { reading, sentence });
        self.ear.heard.iter().filter(|sample| **sample == level).count()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_text_is_heard_whole_once_and_in_order() {
    let mut bench = Bench::new();
    let reading = bench.say(3);
    assert_eq!(bench.reader.state(), State::Speaking { sentence: 0, of: 3 });
    bench.run(4 * SECOND);
    assert_eq!([0, 1, 2].map(|sentence| bench.of(reading, sentence)), [LENGTH; 3]);
    let spoken: Vec<i16> = bench.ear.heard.iter().copied().filter(|sample| *sample != 0).collect();
    assert!(spoken.is_sorted());
    assert_eq!(bench.ear.heard.len(), 3 * (LENGTH + GAP));
    let started = |sentence| Event::Started { reading, sentence, of: 3 };
    assert_eq!(bench.events, [started(0), started(1), started(2), Event::Finished(reading)]);
    assert_eq!((bench.reader.state(), bench.ear.begun, bench.ear.open), (State::Idle, 1, false));
    assert_eq!(bench.wait, None, "nothing more to do");
}

#[test]
fn it_is_written_only_a_little_ahead_of_time() {
    let mut bench = Bench::new();
    bench.say(9);
    bench.step(Duration::ZERO);
    let ahead = AHEAD as usize + CHUNK;
    assert!((AHEAD as usize..=ahead).contains(&bench.ear.heard.len()));
    for _ in 0..100 {
        let wait = bench.wait.unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100));
        bench.step(wait);
        let due = (bench.now - SECOND).as_micros() as usize * RATE as usize / 1_000_000;
        assert!(bench.ear.heard.len() >= due, "it would stutter");
        assert!(bench.ear.heard.len() <= due + ahead + 1);
    }
}

#[test]
fn a_machine_that_was_busy_does_not_make_it_hurry() {
    let mut bench = Bench::new();
    bench.say(9);
    bench.step(Duration::ZERO);
    let before = bench.ear.heard.len();
    bench.step(3 * SECOND);
    assert!(bench.ear.heard.len() - before <= AHEAD as usize + CHUNK);
}

#[test]
fn a_pause_is_silent_and_goes_on_where_it_was_heard() {
    let mut bench = Bench::new();
    let reading = bench.say(1);
    bench.run(Duration::from_millis(100));
    bench.order(Command::Pause);
    assert!(!bench.ear.open);
    assert_eq!(bench.reader.state(), State::Paused { sentence: 0, of: 1 });
    let written = bench.ear.heard.len();
    bench.run(2 * SECOND);
    assert_eq!(bench.ear.heard.len(), written);
    bench.order(Command::Pause);
    bench.order(Command::Resume);
    bench.order(Command::Resume);
    bench.run(2 * SECOND);
    // What the output held and nobody heard comes again.
    let again = bench.of(reading, 0) - LENGTH;
    assert!(again > 0 && again <= (AHEAD + LATENCY) as usize + CHUNK, "{again}");
    let started = Event::Started { reading, sentence: 0, of: 1 };
    let [paused, resumed] = [Event::Paused(reading), Event::Resumed(reading)];
    assert_eq!(bench.events, [started, paused, resumed, Event::Finished(reading)]);
}

#[test]
fn a_repetition_begins_with_the_first_sentence_also_after_the_end() {
    let mut bench = Bench::new();
    bench.order(Command::Repeat);
    bench.step(SECOND);
    assert!(bench.events.is_empty() && bench.ear.begun == 0, "there is nothing to repeat");
    let reading = bench.say(2);
    bench.run(4 * SECOND);
    bench.order(Command::Repeat);
    bench.run(4 * SECOND);
    assert_eq!([bench.of(reading, 0), bench.of(reading, 1)], [2 * LENGTH; 2]);
    assert_eq!(bench.events.iter().filter(|event| **event == Event::Finished(reading)).count(), 2);
    bench.order(Command::Stop);
    bench.order(Command::Repeat);
    let written = bench.ear.heard.len();
    bench.run(SECOND);
    assert_eq!(bench.ear.heard.len(), written, "a stopped text is gone");
    assert!(bench.reader.text.is_none());
}

#[test]
fn what_is_said_anew_takes_the_place_of_the_old() {
    let mut bench = Bench::new();
    let old = bench.say(3);
    bench.run(Duration::from_millis(200));
    let heard = bench.of(old, 0);
    let new = bench.say(1);
    // A sentence of the old one that comes late is nobody's.
    bench.reader.sound(Job { reading: old, sentence: 0 }, Ok(Sound::new(vec![1; 9], RATE)));
    bench.run(3 * SECOND);
    assert_eq!((bench.of(old, 0), bench.of(new, 0)), (heard, LENGTH));
    assert!(bench.events.contains(&Event::Stopped(old)));
    assert_eq!(bench.events.last(), Some(&Event::Finished(new)));
}

#[test]
fn nothing_to_say_is_finished_at_once() {
    let mut bench = Bench::new();
    let reading = bench.say(0);
    bench.step(Duration::ZERO);
    assert_eq!(bench.events, [Event::Finished(reading)]);
    assert_eq!(bench.ear.begun, 0);
}

#[test]
fn two_sentences_are_wanted_and_no_more() {
    let mut bench = Bench::new();
    bench.say(5);
    let mut wanted = Vec::new();
    while let Some((job, _)) = bench.reader.wanted() {
        wanted.push(job.sentence);
    }
    assert_eq!(wanted, [0, 1]);
    bench.step(SECOND);
    assert_eq!((bench.wait, bench.ear.begun), (None, 0), "it waits for the engine");
}

#[test]
fn a_tone_is_heard_alone_beside_speech_and_in_a_pause() {
    let key = Tone::Key.sound();
    let mut bench = Bench::new();
    bench.order(Command::Tone(Tone::Key));
    bench.run(SECOND);
    assert_eq!(bench.ear.heard, key.samples());
    assert!(!bench.ear.open && bench.events.is_empty());
    // In a pause, and the text stays where it is.
    let reading = bench.say(1);
    bench.run(Duration::from_millis(100));
    bench.order(Command::Pause);
    bench.ear.heard.clear();
    bench.order(Command::Tone(Tone::Key));
    bench.run(SECOND);
    assert_eq!(bench.ear.heard, key.samples());
    assert_eq!(bench.reader.state(), State::Paused { sentence: 0, of: 1 });
    // Beside speech, which steps back for it and goes on.
    bench.order(Command::Resume);
    bench.ear.heard.clear();
    bench.order(Command::Tone(Tone::Key));
    bench.run(2 * SECOND);
    let speech = level(Job { reading, sentence: 0 });
    let both: Vec<i16> = key.samples().iter().map(|sample| sample + speech / 2).collect();
    assert!(bench.ear.heard.starts_with(&both));
    assert_eq!(bench.events.last(), Some(&Event::Finished(reading)));
}

#[test]
fn a_tone_outlives_the_stop_that_came_with_it() {
    let mut bench = Bench::new();
    bench.say(1);
    bench.run(Duration::from_millis(100));
    bench.order(Command::Tone(Tone::Key));
    bench.step(Duration::ZERO);
    bench.order(Command::Stop);
    bench.ear.heard.clear();
    bench.run(SECOND);
    assert_eq!(bench.ear.heard, Tone::Key.sound().samples());
}

#[test]
fn keys_in_a_row_are_each_heard_at_once() {
    let mut bench = Bench::new();
    bench.ear.never_ends = true;
    for _ in 0..3 {
        bench.order(Command::Tone(Tone::Key));
        bench.step(Duration::from_millis(100));
    }
    assert_eq!(bench.ear.heard, Tone::Key.sound().samples().repeat(3));
}

#[test]
fn the_volume_holds_from_the_next_write_on() {
    let mut bench = Bench::new();
    bench.order(Command::Volume(0));
    bench.say(2);
    bench.run(Duration::from_millis(100));
    assert!(!bench.ear.heard.is_empty() && bench.ear.heard.iter().all(|sample| *sample == 0));
    bench.order(Command::Volume(7));
    bench.run(2 * SECOND);
    let loudest = bench.ear.heard.iter().max().copied().unwrap();
    assert_eq!(loudest, (1_011 * 1_453 / 4_096) as i16);
    assert!((1..=10).all(|volume| gain(volume) > gain(volume - 1)));
    assert_eq!((gain(10), gain(255)), (FULL, FULL));
}

#[test]
fn tones_can_be_left_out() {
    let mut bench = Bench::new();
    bench.reader = Reader::new(10, false);
    bench.order(Command::Tone(Tone::Error));
    bench.run(SECOND);
    assert_eq!(bench.ear.begun, 0);
}

#[test]
fn a_player_that_fails_is_told_once_and_again_after_it_was_well() {
    let mut bench = Bench::new();
    bench.ear.fault = Some(VoiceError::PlayerEnded(Some(1)));
    bench.order(Command::Tone(Tone::Key));
    bench.step(SECOND);
    bench.order(Command::Tone(Tone::Key));
    bench.step(SECOND);
    let first = bench.say(1);
    bench.run(SECOND);
    bench.ear.fault = None;
    bench.order(Command::Repeat);
    bench.run(2 * SECOND);
    bench.ear.fault = Some(VoiceError::PlayerEnded(Some(1)));
    bench.order(Command::Repeat);
    bench.run(SECOND);
    let failed = |reading, again| {
        let error = VoiceError::PlayerEnded(Some(1));
        Event::Failed { reading, error, again }
    };
    assert_eq!(
        bench.events,
        [
            failed(None, false),
            failed(Some(first), true),
            Event::Started { reading: first, sentence: 0, of: 1 },
            Event::Finished(first),
            failed(Some(first), false),
        ]
    );
    assert_eq!(bench.reader.state(), State::Idle);
}

#[test]
fn an_output_that_takes_nothing_or_never_ends_is_blocked() {
    for (most, never_ends) in [(Some(0), false), (None, true)] {
        let mut bench = Bench::new();
        (bench.ear.most, bench.ear.never_ends) = (most, never_ends);
        let reading = bench.say(1);
        bench.run(6 * SECOND);
        let error = VoiceError::PlayerBlocked;
        let failed = Event::Failed { reading: Some(reading), error, again: false };
        assert_eq!(bench.events.last(), Some(&failed));
        assert!(!bench.ear.open);
    }
}

#[test]
fn a_sentence_that_cannot_be_said_fails_when_its_turn_comes() {
    let mut bench = Bench::new();
    let reading = bench.say(2);
    for (sentence, sound) in
        [(0, Ok(Sound::new(vec![5; LENGTH], RATE))), (1, Err(VoiceError::EngineSlow))]
    {
        assert_eq!(bench.reader.wanted().unwrap().0, Job { reading, sentence });
        bench.reader.sound(Job { reading, sentence }, sound);
    }
    bench.run(2 * SECOND);
    assert_eq!(bench.ear.heard.iter().filter(|sample| **sample == 5).count(), LENGTH);
    let error = VoiceError::EngineSlow;
    let failed = Event::Failed { reading: Some(reading), error, again: false };
    assert_eq!(bench.events.last(), Some(&failed));
    // One without a word is passed over.
    let reading = bench.say(2);
    bench.reader.wanted();
    bench.reader.sound(Job { reading, sentence: 0 }, Err(VoiceError::Nothing));
    bench.run(2 * SECOND);
    assert_eq!(
        (bench.of(reading, 1), bench.events.last()),
        (LENGTH, Some(&Event::Finished(reading)))
    );
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Say(usize),
    Pause,
    Resume,
    Repeat,
    Stop,
    Wait(u16),
    Most(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (1_usize..4).prop_map(Act::Say),
        1 => Just(Act::Pause),
        2 => Just(Act::Resume),
        1 => Just(Act::Repeat),
        1 => Just(Act::Stop),
        6 => (0_u16..900).prop_map(Act::Wait),
        1 => (1_usize..2_000).prop_map(Act::Most),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_nothing_sounds_that_should_not(
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let mut bench = Bench::new();
        // The reading that may sound, and whether it waits.
        let mut lives: Option<Reading> = None;
        let mut paused = false;
        let mut first = false;
        for act in acts {
            let from = bench.ear.heard.len();
            match act {
                Act::Say(count) => {
                    lives = Some(bench.say(count));
                    (paused, first) = (false, true);
                }
                Act::Pause => {
                    bench.order(Command::Pause);
                    paused = matches!(bench.reader.state(), State::Paused { .. });
                }
                Act::Resume => {
                    bench.order(Command::Resume);
                    paused = false;
                }
                Act::Repeat => {
                    bench.order(Command::Repeat);
                    (paused, first) = (false, true);
                }
                Act::Stop => {
                    bench.order(Command::Stop);
                    lives = None;
                    prop_assert!(bench.reader.text.is_none() && bench.reader.state() == State::Idle);
                }
                Act::Wait(millis) => bench.run(Duration::from_millis(millis.into())),
                Act::Most(most) => bench.ear.most = Some(most.max(CHUNK / 8)),
            }
            let new: Vec<i16> =
                bench.ear.heard[from..].iter().copied().filter(|sample| *sample != 0).collect();
            prop_assert!(new.is_empty() || matches!(act, Act::Wait(_)), "only time writes");
            prop_assert!(!paused || new.is_empty(), "a pause is silent");
            prop_assert!(!paused || !bench.ear.open, "and its output is ended");
            for sample in &new {
                prop_assert_eq!(Some(i64::from(*sample) - 1_000).map(|level| level / 10), lives.map(|reading| reading.0 as i64));
            }
            if let (true, Some(reading), Some(sample)) = (first, lives, new.first()) {
                let job = Job { reading, sentence: 0 };
                prop_assert_eq!(*sample, level(job), "from the first sentence");
                first = false;
            }
        }
        // Every reading has one end, and the last one comes to its own.
        bench.ear.most = None;
        bench.order(Command::Resume);
        bench.run(10 * SECOND);
        prop_assert_eq!(bench.reader.state(), State::Idle);
        for reading in (1..=bench.last).map(Reading) {
            let ends = bench.events.iter().any(|event| {
                matches!(event, Event::Finished(of) | Event::Stopped(of) if *of == reading)
            });
            prop_assert!(ends, "{reading:?} has no end");
        }
    }
}
