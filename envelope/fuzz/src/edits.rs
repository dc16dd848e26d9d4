//! Why: random bytes are refused at the magic, and a whole sealed file has no room in an input. So
//! inputs are short recipes for changing a good one.

/// Applies a recipe: four bytes for each change, which are what to do, where (two bytes, scaled to
/// the length), and with what.
pub fn apply(recipe: &[u8], to: &mut Vec<u8>) {
    for change in recipe.chunks_exact(4).take(64) {
        let [what, high, low, with] = *change else { continue };
        let place = usize::from(u16::from_be_bytes([high, low]));
        // The first places one by one, where the structure is; later ones by proportion.
        let at = if what & 0x80 == 0 { place } else { place * to.len() / 65536 };
        let at = at.min(to.len());
        match what & 7 {
            0 => replace(to, at, with),
            1 => {
                if let Some(byte) = to.get_mut(at) {
                    *byte ^= 1 << (with & 7);
                }
            }
            2 => to.truncate(at),
            3 => to.insert(at, with),
            4 => drop(to.drain(at..(at + usize::from(with)).min(to.len()))),
            5 => {
                // A piece once more in another place.
                let piece: Vec<u8> =
                    to.iter().skip(at).take(usize::from(with) * 8).copied().collect();
                let target = to.len() / 2;
                to.splice(target..target, piece);
            }
            6 => to.extend(std::iter::repeat_n(with, place % 600)),
            _ => {
                let count = usize::from(with).min(to.len() - at);
                to.iter_mut().skip(at).take(count).for_each(|byte| *byte = 0);
            }
        }
    }
}

fn replace(to: &mut [u8], at: usize, with: u8) {
    if let Some(byte) = to.get_mut(at) {
        *byte = with;
    }
}

/// A reader that gives few bytes at a time, as a network does.
pub struct Trickle<'a>(pub &'a [u8], pub usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let length = to.len().min(self.1.max(1));
        std::io::Read::read(&mut self.0, to.get_mut(..length).unwrap_or_default())
    }
}
