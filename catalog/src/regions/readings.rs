//! Why: people type a place by its sounds, and many characters have several. 重庆 is cq, 六安 is la,
//! 什邡 is sf: in names of places the reading is often not the usual one.
//!
//! Refuses to decide which reading is right: all that a dictionary knows are accepted, and those that
//! no place is known to use come later. Characters that the dictionary lacks are added here.

use pinyin::ToPinyinMulti;

/// Readings that names of places use and that are not the first of their character. 𰝟 is 鲜 beside
/// water; the dictionary has no reading for it.
const IN_PLACES: &[(char, &[&str])] = &[
    ('什', &["shi"]),
    ('乐', &["yue", "lao"]),
    ('乾', &["gan"]),
    ('会', &["kuai"]),
    ('佛', &["fo"]),
    ('侗', &["tong"]),
    ('六', &["lu"]),
    ('单', &["shan"]),
    ('厦', &["xia"]),
    ('召', &["shao"]),
    ('圩', &["xu"]),
    ('坻', &["di"]),
    ('埔', &["bu"]),
    ('堡', &["bu", "pu"]),
    ('大', &["dai"]),
    ('宕', &["tan"]),
    ('尉', &["yu"]),
    ('屯', &["zhun"]),
    ('峙', &["shi"]),
    ('峒', &["tong"]),
    ('巷', &["hang"]),
    ('扒', &["pa"]),
    ('曾', &["zeng"]),
    ('朝', &["zhao"]),
    ('朴', &["piao", "po"]),
    ('枞', &["zong"]),
    ('柏', &["bo"]),
    ('栅', &["shan"]),
    ('栎', &["yue"]),
    ('栖', &["xi"]),
    ('泌', &["bi"]),
    ('泊', &["bo"]),
    ('洞', &["tong"]),
    ('浒', &["xu"]),
    ('浚', &["xun"]),
    ('涡', &["guo"]),
    ('湫', &["qiu"]),
    ('牟', &["mu"]),
    ('犍', &["qian"]),
    ('番', &["pan"]),
    ('石', &["dan"]),
    ('筠', &["jun"]),
    ('茄', &["qie"]),
    ('荥', &["ying"]),
    ('莘', &["xin"]),
    ('藏', &["zang"]),
    ('蚌', &["beng"]),
    ('蔚', &["yu"]),
    ('行', &["hang"]),
    ('覃', &["qin"]),
    ('解', &["xie", "hai"]),
    ('重', &["chong"]),
    ('铅', &["yan"]),
    ('长', &["chang"]),
    ('阿', &["e"]),
    ('陂', &["pi", "po"]),
    ('都', &["du"]),
    ('龟', &["qiu"]),
    ('伽', &["jia", "qie"]),
    ('卡', &["qia"]),
    ('堤', &["ti"]),
    ('女', &["ru"]),
    ('弹', &["tan"]),
    ('涌', &["chong"]),
    ('盛', &["cheng"]),
    ('翟', &["zhai"]),
    ('\u{3075F}', &["xian"]),
];

/// Syllables that are written with ü, and how a keyboard without it writes them.
const ROUNDED: &[(&str, &[&str])] = &[
    ("lü", &["lv", "lu"]),
    ("lüe", &["lve", "lue"]),
    ("nü", &["nv", "nu"]),
    ("nüe", &["nve", "nue"]),
];

/// Every reading of a character in the letters a to z, none twice; those that names of places use
/// come first, and their number stands beside.
pub(super) fn readings(character: char) -> (Vec<&'static str>, usize) {
    let mut usual = Vec::new();
    let mut rare = Vec::new();
    let add = |list: &mut Vec<&'static str>, others: &[&'static str], plain: &'static str| {
        let spelt = ROUNDED.iter().find(|(rounded, _)| *rounded == plain);
        for syllable in spelt.map_or(&[plain][..], |(_, letters)| letters) {
            let sayable = !syllable.is_empty() && syllable.bytes().all(|b| b.is_ascii_lowercase());
            if sayable && !list.contains(syllable) && !others.contains(syllable) {
                list.push(syllable);
            }
        }
    };
    let known = character.to_pinyin_multi();
    let known: Vec<&'static str> =
        known.into_iter().flatten().map(|reading| reading.plain()).collect();
    known.iter().take(1).for_each(|first| add(&mut usual, &[], first));
    let in_places = IN_PLACES.iter().find(|(listed, _)| *listed == character);
    in_places.iter().flat_map(|(_, more)| *more).for_each(|more| add(&mut usual, &[], more));
    known.iter().skip(1).for_each(|other| add(&mut rare, &usual, other));
    let count = usual.len();
    usual.append(&mut rare);
    (usual, count)
}

/// A character that occurs in names.
pub(super) struct Sounds {
    /// All readings, the usual ones first.
    pub readings: Box<[&'static str]>,
    /// How many are usual.
    pub usual: usize,
    /// Letters that occur in any of them, a bit each.
    pub letters: u32,
}

/// The characters of all names, numbered in the order of their code points.
pub(super) struct Alphabet {
    characters: Vec<char>,
    sounds: Vec<Sounds>,
}

impl Alphabet {
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut characters: Vec<char> = names.flat_map(str::chars).collect();
        characters.sort_unstable();
        characters.dedup();
        characters.shrink_to_fit();
        let sounds = characters
            .iter()
            .map(|character| {
                let (readings, usual) = readings(*character);
                let letters = readings.iter().fold(0, |letters, reading| letters | bits(reading));
                Sounds { readings: readings.into_boxed_slice(), usual, letters }
            })
            .collect();
        Self { characters, sounds }
    }

    /// The number of a character; `None` when no name has it, or when there are more than 65,536.
    pub fn number(&self, character: char) -> Option<u16> {
        u16::try_from(self.characters.binary_search(&character).ok()?).ok()
    }

    pub fn character(&self, number: u16) -> Option<char> {
        self.characters.get(usize::from(number)).copied()
    }

    pub fn sounds(&self, number: u16) -> Option<&Sounds> {
        self.sounds.get(usize::from(number))
    }
}

/// The letters of a text, a bit each.
pub(super) fn bits(letters: &str) -> u32 {
    letters.bytes().filter(u8::is_ascii_lowercase).fold(0, |bits, b| bits | 1 << (b - b'a'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: [&str; 3] = [
        include_str!("../../data/regions.tsv"),
        include_str!("../../data/townships.tsv"),
        include_str!("../../data/abolished.tsv"),
    ];

    fn names() -> impl Iterator<Item = &'static str> {
        let rows = LISTS.iter().flat_map(|list| list.lines()).filter(|row| !row.starts_with('#'));
        rows.filter_map(|row| row.split('\t').nth(1))
    }

    #[test]
    fn every_character_of_every_place_can_be_spelt() {
        let alphabet = Alphabet::of(names());
        assert_eq!(alphabet.characters.len(), 3_040);
        let unknown: String = alphabet
            .characters
            .iter()
            .filter(|character| character.to_pinyin_multi().is_none())
            .collect();
        assert_eq!(unknown, "\u{3075F}", "what the dictionary lacks is added here");
        for (number, character) in alphabet.characters.iter().enumerate() {
            let number = u16::try_from(number).unwrap();
            assert_eq!(alphabet.number(*character), Some(number));
            let sounds = alphabet.sounds(number).unwrap();
            assert!(sounds.usual >= 1 && sounds.usual <= sounds.readings.len(), "{character}");
            assert!(sounds.readings.iter().all(|reading| !reading.is_empty()));
        }
    }

    #[test]
    fn added_readings_say_something_new_about_a_character_that_occurs() {
        let alphabet = Alphabet::of(names());
        let mut needless = String::new();
        for (character, added) in IN_PLACES {
            let first = character.to_pinyin_multi().map(|known| known.get(0).plain());
            if added.iter().any(|reading| first == Some(*reading))
                || alphabet.number(*character).is_none()
            {
                needless.push(*character);
            }
        }
        assert_eq!(needless, "");
    }

    #[test]
    fn rounded_syllables_are_typed_with_v_and_with_u() {
        assert!(readings('绿').0.contains(&"lv") && readings('绿').0.contains(&"lu"));
        assert!(readings('女').0.contains(&"nv"));
        assert_eq!(readings('a'), (Vec::new(), 0));
    }
}
