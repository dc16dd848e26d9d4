//! Why: a real screen without a display: rendered by the product's own software renderer, touched
//! at the place where an element really is, seen as a picture. The one place that knows Slint's
//! testing backend, whose interface may change with every release.
//!
//! Refuses: shortcuts. There is no way here to press what is not visible on the panel.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail, ensure};
use i_slint_backend_testing::{ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{LogicalPosition, PhysicalSize};
use ui::Screen;

/// Panel of the terminal: portrait, 1080 × 1920.
pub const PANEL: (u32, u32) = (1080, 1920);
/// More turns than the longest list needs.
const MOST_TURNS: usize = 60;

/// A panel without a display. One for each process.
pub struct Stage {
    screen: Rc<Screen>,
    taps: Cell<usize>,
    typed: Cell<Typed>,
}

/// What was typed so far, on the panel or on a keyboard. Numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Characters of any kind.
    pub characters: usize,
    /// Chinese ones among them.
    pub chinese: usize,
}

/// Installs the headless platform. Call once, before the first screen.
pub fn install() -> anyhow::Result<()> {
    let options = TestingBackendOptions {
        mock_time: false,
        threading: true,
        renderer_name: Some("software".into()),
    };
    slint::platform::set_platform(Box::new(TestingBackend::new(options)))
        .map_err(|_| anyhow::anyhow!("a screen platform is installed already"))
}

impl Stage {
    /// Shows `screen` on the panel.
    pub fn new(screen: Rc<Screen>) -> anyhow::Result<Self> {
        screen.window().set_size(PhysicalSize::new(PANEL.0, PANEL.1));
        screen.window().show().context("the headless window cannot be shown")?;
        Ok(Self { screen, taps: Cell::new(0), typed: Cell::default() })
    }

    /// Taps so far.
    pub fn taps(&self) -> usize {
        self.taps.get()
    }

    /// What was typed so far.
    pub fn typed(&self) -> Typed {
        self.typed.get()
    }

    fn type_one(&self, chinese: bool) {
        let mut typed = self.typed.get();
        typed.characters += 1;
        typed.chinese += usize::from(chinese);
        self.typed.set(typed);
    }

    /// The panel as a PNG.
    pub fn picture(&self, to: &Path) -> anyhow::Result<()> {
        slint::platform::update_timers_and_animations();
        let pixels = self.screen.window().take_snapshot().context("the panel cannot be drawn")?;
        image::save_buffer(
            to,
            pixels.as_bytes(),
            pixels.width(),
            pixels.height(),
            image::ColorType::Rgba8,
        )
        .with_context(|| format!("cannot write {}", to.display()))
    }

    /// The element with this accessible id.
    pub fn find(&self, id: &str) -> Option<ElementHandle> {
        let wanted = id.to_owned();
        ElementQuery::from_root(self.screen.component())
            .match_descendants()
            .match_predicate(move |element| {
                element.accessible_id().is_some_and(|id| id.as_str() == wanted)
            })
            .find_first()
    }

    /// True when it is on the panel and can be pressed.
    pub fn is_open(&self, id: &str) -> bool {
        self.find(id).is_some_and(|element| element.accessible_enabled() != Some(false))
    }

    /// Every id on the page, for the message when one is missing. Ids carry no personal data.
    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = ElementQuery::from_root(self.screen.component())
            .match_descendants()
            .find_all()
            .iter()
            .filter_map(|element| element.accessible_id())
            .map(|id| id.to_string())
            .filter(|id| !id.is_empty())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Taps an element as a finger does: at its centre, having turned the list until it shows.
    pub fn tap(&self, id: &str) -> anyhow::Result<()> {
        let element = self.reach(id)?;
        if id.starts_with("key:") {
            self.type_one(false);
        }
        self.press(centre(&element));
        Ok(())
    }

    fn press(&self, position: LogicalPosition) {
        let window = self.screen.window();
        let button = PointerEventButton::Left;
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        slint::platform::update_timers_and_animations();
        self.taps.set(self.taps.get() + 1);
    }

    /// Brings an element onto the panel: turns the list down to its end, then up to its beginning,
    /// as somebody does who looks for a line.
    fn reach(&self, id: &str) -> anyhow::Result<ElementHandle> {
        for turn in ["list-down", "list-up"] {
            for _ in 0..MOST_TURNS {
                if let Some(element) = self.find(id)
                    && self.on_panel(&element)
                {
                    ensure!(
                        element.accessible_enabled() != Some(false),
                        "“{id}” is there but not enabled"
                    );
                    return Ok(element);
                }
                let Some(button) = self.find(turn) else { break };
                if button.accessible_enabled() == Some(false) {
                    break;
                }
                self.press(centre(&button));
            }
        }
        bail!("there is no “{id}” on this page; there are {}", self.ids().join(" "))
    }

    /// Its centre can be touched: not beyond the panel, not behind the buttons that turn a list.
    fn on_panel(&self, element: &ElementHandle) -> bool {
        let at = centre(element);
        let inside = at.y > 0.0 && at.y < PANEL.1 as f32 && at.x > 0.0 && at.x < PANEL.0 as f32;
        let Some(list) = self.list_around(element) else { return inside };
        inside && at.y > list.0 && at.y < list.1
    }

    /// Upper and lower edge of the list that an element stands in.
    fn list_around(&self, element: &ElementHandle) -> Option<(f32, f32)> {
        let id = element.accessible_id()?;
        ElementQuery::from_root(self.screen.component())
            .match_descendants()
            .match_inherits("Flickable")
            .find_all()
            .iter()
            .find(|list| {
                let id = id.clone();
                list.query_descendants()
                    .match_predicate(move |inside| inside.accessible_id().as_ref() == Some(&id))
                    .find_first()
                    .is_some()
            })
            .map(|list| {
                let top = list.absolute_position().y;
                (top, top + list.size().height)
            })
    }

    /// Types text with an attached keyboard into the field that has the focus.
    pub fn type_text(&self, text: &str) {
        for character in text.chars() {
            self.type_one(character >= '\u{2e80}');
            let text = slint::SharedString::from(character);
            self.screen.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
            self.screen.window().dispatch_event(WindowEvent::KeyReleased { text });
        }
        slint::platform::update_timers_and_animations();
    }

    /// Draws strokes on an element; points in its unit square.
    pub fn draw(&self, id: &str, strokes: &[Vec<(f32, f32)>]) -> anyhow::Result<()> {
        let element = self.reach(id)?;
        let (origin, size) = (element.absolute_position(), element.size());
        let at = |(x, y): (f32, f32)| {
            LogicalPosition::new(origin.x + x * size.width, origin.y + y * size.height)
        };
        let window = self.screen.window();
        let button = PointerEventButton::Left;
        for stroke in strokes {
            let (Some(first), Some(last)) = (stroke.first(), stroke.last()) else { continue };
            window.dispatch_event(WindowEvent::PointerPressed { position: at(*first), button });
            for point in stroke {
                window.dispatch_event(WindowEvent::PointerMoved { position: at(*point) });
            }
            window.dispatch_event(WindowEvent::PointerReleased { position: at(*last), button });
        }
        slint::platform::update_timers_and_animations();
        Ok(())
    }
}

fn centre(element: &ElementHandle) -> LogicalPosition {
    let (origin, size) = (element.absolute_position(), element.size());
    LogicalPosition::new(origin.x + size.width / 2.0, origin.y + size.height / 2.0)
}
