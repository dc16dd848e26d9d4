//! Why: a line hands over bytes in whatever pieces it likes; a parser must not notice.

/// Cuts bytes into pieces of 1 to 64, mostly short ones. The same `seed` cuts in the same way; 0
/// gives single bytes.
pub fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let longest = match state >> 28 {
            _ if seed == 0 => 1,
            0..=9 => 4,
            10..=13 => 16,
            _ => 64,
        };
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = ((state >> 16) as usize % longest + 1).min(rest.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// Position behind the first occurrence of `part` at or after `from`.
pub fn find_after(whole: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let rest = whole.get(from..)?;
    let at = rest.windows(part.len()).position(|window| window == part)?;
    Some(from + at + part.len())
}
