//! Why: keys of the writing panel go to an [`ime::Writer`], and what it offers goes onto the panel.
//! The only place where both meet.
//!
//! Refuses: to keep a composition when the field, the page or the person changes.

use ime::rare::Stroke as Shape;
use ime::{Key, Purpose, Reading, Way, Writer};
use slint::{ComponentHandle, SharedString};

use super::glyphs::text;
use super::{Screen, Shared, ink};
use crate::generated::{Api, AppWindow, View, WritingData, WritingWay};
use crate::intent::Intent;
use crate::view_model::{Keyboard, ManualStep, Stroke};
use std::rc::Rc;

impl From<Keyboard> for Purpose {
    fn from(keyboard: Keyboard) -> Self {
        match keyboard {
            Keyboard::Name => Self::Name,
            Keyboard::Place => Self::Place,
            Keyboard::Text | Keyboard::Digits | Keyboard::IdentityNumber => Self::Any,
        }
    }
}

impl From<ManualStep> for Purpose {
    fn from(step: ManualStep) -> Self {
        match step {
            ManualStep::Name => Self::Name,
            ManualStep::Number | ManualStep::Unlock => Self::Any,
        }
    }
}

impl From<Way> for WritingWay {
    fn from(way: Way) -> Self {
        match way {
            Way::Pinyin => Self::Pinyin,
            Way::Strokes => Self::Strokes,
            Way::Radical => Self::Radical,
            Way::Handwriting => Self::Handwriting,
            Way::CodePoint => Self::CodePoint,
            Way::Latin => Self::Latin,
        }
    }
}

impl From<WritingWay> for Way {
    fn from(way: WritingWay) -> Self {
        match way {
            WritingWay::Pinyin => Self::Pinyin,
            WritingWay::Strokes => Self::Strokes,
            WritingWay::Radical => Self::Radical,
            WritingWay::Handwriting => Self::Handwriting,
            WritingWay::CodePoint => Self::CodePoint,
            WritingWay::Latin => Self::Latin,
        }
    }
}

/// Keys are written in capitals; a sound and a stroke are small letters.
fn letter(key: &str, way: Way) -> Option<char> {
    let one = key.chars().next()?;
    Some(if way == Way::Latin { one } else { one.to_ascii_lowercase() })
}

/// Puts on the panel what the writer offers.
pub(super) fn show(window: &AppWindow, shared: &Shared) {
    let writer = shared.writer.borrow();
    let (before, after) = writer.more();
    let view = window.global::<View>();
    let composing = writer.shown();
    // The entry itself holds the character, whether a font has it or not; here its number is read.
    let entry = window.global::<Api>().get_entry();
    let drawn = text(&entry);
    let unshowable = if drawn == entry { SharedString::new() } else { drawn };
    view.set_writing(WritingData {
        composing: if composing.is_empty() { unshowable } else { composing.into() },
        way: writer.way().into(),
        before,
        after,
        can_strokes: writer.can(Way::Strokes),
        can_join: writer.can_join(),
        can_handwrite: writer.can(Way::Handwriting),
        can_radical: writer.can(Way::Radical),
        inked: !writer.ink().is_empty(),
    });
    let mut pad = shared.pad.borrow_mut();
    let strokes: Vec<Stroke> = writer.ink().strokes().map(<[_]>::to_vec).collect();
    pad.settle(&strokes);
    view.set_writing_ink(pad.commands(ink::CHARACTER).into());
    let candidates: Vec<SharedString> = writer.page().iter().map(|one| text(&one.text)).collect();
    if let Some(rows) = shared.rows.get() {
        rows.set_candidates(&candidates);
    }
}

/// Connects the keys.
pub(super) fn connect(window: &AppWindow, shared: &Rc<Shared>, send: Rc<dyn Fn(Intent)>) {
    let api = window.global::<Api>();
    let act = {
        let (weak, shared) = (window.as_weak(), Rc::clone(shared));
        let act: Act = Rc::new(move |act| {
            let Some(window) = weak.upgrade() else { return };
            let api = window.global::<Api>();
            let entry = api.get_entry();
            let changed = act(&mut shared.writer.borrow_mut(), &entry);
            if let Some(entry) = changed.filter(|changed| entry != *changed) {
                api.set_entry(entry.as_str().into());
                shared.typed.borrow_mut().sent(entry.clone());
                send(Intent::Edited(entry));
            }
            show(&window, &shared);
        });
        act
    };
    api.on_key({
        let act = Rc::clone(&act);
        move |key| {
            act(&|writer, entry| writer.press(Key::Letter(letter(&key, writer.way())?), entry));
        }
    });
    api.on_stroke_shape(|key| {
        let stroke = letter(&key, Way::Strokes).and_then(Shape::of);
        stroke.map(|stroke| stroke.shape().to_string()).unwrap_or_default().into()
    });
    api.on_erase({
        let act = Rc::clone(&act);
        move || act(&|writer, entry| writer.press(Key::Backspace, entry))
    });
    api.on_choose({
        let act = Rc::clone(&act);
        move |number| {
            let number = usize::try_from(number).unwrap_or(usize::MAX);
            act(&|writer, entry| writer.press(Key::Choose(number), entry));
        }
    });
    api.on_turn({
        let act = Rc::clone(&act);
        move |on| {
            let key = if on { Key::NextPage } else { Key::PreviousPage };
            act(&|writer, entry| writer.press(key, entry));
        }
    });
    api.on_go({
        let act = Rc::clone(&act);
        move |way| {
            act(&|writer, _| {
                writer.go(way.into());
                None
            });
        }
    });
    api.on_join({
        let act = Rc::clone(&act);
        move || {
            act(&|writer, entry| {
                writer.join(entry);
                None
            });
        }
    });
    api.on_ink_cleared({
        let act = Rc::clone(&act);
        move || {
            act(&|writer, _| {
                writer.clear_ink();
                None
            });
        }
    });
    connect_pad(window, shared, act);
}

/// Changes what is written, and shows it.
type Act = Rc<dyn Fn(&dyn Fn(&mut Writer, &str) -> Option<String>)>;

/// The pad for one character: the ink follows the finger, and is read when the finger is lifted.
fn connect_pad(window: &AppWindow, shared: &Rc<Shared>, act: Act) {
    let api = window.global::<Api>();
    let draw = {
        let (weak, shared) = (window.as_weak(), Rc::clone(shared));
        move || {
            if let Some(window) = weak.upgrade() {
                let commands = shared.pad.borrow().commands(ink::CHARACTER);
                window.global::<View>().set_writing_ink(commands.into());
            }
        }
    };
    api.on_ink_began({
        let (draw, shared) = (draw.clone(), Rc::clone(shared));
        move |x, y| {
            shared.pad.borrow_mut().begin((x, y));
            draw();
        }
    });
    api.on_ink_moved({
        let shared = Rc::clone(shared);
        move |x, y| {
            shared.pad.borrow_mut().go((x, y));
            draw();
        }
    });
    api.on_ink_ended({
        let (weak, shared, act) = (window.as_weak(), Rc::clone(shared), Rc::clone(&act));
        move || {
            let Some(points) = shared.pad.borrow_mut().end() else { return };
            act(&|writer, _| {
                writer.stroke(&points);
                if let Some(reading) = writer.reading() {
                    read(reading, weak.clone());
                }
                None
            });
        }
    });
    api.on_recognised(move |generation, found| {
        // Both were made by `read` below.
        let Ok(generation) = generation.parse() else { return };
        act(&|writer, _| {
            writer.recognised(generation, found.chars().collect());
            None
        });
    });
}

/// Reads ink beside the panel's thread, which would stand still meanwhile.
fn read(reading: Reading, panel: slint::Weak<AppWindow>) {
    let beside = std::thread::Builder::new().name("handwriting".into());
    // Without a thread there are no candidates until the next stroke.
    let _ = beside.spawn(move || {
        let found: String = reading.read().into_iter().collect();
        let generation = reading.generation().to_string();
        // A panel that has closed wants no answer.
        let _ = panel.upgrade_in_event_loop(move |window| {
            window.global::<Api>().invoke_recognised(generation.into(), found.into());
        });
    });
}

impl Screen {
    /// Writes with other engines and tables from now on.
    pub fn set_writer(&self, writer: Writer) {
        self.shared.writer.replace(writer);
        show(&self.window, &self.shared);
    }
}
