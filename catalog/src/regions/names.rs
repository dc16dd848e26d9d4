//! Why: forty thousand names are compared with each letter that a finger types. What of a name does
//! not depend on the letters is worked out once: the numbers of its characters, the letters it can be
//! spelt with, and where the part ends that people say (金牛 of 金牛区, 峨边 of 峨边彝族自治县).

use super::rank::Rank;
use super::readings::{Alphabet, Sounds};

/// Names, prepared for being searched.
pub(super) struct Names {
    alphabet: Alphabet,
    /// Numbers of the characters of all names, one name behind the other.
    characters: Vec<u16>,
    /// Where each name begins, and where the last one ends.
    starts: Vec<u32>,
    /// Letters that each name can be spelt with.
    letters: Vec<u32>,
    /// How many characters of each name are said: the least, and without its kind only.
    stems: Vec<[u8; 2]>,
}

impl Names {
    pub fn of<'a>(places: impl Iterator<Item = (&'a str, Option<Rank>)> + Clone) -> Self {
        let alphabet = Alphabet::of(places.clone().map(|(name, _)| name));
        let count = places.size_hint().0;
        let mut names = Self {
            alphabet,
            characters: Vec::with_capacity(places.clone().map(|(name, _)| name.len() / 3).sum()),
            starts: Vec::with_capacity(count + 1),
            letters: Vec::with_capacity(count),
            stems: Vec::with_capacity(count),
        };
        names.starts.push(0);
        for (name, rank) in places {
            let mut letters = 0;
            for character in name.chars() {
                // Every character is in the alphabet that was made of these names.
                let number = names.alphabet.number(character).unwrap_or(u16::MAX);
                letters |= names.alphabet.sounds(number).map_or(0, |sounds| sounds.letters);
                names.characters.push(number);
            }
            names.starts.push(u32::try_from(names.characters.len()).unwrap_or(u32::MAX));
            names.letters.push(letters);
            names.stems.push(stems(name, rank));
        }
        names.characters.shrink_to_fit();
        names
    }

    pub fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// Letters that a name can be spelt with, a bit each.
    pub fn letters(&self, name: usize) -> u32 {
        self.letters.get(name).copied().unwrap_or_default()
    }

    /// The numbers of a name's characters.
    pub fn characters(&self, name: usize) -> &[u16] {
        let at = |index: usize| self.starts.get(index).map(|start| *start as usize);
        at(name)
            .zip(at(name + 1))
            .and_then(|(from, to)| self.characters.get(from..to))
            .unwrap_or_default()
    }

    /// A character with its sounds.
    pub fn spelt(&self, number: u16) -> Option<(char, &Sounds)> {
        self.alphabet.character(number).zip(self.alphabet.sounds(number))
    }

    /// Whether a name is said in full when so many of its characters are.
    pub fn said(&self, name: usize, count: usize) -> bool {
        let whole = self.characters(name).len();
        let stems = self.stems.get(name).copied().unwrap_or_default();
        count == whole || stems.iter().any(|stem| usize::from(*stem) == count)
    }
}

/// What a place is, at the end of its name; the longer before what they end in.
fn kinds(rank: Rank) -> &'static [&'static str] {
    match rank {
        Rank::Province => &["特别行政区", "自治区", "省", "市"],
        Rank::Prefecture => &["自治州", "地区", "盟", "市"],
        Rank::County => {
            &["自治县", "自治旗", "新区", "矿区", "林区", "特区", "工农区", "县", "区", "市", "旗"]
        }
        Rank::Township => {
            &["民族乡", "民族苏木", "街道办事处", "街道", "区公所", "公所", "苏木", "镇", "乡"]
        }
    }
}

/// Peoples in the names of autonomous areas, also as they stand there without 族.
const PEOPLES: &[&str] = &[
    "蒙古族",
    "蒙古",
    "回族",
    "藏族",
    "维吾尔族",
    "维吾尔",
    "苗族",
    "彝族",
    "壮族",
    "布依族",
    "朝鲜族",
    "满族",
    "侗族",
    "瑶族",
    "白族",
    "土家族",
    "哈尼族",
    "哈萨克族",
    "哈萨克",
    "傣族",
    "黎族",
    "傈僳族",
    "佤族",
    "畲族",
    "高山族",
    "拉祜族",
    "水族",
    "东乡族",
    "纳西族",
    "景颇族",
    "柯尔克孜族",
    "柯尔克孜",
    "土族",
    "达斡尔族",
    "达斡尔",
    "仫佬族",
    "羌族",
    "布朗族",
    "撒拉族",
    "毛南族",
    "仡佬族",
    "锡伯族",
    "锡伯",
    "阿昌族",
    "普米族",
    "塔吉克族",
    "塔吉克",
    "怒族",
    "乌孜别克族",
    "俄罗斯族",
    "鄂温克族",
    "鄂温克",
    "德昂族",
    "保安族",
    "裕固族",
    "京族",
    "塔塔尔族",
    "独龙族",
    "鄂伦春族",
    "鄂伦春",
    "赫哲族",
    "门巴族",
    "珞巴族",
    "基诺族",
    "各族",
    "民族",
];

/// How many characters are said when a name is cut short: without peoples and kind, and without the
/// kind alone. At least one is always left.
fn stems(name: &str, rank: Option<Rank>) -> [u8; 2] {
    let without = |name: &'static [&'static str], from: &str| {
        name.iter()
            .find_map(|end| from.strip_suffix(end).filter(|rest| !rest.is_empty()))
            .map(str::len)
    };
    let mut bare = name;
    if let Some(length) = rank.and_then(|rank| without(kinds(rank), bare)) {
        bare = &name[..length];
    }
    let kind_gone = bare;
    // 西藏自治区 and 朝阳区 have nothing to lose here; 湘西土家族苗族自治州 loses two.
    if kind_gone.len() < name.len() && is_of_a_people(name) {
        while let Some(length) = without(PEOPLES, bare) {
            bare = &bare[..length];
        }
    }
    [bare, kind_gone].map(|part| u8::try_from(part.chars().count()).unwrap_or(u8::MAX))
}

/// Peoples stand in these names only; 回族 would otherwise be cut from a name that merely ends so.
fn is_of_a_people(name: &str) -> bool {
    ["自治区", "自治州", "自治县", "自治旗", "乡", "苏木", "镇", "区"]
        .iter()
        .any(|kind| name.ends_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_what_people_say() {
        for (name, rank, said) in [
            ("金牛区", Rank::County, "金牛"),
            ("单县", Rank::County, "单"),
            ("峨边彝族自治县", Rank::County, "峨边"),
            ("双江拉祜族佤族布朗族傣族自治县", Rank::County, "双江"),
            ("鄂温克族自治旗", Rank::County, "鄂温克族"),
            ("前郭尔罗斯蒙古族自治县", Rank::County, "前郭尔罗斯"),
            ("广西壮族自治区", Rank::Province, "广西"),
            ("香港特别行政区", Rank::Province, "香港"),
            ("甘孜藏族自治州", Rank::Prefecture, "甘孜"),
            ("大兴安岭地区", Rank::Prefecture, "大兴安岭"),
            ("犀浦街道", Rank::Township, "犀浦"),
            ("阿日扎苏木", Rank::Township, "阿日扎"),
            ("喇叭沟门满族乡", Rank::Township, "喇叭沟门"),
            ("镇", Rank::Township, "镇"),
        ] {
            let count = usize::from(stems(name, Some(rank))[0]);
            assert_eq!(name.chars().take(count).collect::<String>(), said, "{name}");
        }
    }
}
