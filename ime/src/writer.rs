//! Why: the panel has one row of candidates and several ways to fill it. Which way is in use, what
//! is being composed in it, and how parts become one character, is kept here.
//!
//! Refuses: to mix ways: going over to another drops what was not chosen.

use std::sync::{Arc, OnceLock};

use zeroize::Zeroize as _;

use crate::drawing::{Drawing, MakeRecogniser, Reading};
use crate::radicals::Radicals;
use crate::ways::{CodePoint, Strokes};
use crate::{Candidate, Composer, Engine, Ink, Key, Pinyin, Point, Purpose, Step, rare::Rare};

/// Characters joined into one, at the most; with more nobody describes a character.
const MOST_PARTS: usize = 4;

/// How characters are reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Way {
    /// By sound.
    #[default]
    Pinyin,
    /// By strokes in the order of writing.
    Strokes,
    /// By radical and further strokes: digits, and candidates that are radicals first.
    Radical,
    /// Drawn with the finger.
    Handwriting,
    /// By code point.
    CodePoint,
    /// Letters and digits are written as they are.
    Latin,
}

/// Makes the engine of sounds, when it is first needed.
pub type MakePinyin = Box<dyn Fn() -> Box<dyn Engine>>;

/// Tables of rare characters: which there are is known at once, they are read when first needed.
pub struct Tables {
    /// Characters can be found by strokes.
    pub strokes: bool,
    /// Parts can be joined.
    pub parts: bool,
    /// Characters can be found by radical.
    pub radicals: bool,
    /// Reads them.
    pub load: Box<dyn Fn() -> Rare>,
}

impl Tables {
    /// None at all.
    pub fn none() -> Self {
        Self { strokes: false, parts: false, radicals: false, load: Box::new(Rare::default) }
    }
}

/// Where ink is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reads {
    /// By the writer itself, before it goes on.
    #[default]
    Here,
    /// By whoever takes it with [`Writer::reading`] after each change and brings the answer to
    /// [`Writer::recognised`].
    Elsewhere,
}

/// What the keys write with. No `Debug`: it may hold somebody's name.
pub struct Writer {
    pinyin: OnceLock<Box<dyn Engine>>,
    make_pinyin: MakePinyin,
    tables: Tables,
    rare: OnceLock<Arc<Rare>>,
    strokes: OnceLock<Strokes>,
    radicals: OnceLock<Radicals>,
    drawing: Drawing,
    reads: Reads,
    way: Way,
    composer: Composer,
    joined: Vec<Candidate>,
    parts: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new(Box::new(|| Box::new(Pinyin::new())), Tables::none())
    }
}

impl Writer {
    /// With an engine of sounds and tables for the rest, both made when they are first needed.
    pub fn new(make_pinyin: MakePinyin, tables: Tables) -> Self {
        Self {
            pinyin: OnceLock::new(),
            make_pinyin,
            tables,
            rare: OnceLock::new(),
            strokes: OnceLock::new(),
            radicals: OnceLock::new(),
            drawing: Drawing::default(),
            reads: Reads::default(),
            way: Way::default(),
            composer: Composer::default(),
            joined: Vec::new(),
            parts: 0,
        }
    }

    /// With a reader of handwriting, made when ink is first read.
    pub fn with_recogniser(mut self, make: MakeRecogniser, reads: Reads) -> Self {
        self.drawing = Drawing::new(make);
        self.reads = reads;
        self
    }

    /// The way in use.
    pub fn way(&self) -> Way {
        self.way
    }

    /// True for ways whose tables are there, or whose reader has not failed to be made.
    pub fn can(&self, way: Way) -> bool {
        match way {
            Way::Strokes => self.tables.strokes,
            Way::Radical => self.tables.radicals,
            Way::Handwriting => self.drawing.can_read(),
            Way::Pinyin | Way::CodePoint | Way::Latin => true,
        }
    }

    /// True when parts can be joined.
    pub fn can_join(&self) -> bool {
        self.tables.parts
    }

    /// Goes over to another way.
    pub fn go(&mut self, way: Way) {
        self.stop();
        self.way = way;
    }

    /// Another field: nothing of the last is left.
    pub fn serve(&mut self, purpose: Purpose) {
        self.stop();
        self.composer.serve(purpose);
        self.way = Way::default();
    }

    fn stop(&mut self) {
        self.composer.clear();
        self.drawing.clear();
        self.stop_joining();
    }

    fn stop_joining(&mut self) {
        self.joined.iter_mut().for_each(|one| one.text.zeroize());
        self.joined.clear();
        self.parts = 0;
    }

    /// What is being composed, as it is shown.
    pub fn shown(&self) -> String {
        if !self.composer.is_composing() {
            return String::new();
        }
        self.engine().map_or_else(String::new, |engine| engine.shown(self.composer.typed()))
    }

    /// Candidates of this page.
    pub fn page(&self) -> &[Candidate] {
        if self.parts > 0 {
            &self.joined
        } else if self.way == Way::Handwriting {
            self.drawing.page()
        } else {
            self.composer.page()
        }
    }

    /// True when there are candidates before, and after, these.
    pub fn more(&self) -> (bool, bool) {
        if self.parts > 0 {
            return (false, false);
        }
        if self.way == Way::Handwriting {
            return self.drawing.more();
        }
        let (page, pages) = self.composer.pages();
        (page > 0, page + 1 < pages)
    }

    fn rare(&self) -> &Arc<Rare> {
        self.rare.get_or_init(|| Arc::new((self.tables.load)()))
    }

    fn engine(&self) -> Option<&dyn Engine> {
        match self.way {
            Way::Pinyin => Some(self.pinyin.get_or_init(|| (self.make_pinyin)()).as_ref()),
            Way::Strokes => Some(self.strokes.get_or_init(|| Strokes(self.rare().clone()))),
            Way::Radical => Some(self.radicals.get_or_init(|| Radicals(self.rare().clone()))),
            Way::CodePoint => Some(&CodePoint),
            Way::Handwriting | Way::Latin => None,
        }
    }

    /// A key; answers what the entry becomes, when it becomes anything else.
    pub fn press(&mut self, key: Key, entry: &str) -> Option<String> {
        if self.parts > 0 {
            return self.choose_joined(key, entry);
        }
        if self.way == Way::Handwriting {
            return self.press_beside_ink(key, entry);
        }
        if self.way == Way::Latin {
            return match key {
                Key::Letter(letter) => Some(format!("{entry}{letter}")),
                Key::Backspace => Some(without_last(entry)),
                _ => None,
            };
        }
        let mut composer = std::mem::take(&mut self.composer);
        let step = self.engine().map(|engine| composer.press(key, engine));
        self.composer = composer;
        match (step, key) {
            (Some(Step::Committed), _) => Some(format!("{entry}{}", self.composer.committed())),
            (Some(Step::Ignored), Key::Backspace) => Some(without_last(entry)),
            // Digits and the like stand for themselves between characters.
            (Some(Step::Ignored), Key::Letter(other))
                if !self.composer.is_composing() && !crate::spells(other) =>
            {
                Some(format!("{entry}{other}"))
            }
            _ => None,
        }
    }

    fn press_beside_ink(&mut self, key: Key, entry: &str) -> Option<String> {
        match key {
            Key::Choose(number) => {
                let mut chosen = self.drawing.choose(number)?;
                let entry = format!("{entry}{}", chosen.text);
                chosen.text.zeroize();
                return Some(entry);
            }
            Key::Backspace if self.unstroke() => {}
            Key::Backspace => return Some(without_last(entry)),
            Key::NextPage => self.drawing.next_page(),
            Key::PreviousPage => self.drawing.previous_page(),
            Key::Clear => self.drawing.clear(),
            // Digits and the like stand for themselves between characters.
            Key::Letter(other) if self.drawing.ink().is_empty() && !crate::spells(other) => {
                return Some(format!("{entry}{other}"));
            }
            Key::Letter(_) => {}
        }
        None
    }

    /// A stroke of the finger, in the way of handwriting; in other ways it is nothing. Candidates of
    /// the ink before it stay until it is read.
    pub fn stroke(&mut self, points: &[Point]) {
        if self.way == Way::Handwriting {
            self.stop_joining();
            self.drawing.add(points);
            self.read_here();
        }
    }

    /// Takes the last stroke back; false when there is none.
    pub fn unstroke(&mut self) -> bool {
        let taken = self.drawing.take_back();
        self.read_here();
        taken
    }

    /// Overwrites what is drawn, and its candidates.
    pub fn clear_ink(&mut self) {
        self.drawing.clear();
    }

    /// What is drawn, for showing it.
    pub fn ink(&self) -> &Ink {
        self.drawing.ink()
    }

    fn read_here(&mut self) {
        if self.reads == Reads::Here
            && let Some(reading) = self.reading()
        {
            self.recognised(reading.generation(), reading.read());
        }
    }

    /// Ink that is to be read elsewhere, once after each change. [`Reading::read`] may take long; a
    /// lost answer only means that there are no candidates until the ink changes.
    pub fn reading(&mut self) -> Option<Reading> {
        self.drawing.reading()
    }

    /// What came of a reading. One that is not of the present ink is dropped: false.
    pub fn recognised(&mut self, generation: u64, found: Vec<char>) -> bool {
        self.drawing.recognised(generation, found)
    }

    /// The last characters of the entry as parts of one: 吉吉 is offered 喆. As many parts as give
    /// anything.
    pub fn join(&mut self, entry: &str) {
        self.stop();
        let characters: Vec<char> = entry.chars().collect();
        for count in (2..=MOST_PARTS.min(characters.len())).rev() {
            let parts = &characters[characters.len() - count..];
            let found = self.rare().by_parts(parts, crate::PAGE);
            if !found.is_empty() {
                let used = parts.iter().map(|part| part.len_utf8()).sum();
                let candidate = |one: char| Candidate { text: one.into(), used };
                self.joined = found.into_iter().map(candidate).collect();
                self.parts = count;
                return;
            }
        }
    }

    fn choose_joined(&mut self, key: Key, entry: &str) -> Option<String> {
        let chosen = match key {
            Key::Choose(number) => self.joined.get(number).cloned(),
            _ => None,
        };
        self.stop();
        match (chosen, key) {
            (Some(one), _) => {
                let kept = entry.len().checked_sub(one.used)?;
                Some(format!("{}{}", entry.get(..kept)?, one.text))
            }
            (None, Key::Letter(_)) => self.press(key, entry),
            _ => None,
        }
    }
}

fn without_last(entry: &str) -> String {
    let mut characters = entry.chars();
    characters.next_back();
    characters.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        let load = || {
            let mut rare = Rare::default();
            rare.read_strokes("王\thhsh\n玉\thhshn\n").unwrap();
            rare.read_parts("喆\t吉 吉\n").unwrap();
            rare.read_radicals("江\t85\t3\n池\t85\t3\n").unwrap();
            rare
        };
        let tables = Tables { strokes: true, parts: true, radicals: true, load: Box::new(load) };
        Writer::new(Box::new(|| Box::new(Pinyin::new())), tables)
    }

    fn write(writer: &mut Writer, letters: &str) -> String {
        let mut entry = String::new();
        for letter in letters.chars() {
            entry = writer.press(Key::Letter(letter), &entry).unwrap_or(entry);
        }
        entry
    }

    #[test]
    fn a_name_is_written_by_sound() {
        let mut writer = writer();
        writer.serve(Purpose::Name);
        assert_eq!(write(&mut writer, "wangjianguo"), "");
        assert_eq!(writer.shown(), "wangjianguo");
        assert_eq!(writer.press(Key::Choose(0), "").as_deref(), Some("王建国"));
        assert_eq!((writer.shown().as_str(), writer.page().len()), ("", 0));
        // With nothing composed the key takes characters away.
        assert_eq!(writer.press(Key::Backspace, "王建国").as_deref(), Some("王建"));
    }

    #[test]
    fn digits_stand_for_themselves_in_an_address() {
        let mut writer = writer();
        writer.serve(Purpose::Place);
        assert_eq!(write(&mut writer, "12"), "12");
        assert_eq!(write(&mut writer, "lu1"), "", "not in the middle of a composition");
    }

    #[test]
    fn strokes_numbers_and_letters_have_their_own_way() {
        let mut writer = writer();
        writer.go(Way::Strokes);
        write(&mut writer, "hhsh");
        assert_eq!(writer.shown(), "一一丨一");
        assert_eq!(writer.press(Key::Choose(1), "金").as_deref(), Some("金玉"));
        writer.go(Way::CodePoint);
        write(&mut writer, "20bb7");
        assert_eq!(writer.press(Key::Choose(0), "").as_deref(), Some("𠮷"));
        writer.go(Way::Latin);
        assert_eq!(write(&mut writer, "A1 b"), "A1 b");
        assert_eq!(writer.press(Key::Backspace, "A1").as_deref(), Some("A"));
        assert!(!Writer::default().can(Way::Strokes) && writer.can(Way::Strokes));
    }

    #[test]
    fn a_radical_leads_to_its_characters() {
        let mut writer = writer();
        writer.go(Way::Radical);
        assert_eq!(write(&mut writer, "3"), "", "a count is no text");
        assert_eq!((writer.shown().as_str(), writer.page()[0].text.as_str()), ("3画", "氵"));
        assert_eq!(writer.press(Key::Choose(0), "王"), None, "nor is a radical");
        write(&mut writer, "3");
        assert_eq!(writer.shown(), "氵＋3画");
        assert_eq!(writer.press(Key::Choose(1), "王").as_deref(), Some("王池"));
        assert!(writer.shown().is_empty() && writer.page().is_empty());
        assert_eq!(writer.press(Key::Backspace, "王池").as_deref(), Some("王"));
        assert!(writer.can(Way::Radical) && !Writer::default().can(Way::Radical));
    }

    #[test]
    fn parts_become_one_character() {
        let mut writer = writer();
        writer.join("王吉吉");
        assert_eq!(writer.page()[0].text, "喆");
        assert_eq!(writer.press(Key::Choose(0), "王吉吉").as_deref(), Some("王喆"));
        assert!(writer.page().is_empty());
        // What cannot be joined is left as it is; another key goes its own way.
        writer.join("王");
        assert!(writer.page().is_empty());
        writer.join("吉吉");
        assert_eq!(writer.press(Key::Letter('w'), "吉吉"), None);
        assert_eq!(writer.shown(), "w");
    }

    #[test]
    fn another_way_or_field_drops_what_was_not_chosen() {
        let mut writer = writer();
        write(&mut writer, "wang");
        writer.go(Way::Strokes);
        assert!(writer.shown().is_empty() && writer.page().is_empty());
        write(&mut writer, "hh");
        writer.serve(Purpose::Name);
        assert!(writer.shown().is_empty() && writer.way() == Way::Pinyin);
    }
}
