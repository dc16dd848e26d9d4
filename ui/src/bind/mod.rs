//! Why: puts a [`ViewModel`] on the panel and turns touches into [`Intent`]s.
//!
//! Refuses: replacing what has not changed. A model that is swapped while a finger rests on one of
//! its rows loses the press, and the receipt page changes every second; so rows are compared one by
//! one and values are set only when they differ.

mod actions;
mod echo;
mod flat;
mod glyphs;
mod ink;
mod picture;
mod rows;
mod words;
mod writing;

use crate::generated::{Api, AppWindow, View};
use crate::intent::{Button, Intent};
use crate::view_model::{Language, ViewModel};
use echo::Echo;
use flat::{Entry, Flat};
use ink::Ink;
use rows::Rows;
use slint::{ComponentHandle, PlatformError, SharedString};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

pub use picture::qr_image;

/// The panel: one window and what was last shown on it.
pub struct Screen {
    window: AppWindow,
    shared: Rc<Shared>,
    shown: RefCell<Option<Flat>>,
}

/// What callbacks and [`Screen::show`] both touch.
#[derive(Default)]
struct Shared {
    ink: RefCell<Ink>,
    pad: RefCell<Ink>,
    typed: RefCell<Echo<String>>,
    dated: RefCell<Echo<(i32, i32, i32)>>,
    writer: RefCell<ime::Writer>,
    rows: OnceCell<Rows>,
}

impl Screen {
    /// Opens the window with nothing on it. `on_intent` is called on the event loop's thread for
    /// everything a person does.
    pub fn new(on_intent: impl Fn(Intent) + 'static) -> Result<Self, PlatformError> {
        let window = AppWindow::new()?;
        let shared = Rc::new(Shared::default());
        let _ = shared.rows.set(Rows::attach(&window));
        connect(&window, &shared, Rc::new(on_intent));
        let screen = Self { window, shared, shown: RefCell::new(None) };
        screen.apply(flat::blank());
        Ok(screen)
    }

    /// Shows `view`, touching only what differs from what is shown.
    pub fn show(&self, view: &ViewModel) {
        self.apply(flat::flatten(view));
    }

    /// Draws for a panel of so many dots a millimetre. Pages are laid out in quarters of a millimetre.
    pub fn set_density(&self, dots_per_millimetre: f32) {
        let scale = dots_per_millimetre / 4.0;
        // Two in a hundred are seen by nobody, but letters off the grid of dots are.
        let scale_factor = if (scale - 1.0).abs() < 0.02 { 1.0 } else { scale };
        self.window()
            .dispatch_event(slint::platform::WindowEvent::ScaleFactorChanged { scale_factor });
    }

    /// Characters of which `has` says that no font has them are shown as their number.
    pub fn set_glyphs(&self, has: impl Fn(char) -> bool + 'static) {
        glyphs::ask(Rc::new(has));
    }

    /// Shows one camera frame, `3 * width * height` bytes of RGB. Returns false, and keeps the
    /// frame before, when the sizes do not agree.
    pub fn set_preview(&self, width: u32, height: u32, rgb: &[u8]) -> bool {
        let Some(image) = picture::rgb_image(width, height, rgb) else { return false };
        let view = self.window.global::<View>();
        view.set_preview(image);
        view.set_has_preview(true);
        true
    }

    /// Takes the camera's picture off the panel.
    pub fn clear_preview(&self) {
        let view = self.window.global::<View>();
        view.set_has_preview(false);
        view.set_preview(slint::Image::default());
    }

    /// The window, for size, snapshots and events.
    pub fn window(&self) -> &slint::Window {
        self.window.window()
    }

    /// The component, for tests that look elements up.
    pub fn component(&self) -> &AppWindow {
        &self.window
    }

    /// Shows the window and runs the event loop until the window closes or the loop is told to end.
    pub fn run(&self) -> Result<(), PlatformError> {
        self.window.run()
    }

    /// Empties the panel: every string, list and picture, the entry, the ink and the settings.
    pub fn wipe(&self) {
        self.shared.ink.borrow_mut().clear();
        self.shared.pad.borrow_mut().clear();
        self.shared.typed.borrow_mut().clear();
        self.shared.dated.borrow_mut().clear();
        self.shared.writer.borrow_mut().serve(ime::Purpose::Any);
        // Forget what was shown, so that everything is set again rather than compared.
        self.shown.replace(None);
        self.apply(flat::blank());
        self.window.global::<Api>().set_entry(SharedString::default());
        self.clear_preview();
    }

    fn apply(&self, next: Flat) {
        let last = self.shown.take();
        if last.as_ref().map(|flat| flat.language) != Some(next.language) {
            select_language(next.language);
        }
        self.apply_entry(&next, last.as_ref());
        self.apply_date(&next, last.as_ref());
        self.apply_ink(&next, last.as_ref());
        self.apply_pictures(&next, last.as_ref());
        next.set_scalars(&self.window.global::<View>(), last.as_ref());
        if let Some(rows) = self.shared.rows.get() {
            rows.update(&next);
        }
        self.apply_writing(&next, last.as_ref());
        self.shown.replace(Some(next));
    }

    fn apply_entry(&self, next: &Flat, last: Option<&Flat>) {
        let api = self.window.global::<Api>();
        let mut typed = self.shared.typed.borrow_mut();
        let moved = last.is_none_or(|last| last.place != next.place);
        if moved {
            typed.clear();
        }
        let wanted = match &next.entry {
            Entry::Absent if moved => Some(String::new()),
            Entry::Absent => None,
            Entry::Shown(text) => typed.settle(text).then(|| text.clone()),
            Entry::Hidden { empty } => {
                let emptied = *empty && last.is_none_or(|last| last.entry != next.entry);
                (moved || emptied).then(String::new)
            }
        };
        if let Some(text) = wanted
            && api.get_entry() != text
        {
            api.set_entry(text.into());
        }
    }

    /// Another field begins with nothing composed.
    fn apply_writing(&self, next: &Flat, last: Option<&Flat>) {
        let kept = |last: &Flat| last.place == next.place && last.purpose == next.purpose;
        if !last.is_some_and(kept) {
            self.shared.writer.borrow_mut().serve(next.purpose);
            writing::show(&self.window, &self.shared);
        }
    }

    fn apply_date(&self, next: &Flat, last: Option<&Flat>) {
        let api = self.window.global::<Api>();
        let mut dated = self.shared.dated.borrow_mut();
        if last.is_none_or(|last| last.place != next.place) {
            dated.clear();
        }
        if dated.settle(&next.date) {
            let (year, month, day) = next.date;
            api.set_year(year);
            api.set_month(month);
            api.set_day(day);
        }
    }

    fn apply_ink(&self, next: &Flat, last: Option<&Flat>) {
        if last.is_some_and(|last| last.strokes == next.strokes && last.place == next.place) {
            return;
        }
        let mut ink = self.shared.ink.borrow_mut();
        if last.is_none_or(|last| last.place != next.place) {
            ink.clear();
        }
        ink.settle(&next.strokes);
        self.window.global::<View>().set_ink(ink.commands(ink::SIGNATURE).into());
    }

    fn apply_pictures(&self, next: &Flat, last: Option<&Flat>) {
        let view = self.window.global::<View>();
        if last.is_none_or(|last| last.still != next.still) {
            let still = next.still.as_ref();
            view.set_still(still.and_then(picture::still_image).unwrap_or_default());
        }
        if last.is_none_or(|last| last.qr != next.qr) {
            let qr = qr_image(&next.qr);
            view.set_has_qr(qr.is_some());
            view.set_qr(qr.unwrap_or_default());
        }
    }
}

/// "" is the sources, which are Chinese.
fn select_language(language: Language) {
    let code = match language {
        Language::Chinese => "",
        Language::English => "en",
    };
    // Both are bundled by build.rs; were one missing, the sources' language stays on the panel.
    let _ = slint::select_bundled_translation(code);
}

fn connect(window: &AppWindow, shared: &Rc<Shared>, send: Rc<dyn Fn(Intent)>) {
    let api = window.global::<Api>();
    api.on_button_id(|kind| Button::from(kind).id().into());
    api.on_without_last(|text| {
        let mut characters = text.chars();
        characters.next_back();
        characters.as_str().into()
    });

    macro_rules! forward {
        ($setter:ident, |$($name:ident),*| $intent:expr) => {{
            let send = Rc::clone(&send);
            api.$setter(move |$($name),*| send($intent));
        }};
    }
    api.on_touched({
        let send = Rc::clone(&send);
        move || send(Intent::Touched)
    });
    forward!(on_pressed, |kind| Intent::Pressed(kind.into()));
    forward!(on_chosen, |id| Intent::Chosen(id.into()));
    forward!(on_toggled, |id| Intent::Toggled(id.into()));
    forward!(on_suggested, |id| Intent::Suggested(id.into()));
    forward!(on_region_back, |level| Intent::RegionBack(usize::try_from(level).unwrap_or(0)));
    forward!(on_edit_line, |id| Intent::EditLine(id.into()));
    forward!(on_answer_correction, |id| Intent::AnswerCorrection(id.into()));
    forward!(on_set_english, |on| Intent::Language(if on {
        Language::English
    } else {
        Language::Chinese
    }));
    forward!(on_set_text_size, |size| Intent::TextSize(
        u8::try_from(size.clamp(0, 3)).unwrap_or(0)
    ));
    forward!(on_set_high_contrast, |on| Intent::HighContrast(on));
    forward!(on_set_low_position, |on| Intent::LowPosition(on));
    forward!(on_set_volume, |volume| Intent::Volume(u8::try_from(volume.clamp(1, 5)).unwrap_or(1)));

    api.on_edited({
        let (send, shared) = (Rc::clone(&send), Rc::clone(shared));
        move |text| {
            shared.typed.borrow_mut().sent(text.to_string());
            send(Intent::Edited(text.into()));
        }
    });
    api.on_date_edited({
        let (send, shared) = (Rc::clone(&send), Rc::clone(shared));
        move |year, month, day| {
            shared.dated.borrow_mut().sent((year, month, day));
            send(Intent::DateEdited { year, month, day });
        }
    });
    writing::connect(window, shared, Rc::clone(&send));
    connect_ink(window, shared, send);
}

fn connect_ink(window: &AppWindow, shared: &Rc<Shared>, send: Rc<dyn Fn(Intent)>) {
    let api = window.global::<Api>();
    let redraw = {
        let (weak, shared) = (window.as_weak(), Rc::clone(shared));
        Rc::new(move || {
            if let Some(window) = weak.upgrade() {
                window
                    .global::<View>()
                    .set_ink(shared.ink.borrow().commands(ink::SIGNATURE).into());
            }
        })
    };
    api.on_stroke_began({
        let (redraw, shared) = (Rc::clone(&redraw), Rc::clone(shared));
        move |x, y| {
            shared.ink.borrow_mut().begin((x, y));
            redraw();
        }
    });
    api.on_stroke_moved({
        let (redraw, shared) = (redraw, Rc::clone(shared));
        move |x, y| {
            shared.ink.borrow_mut().go((x, y));
            redraw();
        }
    });
    let shared = Rc::clone(shared);
    api.on_stroke_ended(move || {
        let finished = shared.ink.borrow_mut().end();
        if let Some(stroke) = finished {
            send(Intent::Stroke(stroke));
        }
    });
}
