//! Why: between commands and samples there is one state: what is read, how far it is heard, whether it
//! waits. It is decided here, with the time and the output handed in, so that a test can live through
//! an hour in a moment.
//!
//! Samples are written only a little ahead of time. A pause and a stop end the output itself, so what
//! it holds is not heard; after a pause the reading goes on where it was heard, not where it was
//! written.
//!
//! Refuses: to keep a text that was stopped, and to let one reading end another's: events name theirs.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::text::Sentence;
use crate::{Output, RATE, Sound, Tone, VoiceError};

/// Samples of one write: 40 ms.
const CHUNK: usize = RATE as usize / 25;
/// What is written before its time. Above a player's buffer of 120 ms, or it would stutter.
const AHEAD: u64 = RATE as u64 * 16 / 100;
/// What a player holds back: what is written is heard so much later.
const LATENCY: u64 = RATE as u64 * 12 / 100;
/// Silence after a sentence. Longer than `AHEAD` and `LATENCY` together, so that whoever pauses in it
/// has heard the sentence.
const GAP: usize = RATE as usize * 3 / 10;
/// An output that takes nothing for so long is blocked.
const BLOCKED: Duration = Duration::from_secs(2);
/// What it may take beyond the time of the sound to come to its end.
const DRAIN: Duration = Duration::from_secs(3);
/// Time between two looks at an output that comes to its end.
const LOOK: Duration = Duration::from_millis(20);

/// One request to read; its events carry it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reading(pub u64);

/// A sentence that is to become sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// Of which reading.
    pub reading: Reading,
    /// Which sentence, from 0.
    pub sentence: usize,
}

/// What is wanted. No `Debug`: it may hold a text.
pub enum Command {
    /// Read this, in place of what is read.
    Say(Reading, Vec<Sentence>),
    /// Silent, and wait.
    Pause,
    /// Go on.
    Resume,
    /// From the first sentence, also after the end.
    Repeat,
    /// Silent, and drop the text.
    Stop,
    /// A tone, beside what is read.
    Tone(Tone),
    /// Loudness, 0 to 10.
    Volume(u8),
}

/// What is going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Nothing is read.
    #[default]
    Idle,
    /// A sentence is read.
    Speaking {
        /// Which, from 0.
        sentence: usize,
        /// Of how many.
        of: usize,
    },
    /// Waits in a sentence.
    Paused {
        /// Which, from 0.
        sentence: usize,
        /// Of how many.
        of: usize,
    },
}

/// What has happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A sentence begins.
    Started {
        /// Of which reading.
        reading: Reading,
        /// Which, from 0.
        sentence: usize,
        /// Of how many.
        of: usize,
    },
    /// It waits.
    Paused(Reading),
    /// It goes on.
    Resumed(Reading),
    /// All of it was heard.
    Finished(Reading),
    /// It was stopped or replaced.
    Stopped(Reading),
    /// It is not heard, or not to its end.
    Failed {
        /// What was read; `None` for a tone.
        reading: Option<Reading>,
        /// Why, with a cure.
        error: VoiceError,
        /// The same fault as before, with nothing heard in between: no need to tell anybody again.
        again: bool,
    },
}

enum Slot {
    Unasked,
    Asked,
    Ready(Sound),
    Failed(VoiceError),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Speaking,
    Paused,
    /// Ended or failed; kept to be repeated.
    Over,
}

struct Text {
    reading: Reading,
    sentences: Vec<Sentence>,
    slots: Vec<Slot>,
    phase: Phase,
    sentence: usize,
    sample: usize,
    announced: bool,
}

impl Text {
    fn new(reading: Reading, sentences: Vec<Sentence>) -> Self {
        let slots = sentences.iter().map(|_| Slot::Unasked).collect();
        let phase = Phase::Speaking;
        Self { reading, sentences, slots, phase, sentence: 0, sample: 0, announced: false }
    }

    fn speaking(&self) -> bool {
        self.phase == Phase::Speaking
    }

    fn at_end(&self) -> bool {
        self.sentence >= self.sentences.len()
    }

    fn rewind(&mut self) {
        (self.sentence, self.sample, self.announced) = (0, 0, false);
        for slot in &mut self.slots {
            if matches!(slot, Slot::Failed(_)) {
                *slot = Slot::Unasked;
            }
        }
    }

    /// So many samples were written.
    fn advance(&mut self, samples: usize) {
        let Some(slot) = self.slots.get_mut(self.sentence) else { return };
        let Slot::Ready(sound) = slot else { return };
        self.sample += samples;
        if self.sample >= sound.samples().len() + GAP {
            *slot = Slot::Unasked;
            (self.sentence, self.sample, self.announced) = (self.sentence + 1, 0, false);
        }
    }
}

/// An output that was begun.
struct Stream {
    begun: Duration,
    written: u64,
    /// When the output last took something.
    taken: Duration,
    finished: Option<Duration>,
    /// Speech is in it, not tones alone.
    speech: bool,
}

impl Stream {
    fn due(&self, now: Duration) -> u64 {
        let micros = now.saturating_sub(self.begun).as_micros();
        u64::try_from(micros.saturating_mul(u128::from(RATE)) / 1_000_000).unwrap_or(u64::MAX)
    }

    fn unheard(&self, now: Duration) -> usize {
        let heard = self.due(now).saturating_sub(LATENCY).min(self.written);
        usize::try_from(self.written - heard).unwrap_or(usize::MAX)
    }
}

/// Time that so many samples take.
fn length(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000_000) / u64::from(RATE))
}

enum Next {
    Samples(Vec<i16>),
    /// The sentence is not sound yet.
    Awaited,
    Unheard(VoiceError),
    Nothing,
}

/// The state.
pub struct Reader {
    gain: i32,
    tones: bool,
    text: Option<Text>,
    /// A tone and how many samples were written since it began, also beyond its end.
    tone: Option<(Sound, usize)>,
    stream: Option<Stream>,
    events: VecDeque<Event>,
    told: BTreeSet<&'static str>,
}

impl Reader {
    /// At a loudness of 0 to 10, with or without tones.
    pub fn new(volume: u8, tones: bool) -> Self {
        Self {
            gain: gain(volume),
            tones,
            text: None,
            tone: None,
            stream: None,
            events: VecDeque::new(),
            told: BTreeSet::new(),
        }
    }

    /// What is going on.
    pub fn state(&self) -> State {
        let Some(text) = &self.text else { return State::Idle };
        let of = text.sentences.len();
        let sentence = text.sentence.min(of.saturating_sub(1));
        match text.phase {
            Phase::Speaking => State::Speaking { sentence, of },
            Phase::Paused => State::Paused { sentence, of },
            Phase::Over => State::Idle,
        }
    }

    /// The oldest event that was not taken yet.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What is read or can be repeated.
    pub fn reading(&self) -> Option<Reading> {
        self.text.as_ref().map(|text| text.reading)
    }

    /// Carries out a command.
    pub fn command(&mut self, now: Duration, command: Command, output: &mut dyn Output) {
        match command {
            Command::Say(reading, sentences) => {
                self.drop_text(now, output);
                self.text = Some(Text::new(reading, sentences));
            }
            Command::Stop => self.drop_text(now, output),
            Command::Pause => {
                if let Some(text) = self.text.as_mut().filter(|text| text.speaking()) {
                    text.phase = Phase::Paused;
                    self.events.push_back(Event::Paused(text.reading));
                    self.silence(now, output);
                }
            }
            Command::Resume => {
                if let Some(text) = self.text.as_mut().filter(|text| text.phase == Phase::Paused) {
                    text.phase = Phase::Speaking;
                    self.events.push_back(Event::Resumed(text.reading));
                }
            }
            Command::Repeat => {
                if self.text.as_ref().is_some_and(Text::speaking) {
                    self.silence(now, output);
                }
                if let Some(text) = &mut self.text {
                    text.rewind();
                    text.phase = Phase::Speaking;
                }
            }
            Command::Tone(tone) if self.tones => {
                let alone = self.stream.as_ref().is_some_and(|stream| !stream.speech);
                if alone && self.stream.as_ref().is_some_and(|stream| stream.finished.is_some()) {
                    // The end of the last tone; a key that is touched now must be heard now.
                    output.stop();
                    self.stream = None;
                }
                self.tone = Some((tone.sound(), 0));
            }
            Command::Tone(_) => {}
            Command::Volume(volume) => self.gain = gain(volume),
        }
    }

    fn drop_text(&mut self, now: Duration, output: &mut dyn Output) {
        let Some(text) = self.text.take() else { return };
        if text.phase != Phase::Over {
            self.events.push_back(Event::Stopped(text.reading));
        }
        if text.speaking() {
            self.silence(now, output);
        }
    }

    /// Ends the output; what was written and not heard is still to come.
    fn silence(&mut self, now: Duration, output: &mut dyn Output) {
        let Some(stream) = self.stream.take() else { return };
        output.stop();
        let unheard = stream.unheard(now);
        if let Some(text) = &mut self.text {
            text.sample = text.sample.saturating_sub(unheard);
        }
        if let Some((_, place)) = &mut self.tone {
            *place = place.saturating_sub(unheard);
        }
    }

    /// The next sentence that is to become sound, once: the one that is read and the one after it.
    pub fn wanted(&mut self) -> Option<(Job, &Sentence)> {
        let text = self.text.as_mut().filter(|text| text.phase != Phase::Over)?;
        let from = text.sentence.min(text.slots.len());
        let to = (from + 2).min(text.slots.len());
        let ahead = text.slots[from..to].iter().position(|slot| matches!(slot, Slot::Unasked))?;
        let sentence = from + ahead;
        text.slots[sentence] = Slot::Asked;
        Some((Job { reading: text.reading, sentence }, &text.sentences[sentence]))
    }

    /// A sentence has become sound, or not. What nobody waits for any more is dropped.
    pub fn sound(&mut self, job: Job, sound: Result<Sound, VoiceError>) {
        let text = self.text.as_mut().filter(|text| text.reading == job.reading);
        let Some(slot) = text.and_then(|text| text.slots.get_mut(job.sentence)) else { return };
        *slot = match sound {
            Ok(sound) => {
                self.told.retain(|code| code.starts_with("voice.player"));
                Slot::Ready(sound.resampled())
            }
            // The others are worth hearing without it.
            Err(VoiceError::Nothing) => Slot::Ready(Sound::new(Vec::new(), RATE)),
            Err(error) => Slot::Failed(error),
        };
    }

    /// Does what is due, and says when to come again; `None` is when something happens.
    pub fn tick(&mut self, now: Duration, output: &mut dyn Output) -> Option<Duration> {
        loop {
            if let Some(finished) = self.stream.as_ref().and_then(|stream| stream.finished) {
                match output.ended() {
                    Ok(true) => self.heard(),
                    Ok(false) if now.saturating_sub(finished) < DRAIN => return Some(LOOK),
                    Ok(false) => self.fail(VoiceError::PlayerBlocked, output),
                    Err(error) => self.fail(error, output),
                }
                continue;
            }
            match self.next() {
                Next::Samples(samples) => match self.write(now, &samples, output) {
                    Ok(None) => {}
                    Ok(wait) => return wait,
                    Err(error) => self.fail(error, output),
                },
                Next::Awaited => return None,
                Next::Unheard(error) => self.fail(error, output),
                Next::Nothing => match &mut self.stream {
                    Some(stream) => {
                        // Its time begins when what was written is over.
                        let end = stream.begun + length(stream.written);
                        stream.finished = Some(now.max(end));
                        if let Err(error) = output.finish() {
                            self.fail(error, output);
                        }
                    }
                    None => {
                        self.over();
                        return None;
                    }
                },
            }
        }
    }

    /// The output has come to its end.
    fn heard(&mut self) {
        self.stream = None;
        self.told.retain(|code| !code.starts_with("voice.player"));
        if self.tone.as_ref().is_some_and(|(sound, place)| *place >= sound.samples().len()) {
            self.tone = None;
        }
        self.over();
    }

    /// A text of which nothing is left has ended.
    fn over(&mut self) {
        if let Some(text) = self.text.as_mut().filter(|text| text.speaking() && text.at_end()) {
            text.phase = Phase::Over;
            text.rewind();
            self.events.push_back(Event::Finished(text.reading));
        }
    }

    fn fail(&mut self, error: VoiceError, output: &mut dyn Output) {
        output.stop();
        (self.stream, self.tone) = (None, None);
        let again = !self.told.insert(error.code());
        let text = self.text.as_mut().filter(|text| text.speaking());
        let reading = text.map(|text| {
            text.phase = Phase::Over;
            text.rewind();
            text.reading
        });
        // Of a tone that is not heard nobody needs to know at each key.
        if reading.is_some() || !again {
            self.events.push_back(Event::Failed { reading, error, again });
        }
    }

    fn next(&self) -> Next {
        let tone = self.tone.as_ref().and_then(|(sound, place)| sound.samples().get(*place..));
        let tone = tone.filter(|samples| !samples.is_empty());
        let tone_alone = |tone: &[i16]| self.mixed(&[], tone, tone.len().min(CHUNK));
        let Some(text) = self.text.as_ref().filter(|text| text.speaking() && !text.at_end()) else {
            return tone.map_or(Next::Nothing, tone_alone);
        };
        match &text.slots[text.sentence] {
            Slot::Ready(sound) => {
                let left = (sound.samples().len() + GAP).saturating_sub(text.sample);
                let speech = sound.samples().get(text.sample..).unwrap_or_default();
                self.mixed(speech, tone.unwrap_or_default(), left.min(CHUNK))
            }
            Slot::Failed(error) => Next::Unheard(error.clone()),
            Slot::Unasked | Slot::Asked => tone.map_or(Next::Awaited, tone_alone),
        }
    }

    /// Speech steps back while a tone sounds.
    fn mixed(&self, speech: &[i16], tone: &[i16], count: usize) -> Next {
        let sample = |of: &[i16], at: usize| of.get(at).map_or(0, |sample| i32::from(*sample));
        let one = |at: usize| {
            let speech = if at < tone.len() { sample(speech, at) / 2 } else { sample(speech, at) };
            let sum = (speech + sample(tone, at)) * self.gain / FULL;
            i16::try_from(sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX))).unwrap_or(0)
        };
        Next::Samples((0..count).map(one).collect())
    }

    /// Writes what is due, or says how long it is not.
    fn write(
        &mut self,
        now: Duration,
        samples: &[i16],
        output: &mut dyn Output,
    ) -> Result<Option<Duration>, VoiceError> {
        if self.stream.is_none() {
            output.begin(RATE)?;
            self.stream =
                Some(Stream { begun: now, written: 0, taken: now, finished: None, speech: false });
        }
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let due = stream.due(now);
        if due > stream.written {
            // It waited for a sentence, or the machine was busy: time begins anew from here.
            stream.begun = now.saturating_sub(length(stream.written));
        } else if stream.written - due >= AHEAD {
            stream.taken = now;
            let chunk = CHUNK as u64;
            return Ok(Some(length(stream.written - due - AHEAD + chunk)));
        }
        let written = output.write(samples)?.min(samples.len());
        if written == 0 {
            if now.saturating_sub(stream.taken) >= BLOCKED {
                return Err(VoiceError::PlayerBlocked);
            }
            return Ok(Some(LOOK));
        }
        stream.taken = now;
        stream.written += written as u64;
        if let Some((_, place)) = &mut self.tone {
            *place += written;
        }
        if let Some(text) = self.text.as_mut().filter(|text| text.speaking() && !text.at_end())
            && matches!(text.slots[text.sentence], Slot::Ready(_))
        {
            stream.speech = true;
            if !text.announced {
                text.announced = true;
                self.events.push_back(Event::Started {
                    reading: text.reading,
                    sentence: text.sentence,
                    of: text.sentences.len(),
                });
            }
            text.advance(written);
        }
        Ok(None)
    }
}

/// Loudness that leaves samples as they are.
const FULL: i32 = 1 << 12;

/// Each step is three decibels, because ears count in ratios; 0 is silence.
fn gain(volume: u8) -> i32 {
    const STEPS: [i32; 11] = [0, 183, 258, 365, 516, 728, 1_029, 1_453, 2_053, 2_900, FULL];
    STEPS[usize::from(volume.min(10))]
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
