//! Why: a name may have a character that no dictionary of sounds knows, or whose sound nobody
//! remembers. It is found by what it looks like: its strokes in the order of writing, its parts, or
//! its radical and the strokes besides.
//!
//! Refuses: to be needed. The tables are read from a folder that `scripts/input-data` fills; without
//! them the code point is left.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::codepoint::is_chinese;

/// The tables cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RareError {
    /// The file system says no.
    #[error("{path}: {source}; fill the folder with scripts/input-data")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A line is not one of this table.
    #[error("line {line} of {table} is not `{form}`")]
    Line {
        /// The table.
        table: &'static str,
        /// From 1.
        line: usize,
        /// What it should be.
        form: &'static str,
    },
}

/// A stroke, as keys have it: 横 竖 撇 点 折.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stroke {
    /// 横
    Across,
    /// 竖
    Down,
    /// 撇
    Left,
    /// 点, and 捺
    Dot,
    /// 折
    Turn,
}

impl Stroke {
    /// All, in the order of the keys.
    pub const ALL: [Self; 5] = [Self::Across, Self::Down, Self::Left, Self::Dot, Self::Turn];

    /// The letter of the tables.
    pub fn letter(self) -> char {
        match self {
            Self::Across => 'h',
            Self::Down => 's',
            Self::Left => 'p',
            Self::Dot => 'n',
            Self::Turn => 'z',
        }
    }

    /// As it is written on its key.
    pub fn shape(self) -> char {
        match self {
            Self::Across => '一',
            Self::Down => '丨',
            Self::Left => '丿',
            Self::Dot => '丶',
            Self::Turn => '乛',
        }
    }

    /// Of the letter of the tables.
    pub fn of(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|stroke| stroke.letter() == letter)
    }
}

/// Characters by what they look like.
#[derive(Default)]
pub struct Rare {
    strokes: BTreeMap<String, Vec<char>>,
    parts: HashMap<char, Vec<char>>,
    radicals: HashMap<(u8, u8), Vec<char>>,
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|one| characters.next().is_none() && is_chinese(*one))
}

/// Common characters first: the oldest block holds all that most people ever write.
pub(crate) fn commonest_first(one: &char) -> (bool, u32) {
    let number = u32::from(*one);
    (!(0x4e00..=0x9fff).contains(&number), number)
}

impl Rare {
    /// Reads `strokes.tsv`, `parts.tsv` and `radicals.tsv` from a folder; a table that is not there
    /// is empty.
    pub fn load(dir: &Path) -> Result<Self, RareError> {
        let mut rare = Self::default();
        for (name, read) in [
            ("strokes.tsv", Self::read_strokes as fn(&mut Self, &str) -> Result<(), RareError>),
            ("parts.tsv", Self::read_parts),
            ("radicals.tsv", Self::read_radicals),
        ] {
            let path = dir.join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => read(&mut rare, &text)?,
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(RareError::Read { path, source }),
            }
        }
        Ok(rare)
    }

    /// Adds lines `character TAB strokes`.
    pub fn read_strokes(&mut self, text: &str) -> Result<(), RareError> {
        let form = "character TAB strokes (h s p n z)";
        for (line, content) in lines(text) {
            let wrong = || RareError::Line { table: "strokes", line, form };
            let (one, strokes) = content.split_once('\t').ok_or_else(wrong)?;
            if strokes.is_empty() || !strokes.chars().all(|letter| Stroke::of(letter).is_some()) {
                return Err(wrong());
            }
            // Radicals and strokes of other blocks are in such tables too; nobody is named so.
            if let Some(one) = single(one) {
                self.strokes.entry(strokes.to_owned()).or_default().push(one);
            }
        }
        for list in self.strokes.values_mut() {
            list.sort_by_key(commonest_first);
            list.dedup();
        }
        Ok(())
    }

    /// Adds lines `character TAB parts`, the parts with spaces between.
    pub fn read_parts(&mut self, text: &str) -> Result<(), RareError> {
        let form = "character TAB parts";
        for (line, content) in lines(text) {
            let wrong = || RareError::Line { table: "parts", line, form };
            let (one, parts) = content.split_once('\t').ok_or_else(wrong)?;
            if let Some(one) = single(one) {
                let parts = parts.split_whitespace().filter_map(|part| part.chars().next());
                self.parts.entry(one).or_default().extend(parts);
            }
        }
        Ok(())
    }

    /// Adds lines `character TAB radical TAB further strokes`.
    pub fn read_radicals(&mut self, text: &str) -> Result<(), RareError> {
        let form = "character TAB radical TAB strokes";
        for (line, content) in lines(text) {
            let wrong = || RareError::Line { table: "radicals", line, form };
            let mut columns = content.split('\t');
            let one = columns.next().ok_or_else(wrong)?;
            let radical: u8 =
                columns.next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
            // A few have less than their radical, which is written as a negative number.
            let further: i8 =
                columns.next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
            if !(1..=214).contains(&radical) {
                return Err(wrong());
            }
            if let Some(one) = single(one) {
                let further = u8::try_from(further).unwrap_or(0);
                self.radicals.entry((radical, further)).or_default().push(one);
            }
        }
        for list in self.radicals.values_mut() {
            list.sort_by_key(commonest_first);
        }
        Ok(())
    }

    /// How many characters are known by strokes, by parts, by radicals.
    pub fn known(&self) -> [usize; 3] {
        let count = |lists: &mut dyn Iterator<Item = &Vec<char>>| {
            lists.flatten().collect::<HashSet<_>>().len()
        };
        [count(&mut self.strokes.values()), self.parts.len(), count(&mut self.radicals.values())]
    }

    /// Characters whose strokes begin so: those that end with them first, then by how many more
    /// they have; of these the common ones first.
    pub fn by_strokes(&self, begun: &[Stroke], most: usize) -> Vec<char> {
        let begun: String = begun.iter().map(|stroke| stroke.letter()).collect();
        if begun.is_empty() {
            return Vec::new();
        }
        let range = self.strokes.range(begun.clone()..);
        let range = range.take_while(|(strokes, _)| strokes.starts_with(&begun));
        let mut found: Vec<(usize, char)> = range
            .flat_map(|(strokes, list)| list.iter().map(|one| (strokes.len(), *one)))
            .collect();
        let whole = begun.len();
        found.sort_by_key(|(length, one)| {
            let (rare, number) = commonest_first(one);
            (*length != whole, rare, *length, number)
        });
        let mut seen = HashSet::new();
        found.into_iter().map(|(_, one)| one).filter(|one| seen.insert(*one)).take(most).collect()
    }

    /// Characters that have all these parts, however deep; those with the fewest others first.
    pub fn by_parts(&self, wanted: &[char], most: usize) -> Vec<char> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut known = HashMap::new();
        let mut found: Vec<(usize, char)> = Vec::new();
        for one in self.parts.keys() {
            let all = self.all_parts(*one, &mut known, 6);
            let mut left = all.clone();
            let has = wanted.iter().all(|part| {
                let at = left.iter().position(|other| other == part);
                at.map(|at| left.swap_remove(at)).is_some()
            });
            if has && !wanted.contains(one) {
                found.push((all.len(), *one));
            }
        }
        found.sort_by_key(|(parts, one)| {
            let (rare, number) = commonest_first(one);
            (*parts, rare, number)
        });
        found.into_iter().map(|(_, one)| one).take(most).collect()
    }

    /// A character's parts, theirs, and so on; nothing goes round for ever.
    fn all_parts(
        &self,
        one: char,
        known: &mut HashMap<char, Vec<char>>,
        depth: usize,
    ) -> Vec<char> {
        if let Some(parts) = known.get(&one) {
            return parts.clone();
        }
        let mut all = Vec::new();
        for part in self.parts.get(&one).into_iter().flatten().filter(|part| **part != one) {
            all.push(*part);
            if depth > 0 {
                all.extend(self.all_parts(*part, known, depth - 1));
            }
        }
        known.insert(one, all.clone());
        all
    }

    /// Characters of a radical (1 to 214) with so many strokes besides it.
    pub fn by_radical(&self, radical: u8, further: u8) -> &[char] {
        self.radicals.get(&(radical, further)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rare() -> Rare {
        let mut rare = Rare::default();
        rare.read_strokes("# c\ts\n王\thhsh\n主\tnhhsh\n玉\thhshn\n吉\thshszh\n𠮷\thhszh\n")
            .unwrap();
        rare.read_parts("喆\t吉 吉\n吉\t士 口\n品\t口 口 口\n囍\t喜 喜\n喜\t吉 口\n").unwrap();
        rare.read_radicals("王\t96\t0\n玖\t96\t3\n𠮷\t30\t3\n〇\t5\t-1\n").unwrap();
        rare
    }

    #[test]
    fn strokes_find_what_they_end_first() {
        use Stroke::{Across, Down};
        let rare = rare();
        assert_eq!(rare.by_strokes(&[Across, Across, Down, Across], 9), ['王', '玉']);
        assert_eq!(rare.by_strokes(&[Across, Across], 9), ['王', '玉', '𠮷']);
        assert_eq!(rare.by_strokes(&[Across, Across], 1), ['王']);
        assert!(rare.by_strokes(&[], 9).is_empty());
        assert!(rare.by_strokes(&[Down], 9).is_empty());
    }

    #[test]
    fn parts_are_found_however_deep_and_as_often_as_wanted() {
        let rare = rare();
        assert_eq!(rare.by_parts(&['吉', '吉'], 9), ['喆', '囍']);
        assert_eq!(rare.by_parts(&['口', '口', '口'], 9), ['品', '囍']);
        assert_eq!(rare.by_parts(&['士'], 9)[0], '吉');
        assert!(rare.by_parts(&[], 9).is_empty());
    }

    #[test]
    fn radicals_with_the_strokes_besides() {
        let rare = rare();
        assert_eq!(rare.by_radical(96, 3), ['玖']);
        assert_eq!(rare.by_radical(5, 0), ['〇']);
        assert!(rare.by_radical(0, 200).is_empty());
        assert_eq!(rare.known(), [5, 5, 4]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let mut rare = Rare::default();
        let error = rare.read_strokes("王\thhsh\n玉\thhx").unwrap_err();
        assert!(error.to_string().starts_with("line 2 of strokes"), "{error}");
        assert!(rare.read_parts("王").is_err());
        for line in ["王\t0\t1", "王\t215\t1", "王\tx\t1", "王\t96", "王"] {
            assert!(rare.read_radicals(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_folder_without_tables_finds_nothing() {
        let rare = Rare::load(Path::new("/nowhere/at/all")).unwrap();
        assert_eq!(rare.known(), [0, 0, 0]);
    }

    proptest! {
        #[test]
        fn parts_that_go_in_a_circle_end(text in "([一二三口]\t[一二三口] [一二三口]\n){0,8}") {
            let mut rare = Rare::default();
            rare.read_parts(&text).unwrap();
            prop_assert!(rare.by_parts(&['口'], 9).len() <= 4);
        }

        #[test]
        fn no_table_breaks_it(text in "\\PC{0,60}") {
            let mut rare = Rare::default();
            let _ = rare.read_strokes(&text);
            let _ = rare.read_parts(&text);
            let _ = rare.read_radicals(&text);
        }
    }
}
