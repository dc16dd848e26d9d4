//! Why: a signature has to follow the finger, so the ink is drawn here before the core has heard of
//! the stroke.
//!
//! Refuses: judging it. How much ink makes a signature is for the core.

use crate::view_model::Stroke;
use std::fmt::Write as _;

/// Drawing units of a pad, across and down; as in `signature.slint` and `writing.slint`.
pub type Units = (f32, f32);
/// The pad for signatures, 2.4 to 1.
pub const SIGNATURE: Units = (2400.0, 1000.0);
/// The pad for a character.
pub const CHARACTER: Units = (1000.0, 1000.0);
/// Points closer than this are the finger's trembling and only cost time to draw.
const STEP: f32 = 0.002;

/// Ink on the pad.
#[derive(Default)]
pub struct Ink {
    /// What the core has.
    settled: Vec<Stroke>,
    /// Sent, not yet shown by the core.
    sent: Vec<Stroke>,
    /// Under the finger.
    current: Option<Stroke>,
}

impl Ink {
    /// The finger came down.
    pub fn begin(&mut self, point: (f32, f32)) {
        self.current = Some(vec![point]);
    }

    /// The finger moved.
    pub fn go(&mut self, point: (f32, f32)) {
        let Some(stroke) = &mut self.current else { return };
        let far = stroke
            .last()
            .is_none_or(|last| (last.0 - point.0).abs() > STEP || (last.1 - point.1).abs() > STEP);
        if far {
            stroke.push(point);
        }
    }

    /// The finger was lifted; the stroke to report, if one was under way.
    pub fn end(&mut self) -> Option<Stroke> {
        let stroke = self.current.take()?;
        self.sent.push(stroke.clone());
        Some(stroke)
    }

    /// The core shows these strokes.
    pub fn settle(&mut self, strokes: &[Stroke]) {
        let gained = strokes.len().saturating_sub(self.settled.len());
        if strokes.len() < self.settled.len() || strokes.is_empty() {
            // Cleared: whatever was on its way went with it.
            self.sent.clear();
        } else {
            self.sent.drain(..gained.min(self.sent.len()));
        }
        self.settled = strokes.to_vec();
    }

    /// Nothing is left.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The ink as path commands in drawing units.
    pub fn commands(&self, (wide, high): Units) -> String {
        let mut path = String::new();
        let strokes = self.settled.iter().chain(&self.sent).chain(&self.current);
        for stroke in strokes {
            for (index, (x, y)) in stroke.iter().enumerate() {
                let letter = if index == 0 { 'M' } else { 'L' };
                // Writing to a String cannot fail.
                let _ = write!(path, "{letter} {:.1} {:.1} ", x * wide, y * high);
            }
            // A dot is a stroke too, and a path of one point draws nothing.
            if let [(x, y)] = stroke.as_slice() {
                let _ = write!(path, "L {:.1} {:.1} ", x * wide + 1.0, y * high);
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_is_drawn_before_and_after_the_core_has_it() {
        let mut ink = Ink::default();
        ink.begin((0.0, 0.0));
        ink.go((0.5, 0.5));
        let live = ink.commands(SIGNATURE);
        let stroke = ink.end().unwrap();
        assert_eq!(ink.commands(SIGNATURE), live);
        ink.settle(&[stroke]);
        assert_eq!(ink.commands(SIGNATURE), live);
    }

    #[test]
    fn clearing_in_the_core_clears_the_pad() {
        let mut ink = Ink::default();
        ink.settle(&[vec![(0.1, 0.1), (0.2, 0.2)]]);
        ink.begin((0.3, 0.3));
        let _ = ink.end();
        ink.settle(&[]);
        assert_eq!(ink.commands(SIGNATURE), "");
    }

    #[test]
    fn moves_and_ends_without_a_beginning_are_nothing() {
        let mut ink = Ink::default();
        ink.go((0.5, 0.5));
        assert!(ink.end().is_none());
        assert_eq!(ink.commands(SIGNATURE), "");
    }

    #[test]
    fn a_dot_is_visible() {
        let mut ink = Ink::default();
        ink.begin((0.5, 0.5));
        assert_eq!(ink.commands(SIGNATURE), "M 1200.0 500.0 L 1201.0 500.0 ");
    }
}
