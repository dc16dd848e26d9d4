//! Why: what stands on the panel, in the order in which it is read, with its role, name and place.
//! Reading aloud says it, and tests measure it: both see the elements that are really there, not what
//! somebody meant to put there.
//!
//! Refuses: to be kept. Elements hold what a person entered; they are looked at and dropped. The walk
//! uses Slint's inner tree, which is not a stable interface, and touches it in this file only.

use std::ops::ControlFlow;

use i_slint_core::accessibility::AccessibleStringProperty as Property;
use i_slint_core::item_tree::{ItemRc, ParentItemTraversalMode};
use i_slint_core::items::{ComplexText, Flickable, FocusScope, SimpleText, TextInput, TouchArea};
use i_slint_core::layout::Orientation;
use i_slint_core::lengths::LogicalRect;
use i_slint_core::window::WindowInner;

pub use i_slint_core::items::AccessibleRole as Role;

use crate::Screen;

/// A rectangle on the panel, in logical pixels (a quarter of a millimetre each).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Place {
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Place {
    fn of(rect: LogicalRect) -> Self {
        Self {
            x: rect.origin.x,
            y: rect.origin.y,
            width: rect.size.width,
            height: rect.size.height,
        }
    }

    /// What both share; of no size when they share nothing.
    pub fn common(self, other: Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = (self.x + self.width).min(other.x + other.width);
        let bottom = (self.y + self.height).min(other.y + other.height);
        Self { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
    }

    /// True when nothing of it can be seen.
    pub fn is_empty(self) -> bool {
        self.width <= 0.0 || self.height <= 0.0
    }
}

/// How a text is set. No `Debug`: the words may be somebody's.
#[derive(Clone, PartialEq)]
pub struct Lettering {
    /// The words.
    pub words: String,
    /// Em size in logical pixels.
    pub size: f32,
    /// Red, green, blue, opacity.
    pub colour: [u8; 4],
    /// Width that one line would need, and height that these words need at the width they have.
    pub needs: (f32, f32),
    /// What does not fit is cut off with "…" on purpose.
    pub elided: bool,
    /// Lines are broken where they end.
    pub wrapped: bool,
}

/// One element of the panel.
#[derive(Clone, PartialEq)]
pub struct Element {
    /// What it is, for those who do not see it.
    pub role: Role,
    /// Its stable id, or empty.
    pub id: String,
    /// Its name, or empty.
    pub label: String,
    /// What is said besides the name, or empty.
    pub description: String,
    /// False for what is closed now.
    pub enabled: bool,
    /// Where it is, lists not considered.
    pub place: Place,
    /// The part of it that can be seen.
    pub seen: Place,
    /// True when it takes touches.
    pub touched: bool,
    /// True when keys can be led to it.
    pub focused: bool,
    /// How it is set, if it is a text.
    pub lettering: Option<Lettering>,
    /// True when a list may hide it for now.
    pub listed: bool,
    /// Ids of what it stands in, from the outside.
    pub within: Vec<String>,
}

impl Element {
    /// True when it stands in the element of this id, or is it.
    pub fn is_in(&self, id: &str) -> bool {
        self.id == id || self.within.iter().any(|outer| outer == id)
    }
}

fn property(item: &ItemRc, what: Property) -> String {
    item.accessible_string_property(what).map(String::from).unwrap_or_default()
}

fn absolute(item: &ItemRc) -> LogicalRect {
    let geometry = item.geometry();
    LogicalRect::new(item.map_to_window(geometry.origin), geometry.size)
}

/// What of the item no ancestor hides.
fn seen(item: &ItemRc, panel: Place) -> Place {
    let mut seen = Place::of(absolute(item)).common(panel);
    let mut next = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(outer) = next {
        if outer.borrow().as_ref().clips_children() {
            seen = seen.common(Place::of(absolute(&outer)));
        }
        next = outer.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    seen
}

fn listed(item: &ItemRc) -> bool {
    let mut next = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(outer) = next {
        if outer.downcast::<Flickable>().is_some() {
            return true;
        }
        next = outer.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    false
}

fn within(item: &ItemRc) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(outer) = next {
        if outer.is_accessible() {
            let id = property(&outer, Property::Id);
            if !id.is_empty() {
                ids.push(id);
            }
        }
        next = outer.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    ids.reverse();
    ids
}

fn lettering(item: &ItemRc) -> Option<Lettering> {
    use i_slint_core::items::{TextOverflow, TextWrap};
    let adapter = item.window_adapter()?;
    let width = item.geometry().size.width;
    let needs = || {
        let info = |orientation, across| {
            item.borrow().as_ref().layout_info(orientation, across, &adapter, item).preferred
        };
        (info(Orientation::Horizontal, -1.0), info(Orientation::Vertical, width))
    };
    let channels = |brush: slint::Brush| {
        let colour = brush.color();
        [colour.red(), colour.green(), colour.blue(), colour.alpha()]
    };
    if let Some(text) = item.downcast::<SimpleText>() {
        let text = text.as_pin_ref();
        return Some(Lettering {
            words: text.text().into(),
            size: text.font_size().get(),
            colour: channels(text.color()),
            needs: needs(),
            elided: false,
            wrapped: false,
        });
    }
    if let Some(text) = item.downcast::<ComplexText>() {
        let text = text.as_pin_ref();
        return Some(Lettering {
            words: text.text().into(),
            size: text.font_size().get(),
            colour: channels(text.color()),
            needs: needs(),
            elided: text.overflow() == TextOverflow::Elide,
            wrapped: text.wrap() != TextWrap::NoWrap,
        });
    }
    let text = item.downcast::<TextInput>()?;
    let text = text.as_pin_ref();
    Some(Lettering {
        words: text.text().into(),
        size: text.font_size().get(),
        colour: channels(text.color()),
        needs: (width, item.geometry().size.height),
        // The field follows its cursor: its beginning may run out of sight.
        elided: true,
        wrapped: false,
    })
}

impl Screen {
    /// Every element of the panel that has a name, takes touches or carries words, in the order in
    /// which it is read; those that a list hides for now among them.
    pub fn elements(&self) -> Vec<Element> {
        let inner = WindowInner::from_pub(self.window());
        let root = ItemRc::new_root(inner.component());
        let size = self.window().size().to_logical(self.window().scale_factor());
        let panel = Place { x: 0.0, y: 0.0, width: size.width, height: size.height };
        let mut found = Vec::new();
        root.visit_descendants(|item| {
            let touched =
                item.downcast::<TouchArea>().is_some_and(|area| area.as_pin_ref().enabled());
            let focused =
                item.downcast::<FocusScope>().is_some_and(|scope| scope.as_pin_ref().enabled());
            let lettering = lettering(item).filter(|text| !text.words.is_empty());
            let role = if item.is_accessible() { item.accessible_role() } else { Role::None };
            if touched || focused || lettering.is_some() || role != Role::None {
                let geometry = absolute(item);
                found.push(Element {
                    role,
                    id: property(item, Property::Id),
                    label: property(item, Property::Label),
                    description: property(item, Property::Description),
                    enabled: property(item, Property::Enabled) != "false",
                    place: Place::of(geometry),
                    seen: seen(item, panel),
                    touched,
                    focused,
                    lettering,
                    listed: listed(item),
                    within: within(item),
                });
            }
            ControlFlow::<()>::Continue(())
        });
        found
    }

    /// What is read aloud of the panel: the page, or what lies over it, sentence by sentence.
    /// Nothing that a person entered or that names a person: such elements carry an id that begins
    /// with `own:`, and entries and keys are not read either.
    pub fn spoken(&self) -> Vec<String> {
        spoken(&self.elements())
    }
}

/// Whose words stay on the panel.
fn private(id: &str) -> bool {
    ["own:", "entry", "key:", "candidate", "composing", "suggestion:", "crumb:", "list-", "qr"]
        .iter()
        .any(|kind| id.starts_with(kind))
}

fn spoken(elements: &[Element]) -> Vec<String> {
    let over = elements.iter().any(|element| element.id.starts_with("overlay:"));
    let heard = |element: &Element| {
        let inside = |kind: &str| {
            element.id.starts_with(kind) || element.within.iter().any(|id| id.starts_with(kind))
        };
        // What stands on every page is not said on every page.
        let always = ["btn-back", "btn-leave", "btn-help", "btn-call-staff"];
        let here = if over {
            inside("overlay:")
        } else {
            inside("page:")
                || inside("fault")
                || (inside("footer") && !always.contains(&element.id.as_str()))
        };
        here && !private(&element.id) && !element.within.iter().any(|id| private(id))
    };
    let mut said: Vec<String> = Vec::new();
    for element in elements.iter().filter(|element| heard(element)) {
        let parts: &[&str] = match element.role {
            Role::Text => &[&element.label],
            Role::Button | Role::Checkbox | Role::RadioButton | Role::ListItem => {
                &[&element.label, &element.description]
            }
            _ => &[],
        };
        for part in parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
            if said.last().is_none_or(|last| last != part) {
                said.push(part.to_owned());
            }
        }
    }
    said
}
