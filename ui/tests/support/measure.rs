//! Why: the measures that a page has to hold, in one place, applied to elements and pixels.
//!
//! Refuses: tolerance for what a person would stumble over. Exceptions are named here with a reason.

use std::collections::HashMap;

use hal::glyphs::GlyphSource;
use ui::elements::{Element, Place, Role};
use ui::view_model::Language;

/// Logical pixels a millimetre.
const MM: f32 = 4.0;
/// Side of a target (VVSG 2.0).
const TARGET: f32 = 12.7 * MM;
/// Between two targets.
const GAP: f32 = 2.54 * MM;
/// Height of a capital of Noto Sans CJK, in em.
const CAPITAL: f32 = 0.733;
/// Least height of capitals by text size, in mm.
const CAPITALS: [f32; 4] = [3.5, 4.8, 6.4, 8.5];
/// What is on every page above and below it must not take the page's place at the largest size.
const SURROUNDING: f32 = 6.4;

/// One look.
pub struct Measure {
    pub language: Language,
    pub text_size: u8,
    pub high_contrast: bool,
    pub low: bool,
    pub width: f32,
    pub height: f32,
}

/// Something that is pressed.
pub fn is_target(element: &Element) -> bool {
    matches!(element.role, Role::Button | Role::Checkbox | Role::RadioButton)
        && !element.seen.is_empty()
}

fn is_whole(element: &Element) -> bool {
    let (seen, place) = (element.seen, element.place);
    (seen.width - place.width).abs() < 1.0 && (seen.height - place.height).abs() < 1.0
}

fn apart(one: Place, other: Place) -> (f32, f32) {
    let between = |a: f32, a_len: f32, b: f32, b_len: f32| (b - (a + a_len)).max(a - (b + b_len));
    (
        between(one.x, one.width, other.x, other.width),
        between(one.y, one.height, other.y, other.height),
    )
}

/// The corner for staff is nobody's target: it has no sign and wants five presses.
fn hidden(element: &Element) -> bool {
    element.id == "btn-staff-gate"
}

fn name(element: &Element) -> String {
    let outer = element.within.last().map_or("", String::as_str);
    match (element.id.as_str(), &element.lettering) {
        ("", Some(text)) => format!("{outer} “{}”", text.words),
        ("", None) => format!("{outer} {}", element.label),
        (id, _) => id.to_owned(),
    }
}

impl Measure {
    /// Only what lies on top can be touched and is judged.
    fn on_top<'a>(&self, elements: &'a [Element]) -> Vec<&'a Element> {
        let covered = elements.iter().any(|element| element.id.starts_with("overlay:"));
        let in_overlay = |element: &Element| {
            element.id.starts_with("overlay:")
                || element.within.iter().any(|id| id.starts_with("overlay:"))
        };
        elements.iter().filter(|element| !covered || in_overlay(element)).collect()
    }

    /// What is wrong with places and sizes.
    pub fn geometry(&self, elements: &[Element]) -> Vec<String> {
        let elements = self.on_top(elements);
        let mut faults = Vec::new();
        let targets: Vec<&Element> =
            elements.iter().copied().filter(|it| is_target(it) && !hidden(it)).collect();
        for target in &targets {
            let place = target.place;
            if place.width < TARGET || place.height < TARGET {
                let (wide, tall) = (place.width / MM, place.height / MM);
                faults.push(format!("{} is {wide:.1} × {tall:.1} mm", name(target)));
            }
            if target.id.is_empty() || target.label.trim().is_empty() {
                faults.push(format!("{} has no id or no label", name(target)));
            }
            // A list shows of a row what is in reach, and turns for the rest.
            let top = if target.listed { target.seen.y } else { place.y };
            if self.low && top < self.height / 2.0 - 1.0 {
                faults.push(format!("{} is out of reach at {:.0}", name(target), place.y));
            }
            let outside = place.x < -0.5
                || place.x + place.width > self.width + 0.5
                || (!target.listed
                    && (place.y < -0.5 || place.y + place.height > self.height + 0.5));
            if outside || (!target.listed && !is_whole(target)) {
                faults.push(format!("{} leaves the panel: {place:?}", name(target)));
            }
        }
        for (number, one) in targets.iter().enumerate() {
            for other in &targets[number + 1..] {
                if one.id == other.id {
                    faults.push(format!("{} stands there twice", one.id));
                }
                let (across, down) = apart(one.seen, other.seen);
                if across.max(down) < GAP - 0.25 {
                    let gap = across.max(down) / MM;
                    faults.push(format!("{} and {} are {gap:.2} mm apart", one.id, other.id));
                }
            }
        }
        let mut before: Option<&Element> = None;
        for element in &targets {
            if let Some(before) = before.filter(|before| before.listed == element.listed) {
                let (one, next) = (before.seen, element.seen);
                let above = next.y + next.height <= one.y + 1.0;
                if above && next.x < one.x + one.width && before.listed == element.listed {
                    faults.push(format!("{} is read after {}", element.id, before.id));
                }
            }
            before = Some(element);
        }
        for element in &elements {
            faults.extend(self.lettering(element));
        }
        faults
    }

    fn lettering(&self, element: &Element) -> Vec<String> {
        let Some(text) = &element.lettering else { return Vec::new() };
        if element.seen.is_empty() {
            // A list shows it later; nothing else may hide it.
            return match element.listed || element.place.is_empty() {
                true => Vec::new(),
                false => vec![format!("{} cannot be seen", name(element))],
            };
        }
        let mut faults = Vec::new();
        let capital = text.size * CAPITAL / MM;
        let surrounding = !element.within.iter().any(|id| {
            id.starts_with("page:") || id.starts_with("overlay:") || id.starts_with("footer")
        });
        let least = CAPITALS[usize::from(self.text_size.min(3))];
        let least = if surrounding { least.min(SURROUNDING) } else { least };
        // Staff read it out over the telephone; a visitor need not.
        // The sentence above the pad says the same, at its full size.
        let on_pad = element.within.last().is_some_and(|id| id == "signature-pad");
        let least = if on_pad { least.min(CAPITALS[1]) } else { least };
        let least = if element.id == "fault-code" { least.min(CAPITALS[1]) } else { least };
        if capital < least - 0.05 {
            faults.push(format!("{}: capitals of {capital:.2} mm, {least} wanted", name(element)));
        }
        let (place, seen) = (element.place, element.seen);
        let cut = (place.width - seen.width).abs() > 1.5
            || (!element.listed && (place.height - seen.height).abs() > 1.5);
        if cut {
            faults.push(format!("{} is cut off: {seen:?} of {place:?}", name(element)));
        }
        let (wide, tall) = text.needs;
        let too_wide = !text.wrapped && wide > place.width + 1.5;
        // The box of a single line holds much air above and below the letters.
        let single = tall < text.size * 1.9;
        let least_height = if single { text.size * 1.15 } else { tall };
        let too_tall = least_height > place.height + 1.5;
        if text.elided && text.wrapped && too_tall {
            faults.push(format!("{} is shortened", name(element)));
        }
        if !text.elided && (too_wide || too_tall) {
            faults.push(format!("{} needs {wide:.0} × {tall:.0}, has {place:?}", name(element)));
        }
        if let Ok(fonts) = GlyphSource::shared() {
            let lacking: String =
                text.words.chars().filter(|one| !one.is_whitespace() && !fonts.has(*one)).collect();
            if !lacking.is_empty() {
                faults.push(format!("{}: no font has {lacking:?}", name(element)));
            }
        } else {
            faults.push("no fonts".to_owned());
        }
        faults
    }

    /// What is wrong with colours, seen from the pixels.
    pub fn pixels(&self, elements: &[Element], picture: &image::RgbaImage) -> Vec<String> {
        let least = if self.high_contrast { 20.0 } else { 10.0 };
        let mut faults = Vec::new();
        for element in self.on_top(elements) {
            let Some(text) = &element.lettering else { continue };
            if element.seen.width < 8.0 || element.seen.height < text.size * 0.8 {
                continue;
            }
            let Some((ground, ink)) = colours(element.seen, text.colour, picture) else {
                faults.push(format!("{} is not drawn", name(element)));
                continue;
            };
            let ratio = contrast(ink, ground);
            if ratio < least {
                faults.push(format!("{}: {ink:?} on {ground:?} is {ratio:.1}", name(element)));
            }
        }
        faults
    }
}

/// The colour behind a text, which is the most frequent that is not its own, and the ink that is
/// nearest to its own; nothing when no such ink is there.
fn colours(
    place: Place,
    colour: [u8; 4],
    picture: &image::RgbaImage,
) -> Option<([u8; 3], [u8; 3])> {
    let own = [colour[0], colour[1], colour[2]];
    let mut counts: HashMap<[u8; 3], u32> = HashMap::new();
    let (left, top) = (place.x.max(0.0) as u32, place.y.max(0.0) as u32);
    let right = ((place.x + place.width) as u32).min(picture.width());
    let bottom = ((place.y + place.height) as u32).min(picture.height());
    for y in top..bottom {
        for x in left..right {
            let [r, g, b, _] = picture.get_pixel(x, y).0;
            *counts.entry([r, g, b]).or_default() += 1;
        }
    }
    let (ground, _) = counts
        .iter()
        .filter(|(seen, _)| distance(**seen, own) > 60)
        .max_by_key(|(_, count)| **count)?;
    let (ink, _) = counts.iter().min_by_key(|(seen, _)| distance(**seen, own))?;
    (distance(*ink, own) <= 40).then_some((*ground, *ink))
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let channel = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance =
        |[r, g, b]: [u8; 3]| 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
