//! Why: one headless panel with real pixels, and one specimen of everything that can be shown, for
//! the tests and the gallery alike. The testing backend is not a stable interface of Slint, so it is
//! touched in this file only.
//!
//! Refuses: persons. Every name and number is a specimen.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]
#![allow(dead_code, reason = "the gallery and each test use their own part")]

pub mod golden;
pub mod measure;
pub mod specimens;

use i_slint_backend_testing::{ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{LogicalPosition, PhysicalSize};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use ui::Screen;
use ui::intent::Intent;

/// A panel without a display, and what was done to it.
pub struct Stage {
    pub screen: Screen,
    intents: Rc<RefCell<Vec<Intent>>>,
}

impl Stage {
    /// One a thread: Slint keeps its platform there.
    pub fn new(width: u32, height: u32) -> Self {
        let backend = TestingBackend::new(TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        });
        slint::platform::set_platform(Box::new(backend)).expect("one platform a thread");
        let intents = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&intents);
        let screen = Screen::new(move |intent| log.borrow_mut().push(intent)).expect("a window");
        let stage = Self { screen, intents };
        stage.resize(width, height);
        stage
    }

    pub fn resize(&self, width: u32, height: u32) {
        self.screen.window().set_size(PhysicalSize::new(width, height));
        self.settle();
    }

    /// Lets change handlers, timers and new rows come to rest.
    pub fn settle(&self) {
        for _ in 0..3 {
            i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(20));
        }
    }

    pub fn show(&self, view: &ui::view_model::ViewModel) {
        self.screen.show(view);
        self.settle();
    }

    pub fn picture(&self) -> image::RgbaImage {
        let shot = self.screen.window().take_snapshot().expect("a snapshot");
        image::RgbaImage::from_raw(shot.width(), shot.height(), shot.as_bytes().to_vec())
            .expect("a whole picture")
    }

    pub fn find(&self, id: &str) -> Option<ElementHandle> {
        let id = id.to_owned();
        self.query()
            .match_predicate(move |it| it.accessible_id().as_deref() == Some(&*id))
            .find_first()
    }

    pub fn query(&self) -> ElementQuery {
        ElementQuery::from_root(self.screen.component())
    }

    /// Presses and lifts a finger in the middle of the element with this id. What a list hides is
    /// not found at all, so the list is turned to it with the visible buttons, as a visitor would.
    pub fn tap(&self, id: &str) {
        let element = self.bring(id).unwrap_or_else(|| panic!("{id} never comes into sight"));
        self.tap_at(centre(&element));
    }

    /// Turns the list until the element can be touched.
    pub fn bring(&self, id: &str) -> Option<ElementHandle> {
        for turn in ["list-down", "list-up"] {
            for _ in 0..40 {
                let bar = self.find(turn);
                let edge = bar.as_ref().map_or(f32::MAX, |bar| bar.absolute_position().y - 8.0);
                let below = bar.as_ref().map_or(0.0, |bar| edge + bar.size().height + 8.0);
                // Only what belongs to a list has a colon in its id, or keys below it; the rest stands
                // outside.
                let in_sight = |element: &ElementHandle| {
                    let y = centre(element).y;
                    !id.contains(':') || y < edge || y > below
                };
                if let Some(element) = self.find(id).filter(in_sight) {
                    return Some(element);
                }
                match bar.filter(|bar| bar.accessible_enabled() == Some(true)) {
                    Some(bar) => self.tap_at(centre(&bar)),
                    None => break,
                }
            }
        }
        None
    }

    /// Every id that can be brought into sight with the buttons a visitor has, from the top of the
    /// list to its end; `None` when the list cannot be turned to its end.
    pub fn reachable(&self) -> Option<HashSet<String>> {
        self.turn_all("list-up", |_| {})?;
        let mut met = HashSet::new();
        self.turn_all("list-down", |stage| {
            let ids = stage.query().find_all().into_iter().filter_map(|it| it.accessible_id());
            met.extend(ids.map(String::from).filter(|id| !id.is_empty()));
        })?;
        Some(met)
    }

    /// Looks at the page from the top of its list to the end, a screenful at a time.
    pub fn every_screenful(&self, mut look: impl FnMut(&Self)) {
        // What lies under an overlay cannot be turned.
        let covered = self.screen.elements().iter().any(|one| one.id.starts_with("overlay:"));
        if covered {
            return look(self);
        }
        self.turn_all("list-up", |_| {}).expect("the top of the list");
        self.turn_all("list-down", look).expect("the end of the list");
    }

    /// Looks, and turns the list with `button`, until that is closed.
    fn turn_all(&self, button: &str, mut look: impl FnMut(&Self)) -> Option<()> {
        for _ in 0..240 {
            look(self);
            match self.find(button).filter(|bar| bar.accessible_enabled() == Some(true)) {
                Some(bar) => self.tap_at(centre(&bar)),
                None => return Some(()),
            }
        }
        None
    }

    pub fn tap_at(&self, position: LogicalPosition) {
        self.press(position);
        i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(150));
        self.lift(position);
    }

    pub fn press(&self, position: LogicalPosition) {
        let window = self.screen.window();
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed {
            position,
            button: PointerEventButton::Left,
        });
    }

    pub fn drag(&self, position: LogicalPosition) {
        self.screen.window().dispatch_event(WindowEvent::PointerMoved { position });
    }

    pub fn lift(&self, position: LogicalPosition) {
        let window = self.screen.window();
        window.dispatch_event(WindowEvent::PointerReleased {
            position,
            button: PointerEventButton::Left,
        });
        window.dispatch_event(WindowEvent::PointerExited);
        self.settle();
    }

    /// Types a text as keys of an attached keyboard or an input method would.
    pub fn keys(&self, text: &str) {
        let window = self.screen.window();
        window.dispatch_event(WindowEvent::KeyPressed { text: text.into() });
        window.dispatch_event(WindowEvent::KeyReleased { text: text.into() });
        self.settle();
    }

    /// What was done since the last call.
    pub fn intents(&self) -> Vec<Intent> {
        self.intents.take()
    }
}

pub fn centre(element: &ElementHandle) -> LogicalPosition {
    let (at, size) = (element.absolute_position(), element.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}
