//! Why: a preview needs a tenth of the dots a camera sends, many times a second on a small board.
//! The dots of a box become their mean; rows are added up first, because that part the processor
//! does many dots at a time (figures: `docs/adr/0009-jpeg-decoding.md`).
//!
//! Refuses: to invent dots; a picture is only made smaller here.

use zeroize::Zeroize as _;

/// The size that fits into `most` and keeps the proportions of `from`; never larger than `from`.
pub fn fit(from: (u32, u32), most: (u32, u32)) -> (u32, u32) {
    if from.0 <= most.0 && from.1 <= most.1 {
        return from;
    }
    let (w, h) = (u64::from(from.0.max(1)), u64::from(from.1.max(1)));
    let (mw, mh) = (u64::from(most.0.max(1)), u64::from(most.1.max(1)));
    let (to_w, to_h) = if w * mh > h * mw { (mw, h * mw / w) } else { (w * mh / h, mh) };
    let narrow = |side: u64| u32::try_from(side.max(1)).unwrap_or(1);
    (narrow(to_w), narrow(to_h))
}

/// The mean of each box of dots, three bytes a dot. `None` when the bytes are not `from.0` ×
/// `from.1` × 3, or when `to` is empty or larger than `from`.
pub fn shrunk(rgb: &[u8], from: (u32, u32), to: (u32, u32)) -> Option<Vec<u8>> {
    let (w, h) = (from.0 as usize, from.1 as usize);
    let (to_w, to_h) = (to.0 as usize, to.1 as usize);
    let row_bytes = w.checked_mul(3)?;
    if rgb.len() != row_bytes.checked_mul(h)? || to_w == 0 || to_h == 0 || to_w > w || to_h > h {
        return None;
    }
    if from == to {
        return Some(rgb.to_vec());
    }
    let spans: Vec<(usize, usize)> =
        (0..to_w).map(|x| (x * w / to_w * 3, (x + 1) * w / to_w * 3)).collect();
    let mut sums = vec![0_u32; row_bytes];
    let mut out = Vec::with_capacity(to_w * to_h * 3);
    for y in 0..to_h {
        let (top, bottom) = (y * h / to_h, (y + 1) * h / to_h);
        sums.fill(0);
        for row in rgb.get(top * row_bytes..bottom * row_bytes)?.chunks_exact(row_bytes) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += u32::from(*value);
            }
        }
        let rows = bottom - top;
        for &(left, right) in &spans {
            let mut dot = [0_u32; 3];
            for sum in sums.get(left..right)?.chunks_exact(3) {
                dot[0] += sum[0];
                dot[1] += sum[1];
                dot[2] += sum[2];
            }
            // A multiplication instead of three divisions; sums stay far below what f32 holds
            // exactly enough for eight bits.
            let share = 1.0 / (rows * ((right - left) / 3)) as f32;
            out.extend_from_slice(&dot.map(|sum| (sum as f32 * share + 0.5) as u8));
        }
    }
    sums.zeroize();
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn boxes_become_their_mean() {
        let rgb = [[0, 10, 20], [100, 10, 40], [200, 0, 0], [0, 0, 2]].concat();
        assert_eq!(shrunk(&rgb, (2, 2), (1, 1)).unwrap(), [75, 5, 16]);
        assert_eq!(shrunk(&rgb, (4, 1), (2, 1)).unwrap(), [50, 10, 30, 100, 0, 1]);
        assert_eq!(shrunk(&rgb, (2, 2), (2, 2)).unwrap(), rgb);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert_eq!(shrunk(&[0; 12], (2, 2), (3, 1)), None);
        assert_eq!(shrunk(&[0; 12], (2, 2), (0, 1)), None);
        assert_eq!(shrunk(&[0; 11], (2, 2), (1, 1)), None);
        assert_eq!(shrunk(&[], (u32::MAX, u32::MAX), (1, 1)), None);
    }

    proptest! {
        #[test]
        fn fitting_stays_within(
            w in 1_u32..9000, h in 1_u32..9000, mw in 1_u32..2000, mh in 1_u32..2000,
        ) {
            let (a, b) = fit((w, h), (mw, mh));
            prop_assert!(a >= 1 && b >= 1 && a <= mw && b <= mh && a <= w && b <= h);
        }

        #[test]
        fn an_even_picture_stays_even(
            w in 1_u32..60, h in 1_u32..60, value: u8, to_w in 1_u32..60, to_h in 1_u32..60,
        ) {
            let to = (to_w.min(w), to_h.min(h));
            let small = shrunk(&vec![value; (w * h * 3) as usize], (w, h), to).unwrap();
            prop_assert_eq!(small.len() as u32, to.0 * to.1 * 3);
            prop_assert!(small.iter().all(|found| *found == value));
        }
    }
}
