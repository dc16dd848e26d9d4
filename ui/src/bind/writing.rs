//! Why: keys of the writing panel go to an [`ime::Writer`], and what it offers goes onto the panel.
//! The only place where both meet.
//!
//! Refuses: to keep a composition when the field, the page or the person changes.

use ime::rare::Stroke;
use ime::{Key, Purpose, Way, Writer};
use slint::{ComponentHandle, SharedString};

use super::glyphs::text;
use super::{Screen, Shared};
use crate::generated::{Api, AppWindow, View, WritingData, WritingWay};
use crate::intent::Intent;
use crate::view_model::{Keyboard, ManualStep};
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
    });
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
        Rc::new(move |act: &dyn Fn(&mut Writer, &str) -> Option<String>| {
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
        })
    };
    api.on_key({
        let act = Rc::clone(&act);
        move |key| {
            act(&|writer, entry| writer.press(Key::Letter(letter(&key, writer.way())?), entry));
        }
    });
    api.on_stroke_shape(|key| {
        let stroke = letter(&key, Way::Strokes).and_then(Stroke::of);
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
    api.on_join(move || {
        act(&|writer, entry| {
            writer.join(entry);
            None
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
