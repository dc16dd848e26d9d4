//! Why: what was typed has no spaces, may be spelt as people speak at home (`sen` for `sheng`), and
//! may end in the middle of a syllable. All readings of it are laid out here, each with its cost.
//!
//! Refuses: to choose between them; that takes a dictionary.

use inputx_pinyin::{FuzzyConfig, is_valid_syllable};

/// Most letters that are looked at; more than any name, and bounded work for a scanned flood.
pub const LONGEST: usize = 48;
/// Letters of the longest syllable (`zhuang`).
const LONGEST_SYLLABLE: usize = 6;
/// What one habit of speech costs, as a logarithm of likelihood.
pub(crate) const HABIT: f32 = 3.5;

/// Habits that are common in the south-west and the south. `f` for `h` and `r` for `l` are left out:
/// they make more wrong candidates than right ones.
const HABITS: FuzzyConfig = FuzzyConfig {
    z_zh: true,
    c_ch: true,
    s_sh: true,
    n_l: true,
    f_h: false,
    r_l: false,
    in_ing: true,
    en_eng: true,
    an_ang: true,
};

/// A syllable that the letters from some place on can mean.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Syllable {
    /// As the dictionary spells it.
    pub(crate) spelled: String,
    /// Where the next one begins.
    pub(crate) end: usize,
    /// 0 as typed; more for each habit.
    pub(crate) cost: f32,
}

/// Everything that typed letters can mean, by the place where it begins.
pub(crate) struct Lattice {
    at: Vec<Vec<Syllable>>,
    /// Letters that count.
    pub(crate) length: usize,
}

/// True for what can be typed: lower-case letters and apostrophes.
pub fn spells(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter == '\''
}

/// `lü` and `nü` have keys of their own on no keyboard: people write v, or u.
fn as_in_dictionary(letters: &str) -> Option<String> {
    let spelled = match letters {
        "lue" | "lve" => "lve".to_owned(),
        "nue" | "nve" => "nve".to_owned(),
        other => other.to_owned(),
    };
    let known = matches!(spelled.as_str(), "lve" | "nve" | "lv" | "nv");
    (known || is_valid_syllable(&spelled)).then_some(spelled)
}

/// What a syllable may be meant as, itself first.
fn meant(spelled: &str) -> Vec<(String, f32)> {
    let mut all = vec![(spelled.to_owned(), 0.0)];
    // Twice: the beginning and the end of a syllable may both be spoken otherwise.
    for round in 1..=2 {
        let known: Vec<String> = all.iter().map(|(spelled, _)| spelled.clone()).collect();
        for one in known {
            for other in HABITS.expand(&one) {
                let new = all.iter().all(|(seen, _)| *seen != other);
                if new && as_in_dictionary(&other).is_some() {
                    all.push((other, HABIT * round as f32));
                }
            }
        }
    }
    all
}

impl Lattice {
    /// Lays out the readings of `typed`; letters beyond [`LONGEST`] are left aside, and what cannot
    /// be typed spells nothing.
    pub(crate) fn of(typed: &str) -> Self {
        let end = typed.char_indices().take(LONGEST).take_while(|(_, letter)| spells(*letter));
        let length = end.last().map_or(0, |(at, _)| at + 1);
        let typed = typed.get(..length).unwrap_or_default();
        let at = (0..length).map(|from| syllables(typed, from)).collect();
        Self { at, length }
    }

    /// Syllables that begin at `from`.
    pub(crate) fn from(&self, from: usize) -> &[Syllable] {
        self.at.get(from).map_or(&[], Vec::as_slice)
    }
}

fn syllables(typed: &str, from: usize) -> Vec<Syllable> {
    let mut found = Vec::new();
    for length in (1..=LONGEST_SYLLABLE.min(typed.len() - from)).rev() {
        let Some(letters) = typed.get(from..from + length) else { continue };
        let Some(spelled) = as_in_dictionary(letters) else { continue };
        let mut end = from + length;
        // An apostrophe says where a syllable ends and stands for nothing itself.
        while typed[end..].starts_with('\'') {
            end += 1;
        }
        // A syllable of one vowel in the middle of others is rarely meant (`xian` as xi-an is).
        for (spelled, cost) in meant(&spelled) {
            found.push(Syllable { spelled, end, cost });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(typed: &str, from: usize) -> Vec<(String, usize)> {
        let lattice = Lattice::of(typed);
        let exact = lattice.from(from).iter().filter(|one| one.cost == 0.0);
        exact.map(|one| (one.spelled.clone(), one.end)).collect()
    }

    #[test]
    fn letters_without_spaces_have_every_reading() {
        assert_eq!(plain("xian", 0), [("xian".into(), 4), ("xia".into(), 3), ("xi".into(), 2)]);
        assert_eq!(plain("xi'an", 0), [("xi".into(), 3)]);
        assert_eq!(plain("nv", 0), [("nv".into(), 2)]);
        assert_eq!(plain("lue", 0)[0], ("lve".into(), 3));
        assert!(plain("vvv", 0).is_empty());
    }

    #[test]
    fn habits_of_speech_are_understood_and_cost() {
        let lattice = Lattice::of("sen");
        let cost = |spelled: &str| {
            lattice.from(0).iter().find(|one| one.spelled == spelled).map(|one| one.cost)
        };
        assert_eq!(cost("sen"), Some(0.0));
        assert_eq!(cost("shen"), Some(HABIT));
        assert_eq!(cost("seng"), Some(HABIT));
        assert_eq!(cost("sheng"), Some(2.0 * HABIT));
        assert_eq!(cost("ren"), None);
    }

    proptest! {
        #[test]
        fn nothing_that_can_be_typed_breaks_it(typed in "\\PC{0,80}") {
            let lattice = Lattice::of(&typed);
            prop_assert!(lattice.length <= LONGEST);
            for from in 0..lattice.length {
                for one in lattice.from(from) {
                    prop_assert!(one.end > from && one.end <= lattice.length);
                    prop_assert!(one.cost >= 0.0);
                }
            }
        }
    }
}
