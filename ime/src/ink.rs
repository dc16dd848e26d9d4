//! Why: a finger leaves strokes; a recogniser wants a picture. Both are here: what was drawn, and how
//! it is painted, small and always the same way, wherever and however large it was written.
//!
//! Refuses: to grow. More strokes and points than anybody draws are not kept, and what is no number
//! is no point. Ink is somebody's writing: it is overwritten when it goes, and cannot be printed out.

use zeroize::{Zeroize, Zeroizing};

/// Strokes of one character, at the most. The commonly written ones end at 36.
pub const MOST_STROKES: usize = 64;
/// Points of one stroke, at the most; of a longer one, so many are kept that lie evenly along it.
pub const MOST_POINTS: usize = 512;

/// Height of the picture, as the recogniser was taught.
pub const HEIGHT: usize = 48;
/// Its width: half of it is margin, because a line of text is expected.
pub const WIDTH: usize = 96;

// The larger side of the ink becomes so many pixels long. This and the width of a line were chosen on
// characters that are not among those by which the reader is judged: small and bold, what a hand
// does wrong disappears between the pixels.
const EXTENT: f32 = 32.0;
// Ink is enlarged so many times at the most: a dot stays a dot, and does not become a blot.
const MOST_ENLARGED: f32 = 4.0;
// Half the width of a line.
const RADIUS: f32 = 1.25;

/// A place in the square that is drawn in: both from 0 to 1, to the right and downwards.
pub type Point = (f32, f32);

/// What was drawn, stroke by stroke. No `Debug`: it is somebody's writing.
#[derive(Clone, Default)]
pub struct Ink {
    strokes: Vec<Vec<Point>>,
}

impl Ink {
    /// Adds a stroke; false when nothing of it can be kept. Points outside are moved to the edge,
    /// where the finger left.
    pub fn add(&mut self, points: &[Point]) -> bool {
        if self.strokes.len() >= MOST_STROKES {
            return false;
        }
        let sound = |point: &&Point| point.0.is_finite() && point.1.is_finite();
        let count = points.iter().filter(sound).count();
        let kept = count.min(MOST_POINTS);
        // Room for all at once: a vector that grows leaves what it held behind.
        let mut stroke = Vec::with_capacity(kept);
        for (at, point) in points.iter().filter(sound).enumerate() {
            // The first and the last are among those that are kept.
            let due = if kept < 2 { 0 } else { stroke.len() * (count - 1) / (kept - 1) };
            if at == due {
                stroke.push((point.0.clamp(0.0, 1.0), point.1.clamp(0.0, 1.0)));
            }
        }
        if stroke.is_empty() {
            return false;
        }
        if self.strokes.capacity() == 0 {
            self.strokes.reserve_exact(MOST_STROKES);
        }
        self.strokes.push(stroke);
        true
    }

    /// Takes the last stroke back; false when there is none.
    pub fn take_back(&mut self) -> bool {
        let last = self.strokes.pop();
        last.map(|mut stroke| stroke.zeroize()).is_some()
    }

    /// Overwrites all of it.
    pub fn clear(&mut self) {
        self.strokes.iter_mut().for_each(Zeroize::zeroize);
        self.strokes.clear();
    }

    /// True when nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty()
    }

    /// The strokes, for drawing them.
    pub fn strokes(&self) -> impl ExactSizeIterator<Item = &[Point]> {
        self.strokes.iter().map(Vec::as_slice)
    }

    /// As a picture.
    pub fn paint(&self) -> Picture {
        let mut picture = Picture::blank();
        let Some(place) = Place::of(&self.strokes) else { return picture };
        for stroke in &self.strokes {
            match stroke[..] {
                [point] => picture.line(place.at(point), place.at(point)),
                _ => {
                    for pair in stroke.windows(2) {
                        picture.line(place.at(pair[0]), place.at(pair[1]));
                    }
                }
            }
        }
        picture
    }
}

impl Drop for Ink {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Where ink comes to lie in the picture: in its middle, with its own proportions.
struct Place {
    middle: Point,
    scale: f32,
}

impl Place {
    fn of(strokes: &[Vec<Point>]) -> Option<Self> {
        let mut points = strokes.iter().flatten();
        let first = *points.next()?;
        let (low, high) = points.fold((first, first), |(low, high), point| {
            let low = (low.0.min(point.0), low.1.min(point.1));
            (low, (high.0.max(point.0), high.1.max(point.1)))
        });
        let extent = (high.0 - low.0).max(high.1 - low.1);
        Some(Self {
            middle: (f32::midpoint(low.0, high.0), f32::midpoint(low.1, high.1)),
            // Not smaller than its pixels, not larger than its place.
            scale: (EXTENT / extent).min(EXTENT * MOST_ENLARGED),
        })
    }

    fn at(&self, point: Point) -> Point {
        (
            (point.0 - self.middle.0) * self.scale + WIDTH as f32 / 2.0,
            (point.1 - self.middle.1) * self.scale + HEIGHT as f32 / 2.0,
        )
    }
}

/// How dark each pixel is, from 0 (paper) to 1 (ink), row by row. Overwritten when it goes.
pub struct Picture {
    darkness: Zeroizing<Vec<f32>>,
}

impl Picture {
    /// Paper.
    pub fn blank() -> Self {
        Self { darkness: Zeroizing::new(vec![0.0; WIDTH * HEIGHT]) }
    }

    /// All pixels.
    pub fn pixels(&self) -> &[f32] {
        &self.darkness
    }

    /// A line with round ends. The darker wins where lines cross, so that their order is nothing.
    fn line(&mut self, one: Point, other: Point) {
        // Rounding must not depend on the direction either.
        let (from, to) = if one <= other { (one, other) } else { (other, one) };
        let reach = RADIUS + 1.0;
        let range = |a: f32, b: f32, size: usize| {
            // Casts stop at both ends of what they can hold.
            let first = (a.min(b) - reach).floor() as usize;
            first..((a.max(b) + reach).ceil() as usize).min(size)
        };
        for y in range(from.1, to.1, HEIGHT) {
            for x in range(from.0, to.0, WIDTH) {
                let away = distance((x as f32 + 0.5, y as f32 + 0.5), from, to);
                let dark = (RADIUS + 0.5 - away).clamp(0.0, 1.0);
                let pixel = &mut self.darkness[y * WIDTH + x];
                *pixel = pixel.max(dark);
            }
        }
    }
}

/// Of a point from a line with two ends.
fn distance(point: Point, from: Point, to: Point) -> f32 {
    let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
    let (x, y) = (point.0 - from.0, point.1 - from.1);
    let length = along_x * along_x + along_y * along_y;
    let part =
        if length > 0.0 { ((x * along_x + y * along_y) / length).clamp(0.0, 1.0) } else { 0.0 };
    (x - part * along_x).hypot(y - part * along_y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ink(strokes: &[&[Point]]) -> Ink {
        let mut ink = Ink::default();
        for stroke in strokes {
            assert!(ink.add(stroke));
        }
        ink
    }

    /// Middle of the darkness, and the first and last dark column and row.
    fn outline(picture: &Picture) -> (Point, [usize; 4]) {
        let (mut sum, mut middle) = (0.0, (0.0, 0.0));
        let mut edges = [WIDTH, 0, HEIGHT, 0];
        for (at, dark) in picture.pixels().iter().enumerate() {
            let (x, y) = (at % WIDTH, at / WIDTH);
            sum += dark;
            middle.0 += dark * (x as f32 + 0.5);
            middle.1 += dark * (y as f32 + 0.5);
            if *dark > 0.0 {
                edges = [edges[0].min(x), edges[1].max(x), edges[2].min(y), edges[3].max(y)];
            }
        }
        ((middle.0 / sum, middle.1 / sum), edges)
    }

    #[test]
    fn ink_lies_in_the_middle_whatever_its_size_and_place() {
        let cross = |x: f32, y: f32, size: f32| {
            ink(&[
                &[(x, y + size / 2.0), (x + size, y + size / 2.0)],
                &[(x + size / 2.0, y), (x + size / 2.0, y + size)],
            ])
            .paint()
        };
        let pictures = [cross(0.1, 0.1, 0.8), cross(0.0, 0.5, 0.4), cross(0.25, 0.0, 0.75)];
        for picture in &pictures {
            let (middle, edges) = outline(picture);
            assert!((middle.0 - 48.0).abs() < 0.05 && (middle.1 - 24.0).abs() < 0.05, "{middle:?}");
            // 32 pixels, a line's half width and its soft edge on each side.
            assert_eq!(edges, [30, 65, 6, 41]);
        }
        // Nothing else than the rounding of numbers tells them apart.
        let pairs = pictures[0].pixels().iter().zip(pictures[1].pixels());
        assert!(pairs.clone().all(|(one, other)| (one - other).abs() < 1e-3));
    }

    #[test]
    fn proportions_are_kept() {
        let (_, edges) =
            outline(&ink(&[&[(0.1, 0.5), (0.9, 0.5)], &[(0.1, 0.7), (0.9, 0.7)]]).paint());
        // 0.8 to 0.2, as 32 to 8, and a line's edges.
        assert_eq!([edges[1] - edges[0], edges[3] - edges[2]], [35, 11]);
    }

    #[test]
    fn a_touch_is_a_dot_and_no_blot() {
        let (middle, edges) = outline(&ink(&[&[(0.9, 0.1)]]).paint());
        assert!((middle.0 - 48.0).abs() < 0.01 && (middle.1 - 24.0).abs() < 0.01);
        assert!(edges[1] - edges[0] < 4 && edges[3] - edges[2] < 4, "{edges:?}");
        assert!(edges[1] - edges[0] > 1, "and can be seen: {edges:?}");
        let (_, edges) = outline(&ink(&[&[(0.5, 0.5), (0.52, 0.54)]]).paint());
        assert!(edges[3] - edges[2] < 12, "{edges:?}");
        assert!(Ink::default().paint().pixels().iter().all(|dark| *dark == 0.0));
    }

    #[test]
    fn a_line_is_dark_in_its_middle_and_soft_at_its_edge() {
        let picture = ink(&[&[(0.0, 0.5), (1.0, 0.5)]]).paint();
        let column: Vec<f32> = (21..27).map(|y| picture.pixels()[y * WIDTH + 48]).collect();
        assert!(column[2] > 0.9 && column[3] > 0.9, "{column:?}");
        assert!(column[0] == 0.0 && column[5] == 0.0, "{column:?}");
        let whole: f32 = picture.pixels().iter().map(|dark| dark.min(1.0)).sum();
        assert!((80.0..90.0).contains(&whole), "about 32 by 2.5 pixels and round ends: {whole}");
    }

    #[test]
    fn what_is_too_much_or_no_number_is_not_kept() {
        let mut ink = Ink::default();
        assert!(!ink.add(&[]) && !ink.add(&[(f32::NAN, 0.5), (0.5, f32::INFINITY)]));
        assert!(ink.add(&[(f32::NAN, 0.1), (-3.0, 0.5), (0.5, 7.0)]));
        assert_eq!(ink.strokes().next().unwrap(), [(0.0, 0.5), (0.5, 1.0)]);
        let long: Vec<Point> = (0..5000).map(|at| (at as f32 / 4999.0, 0.5)).collect();
        assert!(ink.add(&long));
        let kept = ink.strokes().nth(1).unwrap();
        assert_eq!((kept.len(), kept[0].0, kept[MOST_POINTS - 1].0), (MOST_POINTS, 0.0, 1.0));
        while ink.add(&[(0.5, 0.5)]) {}
        assert_eq!(ink.strokes().len(), MOST_STROKES);
    }

    #[test]
    fn strokes_are_taken_back_one_by_one() {
        let mut ink = ink(&[&[(0.1, 0.1)], &[(0.2, 0.2)]]);
        assert!(ink.take_back());
        assert_eq!(ink.strokes().collect::<Vec<_>>(), [[(0.1, 0.1)]]);
        assert!(ink.take_back() && !ink.take_back() && ink.is_empty());
    }

    fn any_stroke() -> impl Strategy<Value = Vec<Point>> {
        proptest::collection::vec((any::<f32>(), -0.5f32..1.5), 1..9)
    }

    fn inside() -> impl Strategy<Value = Vec<Point>> {
        proptest::collection::vec((0.0f32..1.0, 0.0f32..1.0), 1..9)
    }

    proptest! {
        #[test]
        fn any_order_and_direction_is_the_same_picture(
            strokes in proptest::collection::vec(inside(), 1..9),
            turn in any::<u64>(),
        ) {
            let mut other = strokes.clone();
            let mut chance = fastrand::Rng::with_seed(turn);
            chance.shuffle(&mut other);
            for stroke in &mut other {
                if chance.bool() {
                    stroke.reverse();
                }
            }
            let paint = |strokes: &[Vec<Point>]| {
                ink(&strokes.iter().map(Vec::as_slice).collect::<Vec<_>>()).paint()
            };
            prop_assert!(paint(&strokes).pixels() == paint(&other).pixels());
        }

        #[test]
        fn whatever_is_drawn_is_a_picture(strokes in proptest::collection::vec(any_stroke(), 0..9)) {
            let mut ink = Ink::default();
            for stroke in &strokes {
                ink.add(stroke);
            }
            let picture = ink.paint();
            prop_assert!(picture.pixels().iter().all(|dark| (0.0..=1.0).contains(dark)));
            prop_assert_eq!(picture.pixels().iter().any(|dark| *dark > 0.5), !ink.is_empty());
        }
    }
}
