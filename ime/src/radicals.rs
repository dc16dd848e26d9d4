//! Why: dictionaries on paper are ordered by radicals, and whoever grew up with them finds a character
//! by its radical and the strokes besides. Three small steps, each with the digits and the
//! candidates that are there anyway: strokes of the radical, the radical, further strokes.
//!
//! Refuses: to insist on how Kangxi wrote a radical. 氵 has three strokes here and 水 four, and both
//! lead to the same characters.

use std::collections::HashSet;
use std::sync::Arc;

use crate::rare::{Rare, commonest_first};
use crate::{Candidate, Engine, Purpose};

/// The 214, as ordinary characters, in their order and by their strokes, from one to seventeen.
const KANGXI: [&str; 17] = [
    "一丨丶丿乙亅",
    "二亠人儿入八冂冖冫几凵刀力勹匕匚匸十卜卩厂厶又",
    "口囗土士夂夊夕大女子宀寸小尢尸屮山巛工己巾干幺广廴廾弋弓彐彡彳",
    "心戈戶手支攴文斗斤方无日曰月木欠止歹殳毋比毛氏气水火爪父爻爿片牙牛犬",
    "玄玉瓜瓦甘生用田疋疒癶白皮皿目矛矢石示禸禾穴立",
    "竹米糸缶网羊羽老而耒耳聿肉臣自至臼舌舛舟艮色艸虍虫血行衣襾",
    "見角言谷豆豕豸貝赤走足身車辛辰辵邑酉釆里",
    "金長門阜隶隹雨靑非",
    "面革韋韭音頁風飛食首香",
    "馬骨高髟鬥鬯鬲鬼",
    "魚鳥鹵鹿麥麻",
    "黃黍黑黹",
    "黽鼎鼓鼠",
    "鼻齊",
    "齒",
    "龍龜",
    "龠",
];

/// What radicals look like besides: at the side, on top, simplified, or with another count of strokes
/// than Kangxi's. Strokes, form, number.
const FORMS: [(u8, char, u8); 65] = [
    (1, '乚', 5),
    (1, '乛', 5),
    (2, '亻', 9),
    (2, '刂', 18),
    (2, '㔾', 26),
    (2, '廴', 54),
    (2, '讠', 149),
    (2, '阝', 163),
    (2, '阝', 170),
    (3, '川', 47),
    (3, '彑', 58),
    (3, '忄', 61),
    (3, '扌', 64),
    (3, '氵', 85),
    (3, '丬', 90),
    (3, '犭', 94),
    (3, '纟', 120),
    (3, '艹', 140),
    (3, '辶', 162),
    (3, '门', 169),
    (3, '飞', 183),
    (3, '饣', 184),
    (3, '马', 187),
    (4, '户', 63),
    (4, '攵', 66),
    (4, '旡', 71),
    (4, '灬', 86),
    (4, '爫', 87),
    (4, '牜', 93),
    (4, '王', 96),
    (4, '瓦', 98),
    (4, '礻', 113),
    (4, '禸', 114),
    (4, '耂', 125),
    (4, '肀', 129),
    (4, '月', 130),
    (4, '见', 147),
    (4, '贝', 154),
    (4, '车', 159),
    (4, '长', 168),
    (4, '韦', 178),
    (4, '风', 182),
    (5, '母', 80),
    (5, '氺', 85),
    (5, '罒', 122),
    (5, '衤', 145),
    (5, '钅', 167),
    (5, '鸟', 196),
    (5, '龙', 212),
    (6, '糹', 120),
    (6, '西', 146),
    (6, '覀', 146),
    (6, '页', 181),
    (6, '齐', 210),
    (7, '卤', 197),
    (7, '麦', 199),
    (7, '龟', 213),
    (8, '青', 174),
    (8, '飠', 184),
    (8, '鱼', 195),
    (8, '黾', 205),
    (8, '齿', 211),
    (9, '骨', 188),
    (9, '鬼', 194),
    (11, '黄', 201),
];

/// More strokes than any character has besides its radical.
const MOST_FURTHER: u8 = 99;

/// Forms with so many strokes, and the number of each; a form that stands for two comes twice.
fn forms(strokes: u8) -> impl Iterator<Item = (char, u8)> {
    let numbered =
        KANGXI.iter().zip(1u8..).flat_map(|(row, count)| row.chars().map(move |one| (count, one)));
    numbered
        .zip(1u8..)
        .map(|((count, one), number)| (count, one, number))
        .chain(FORMS)
        .filter(move |(count, ..)| *count == strokes)
        .map(|(_, one, number)| (one, number))
}

/// Radical and further strokes: typed are digits, then the chosen form of the radical, then digits.
pub struct Radicals(pub Arc<Rare>);

/// What was typed, in its parts.
fn parts(typed: &str) -> (&str, Option<(char, &str)>) {
    let form = typed.char_indices().find(|(_, one)| !one.is_ascii_digit());
    let Some((at, form)) = form else { return (typed, None) };
    let (strokes, rest) = typed.split_at(at);
    (strokes, Some((form, &rest[form.len_utf8()..])))
}

impl Radicals {
    /// Forms of radicals, those first under which most characters stand.
    fn offered(&self, strokes: u8) -> Vec<char> {
        let mut list: Vec<(usize, char)> = Vec::new();
        for (form, number) in forms(strokes) {
            let count = self.of(number, 0..=MOST_FURTHER).count();
            match list.iter_mut().find(|(_, other)| *other == form) {
                Some((sum, _)) => *sum += count,
                None => list.push((count, form)),
            }
        }
        list.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        list.into_iter().map(|(_, form)| form).collect()
    }

    fn of(&self, number: u8, further: std::ops::RangeInclusive<u8>) -> impl Iterator<Item = char> {
        further.flat_map(move |count| self.0.by_radical(number, count)).copied()
    }

    /// Characters of a radical with so many further strokes, the common ones first; with any number
    /// of strokes, by their number.
    fn found(&self, strokes: u8, form: char, further: Option<u8>) -> Vec<char> {
        let counts = further.map_or(0..=MOST_FURTHER, |count| count..=count);
        let mut list = Vec::new();
        for count in counts {
            let numbers = forms(strokes).filter(|(other, _)| *other == form);
            let mut row: Vec<char> =
                numbers.flat_map(|(_, number)| self.of(number, count..=count)).collect();
            row.sort_by_key(commonest_first);
            list.append(&mut row);
        }
        let mut seen = HashSet::new();
        list.retain(|one| seen.insert(*one));
        list
    }
}

impl Engine for Radicals {
    fn accepts(&self, letter: char) -> bool {
        letter.is_ascii_digit()
    }

    fn shown(&self, typed: &str) -> String {
        match parts(typed) {
            (strokes, None) => format!("{strokes}画"),
            (_, Some((form, ""))) => form.into(),
            (_, Some((form, further))) => format!("{form}＋{further}画"),
        }
    }

    fn candidates(&self, typed: &str, _: Purpose, most: usize) -> Vec<Candidate> {
        let found = match parts(typed) {
            (strokes, None) => {
                strokes.parse().map_or_else(|_| Vec::new(), |count| self.offered(count))
            }
            (strokes, Some((form, further))) => match (strokes.parse(), further.parse()) {
                (Ok(strokes), Ok(further)) => self.found(strokes, form, Some(further)),
                (Ok(strokes), Err(_)) if further.is_empty() => self.found(strokes, form, None),
                _ => Vec::new(),
            },
        };
        let used = typed.len();
        found.into_iter().take(most).map(|one| Candidate { text: one.into(), used }).collect()
    }

    /// A radical with eight further strokes may have four hundred characters, and the rare one that
    /// is looked for stands behind all others.
    fn most(&self) -> usize {
        1000
    }

    fn leads_to(&self, typed: &str, chosen: &Candidate) -> Option<String> {
        match parts(typed) {
            (_, None) => Some(format!("{typed}{}", chosen.text)),
            (_, Some(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Composer, Key, Step};

    fn radicals() -> Radicals {
        let mut rare = Rare::default();
        rare.read_radicals(
            "水\t85\t0\n江\t85\t3\n池\t85\t3\n沝\t85\t4\n㴇\t85\t3\n口\t30\t0\n吉\t30\t3\n\
             邓\t163\t2\n队\t170\t2\n阳\t170\t4\n月\t74\t0\n有\t74\t2\n肉\t130\t0\n肌\t130\t2\n",
        )
        .unwrap();
        Radicals(Arc::new(rare))
    }

    fn texts(typed: &str, most: usize) -> String {
        let found = radicals().candidates(typed, Purpose::Any, most);
        assert!(found.iter().all(|one| one.used == typed.len()));
        found.into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn the_table_has_each_radical_once_and_with_its_number() {
        let all: Vec<char> = KANGXI.concat().chars().collect();
        assert_eq!(all.len(), 214);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 214);
        for (number, one) in
            [(1, '一'), (9, '人'), (85, '水'), (140, '艸'), (167, '金'), (214, '龠')]
        {
            assert_eq!(all[number - 1], one);
        }
        let rows: Vec<usize> = KANGXI.iter().map(|row| row.chars().count()).collect();
        assert_eq!(rows, [6, 23, 31, 34, 23, 29, 20, 9, 11, 8, 6, 4, 4, 2, 1, 2, 1]);
        // A form is no second entry of the same row.
        assert!(FORMS.iter().all(|(strokes, form, number)| {
            let row = KANGXI[usize::from(*strokes) - 1];
            (1..=214).contains(number)
                && (!row.contains(*form) || all[usize::from(*number) - 1] != *form)
        }));
        assert!(forms(0).next().is_none() && forms(18).next().is_none());
    }

    #[test]
    fn radicals_are_offered_by_their_strokes_as_people_write_them() {
        assert_eq!(texts("3", 2), "氵口", "those with most characters first");
        assert!(texts("3", 99).contains('艹') && !texts("3", 99).contains('水'));
        assert!(texts("4", 99).starts_with('水') && texts("9", 99).contains('骨'));
        assert_eq!(texts("2", 99).matches('阝').count(), 1);
        assert_eq!(texts("17", 99), "龠");
        for nothing in ["0", "18", "999", "00000000000000"] {
            assert!(texts(nothing, 99).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn characters_are_found_under_every_form_of_their_radical() {
        assert_eq!(texts("3氵3", 9), "江池㴇", "the common ones first");
        assert_eq!(texts("4水3", 9), "江池㴇");
        assert_eq!(texts("3氵", 9), "水江池㴇沝", "by strokes, while none are typed");
        assert_eq!(texts("2阝2", 9), "邓队", "left and right");
        assert_eq!(texts("4月2", 9), "有肌", "moon and flesh");
        for nothing in ["3氵9", "3氵99999", "3水3", "氵3", "3氵口", "3x1"] {
            assert!(texts(nothing, 9).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn digits_and_choices_lead_to_a_character_and_back_again() {
        let (engine, mut composer) = (radicals(), Composer::default());
        composer.press(Key::Letter('3'), &engine);
        assert_eq!(engine.shown(composer.typed()), "3画");
        assert!(composer.pages().1 > 1, "{:?}", composer.pages());
        assert_eq!(composer.press(Key::Choose(0), &engine), Step::Composing, "no text yet");
        assert_eq!(engine.shown(composer.typed()), "氵");
        composer.press(Key::Letter('3'), &engine);
        assert_eq!(engine.shown(composer.typed()), "氵＋3画");
        // Each step is taken back by one key.
        let typed = composer.typed().to_owned();
        for before in ["3氵", "3"] {
            composer.press(Key::Backspace, &engine);
            assert_eq!(composer.typed(), before);
        }
        composer.press(Key::Choose(0), &engine);
        composer.press(Key::Letter('3'), &engine);
        assert_eq!(composer.typed(), typed);
        assert_eq!(composer.press(Key::Choose(1), &engine), Step::Committed);
        assert_eq!((composer.committed(), composer.is_composing()), ("池", false));
        assert_eq!(composer.press(Key::Letter('a'), &engine), Step::Ignored);
    }
}
