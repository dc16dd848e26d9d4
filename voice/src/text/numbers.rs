//! Why: 12345 is five digits for who dials it and twelve thousand for an engine; 2026-03-05 is a day.
//! What a figure means is decided by what stands around it.
//!
//! Refuses: numbers with fifteen or more digits, whoever hands them over.

use zeroize::Zeroizing;

use super::Language;

/// A number with so many digits is a person's or a bank card's.
const OF_PEOPLE: usize = 15;
/// Numbers that are dialled although they are short.
const DIALLED: [&str; 7] = ["110", "112", "114", "119", "120", "122", "999"];
/// What is counted; a number before it is an amount.
const COUNTED: &str =
    "元人个份年天月日号岁次张页小分秒时周条项位名件万千百米公里平字步级台本支种遍楼层%";
/// Of what there are 两, not 二.
const PAIRS: &str = "个份人张页次位名件本支种年天周小分条项步台遍万千米";

/// The text with its figures as they are said.
pub(super) fn spoken(text: &str, language: Language) -> Zeroizing<String> {
    let letters = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        if letter.is_ascii_digit() {
            if let Some(end) = of_people(&letters, at) {
                at = end;
                continue;
            }
            at = figure(&letters, at, language, &mut out);
        } else if language == Language::Chinese && letter.is_ascii_alphabetic() {
            // The Chinese voice takes words in Latin letters for pinyin; it spells single ones.
            out.push(' ');
            out.push(letter.to_ascii_uppercase());
            out.push(' ');
            at += 1;
        } else {
            out.push(letter);
            at += 1;
        }
    }
    out
}

/// The end of a number that is not spoken, also when it stands in groups.
fn of_people(letters: &[char], at: usize) -> Option<usize> {
    let (mut digits, mut end, mut next) = (0, at, at);
    while let Some(letter) = letters.get(next) {
        match letter {
            '0'..='9' => {
                digits += 1;
                end = next + 1;
            }
            ' ' | '-' => {}
            _ => break,
        }
        next += 1;
    }
    (digits >= OF_PEOPLE).then(|| end + usize::from(matches!(letters.get(end), Some('X' | 'x'))))
}

/// One figure with the signs inside it.
struct Figure {
    parts: Vec<String>,
    signs: Vec<char>,
}

fn read(letters: &[char], mut at: usize) -> (Figure, usize) {
    let mut figure = Figure { parts: vec![String::new()], signs: Vec::new() };
    while let Some(&letter) = letters.get(at) {
        let digit_follows = letters.get(at + 1).is_some_and(char::is_ascii_digit);
        if letter.is_ascii_digit() {
            if let Some(part) = figure.parts.last_mut() {
                part.push(letter);
            }
        } else if matches!(letter, '.' | ',' | ':' | '/' | '-' | '~') && digit_follows {
            figure.signs.push(letter);
            figure.parts.push(String::new());
        } else {
            break;
        }
        at += 1;
    }
    (figure, at)
}

/// What stands around a figure, spaces left out.
#[derive(Clone, Copy)]
struct Around {
    before: Option<char>,
    after: Option<char>,
}

impl Around {
    fn counted(self) -> bool {
        self.after.is_some_and(|after| COUNTED.contains(after))
    }
}

fn figure(letters: &[char], at: usize, language: Language, out: &mut String) -> usize {
    let (figure, mut end) = read(letters, at);
    let before = letters[..at].iter().rev().find(|letter| **letter != ' ').copied();
    let after = letters[end..].iter().find(|letter| **letter != ' ').copied();
    let around = Around { before, after };
    let money = before == Some('¥');
    let chinese = language == Language::Chinese;
    if chinese && after == Some('%') {
        out.push_str("百分之");
    }
    out.push_str(&figure.said(around, language));
    match (after, chinese) {
        (Some('%'), false) => out.push_str(" percent"),
        (Some('元'), _) => {}
        _ if money => out.push_str(if chinese { "元" } else { " yuan" }),
        _ => {}
    }
    // The number of a line in a list makes a pause and no sentence.
    let first = matches!(before, None | Some('\n' | '。' | ';'));
    if first && figure.parts.len() == 1 && matches!(letters.get(end), Some('.' | '，' | ',')) {
        out.push_str(if chinese { "，" } else { ", " });
        end += 1;
    }
    end
}

impl Figure {
    fn said(&self, around: Around, language: Language) -> String {
        if let Some(day) = self.day(language) {
            return day;
        }
        let range = |sign: &char| matches!(sign, '-' | '~');
        if self.signs.contains(&'-') && self.is_dialled() {
            let groups = self.parts.iter().map(|part| digits(part, language, true));
            return groups.collect::<Vec<_>>().join(comma(language));
        }
        // Pieces between dashes: from one to the other.
        let mut pieces = vec![(vec![self.parts[0].as_str()], Vec::new())];
        for (sign, part) in self.signs.iter().zip(&self.parts[1..]) {
            if range(sign) {
                pieces.push((vec![part.as_str()], Vec::new()));
            } else if let Some((parts, signs)) = pieces.last_mut() {
                parts.push(part);
                signs.push(*sign);
            }
        }
        let said: Vec<String> =
            pieces.iter().map(|(parts, signs)| piece(parts, signs, around, language)).collect();
        let to = match (pieces.len(), language) {
            (2, Language::Chinese) => "至",
            (2, Language::English) => " to ",
            _ => comma(language),
        };
        said.join(to)
    }

    /// `2026-03-05` and its like.
    fn day(&self, language: Language) -> Option<String> {
        let [year, month, day] = self.parts.as_slice() else { return None };
        let same = self.signs[0] == self.signs[1] && matches!(self.signs[0], '-' | '/' | '.');
        let month_number = month.parse::<u32>().ok().filter(|month| (1..=12).contains(month))?;
        let day_number = day.parse::<u32>().ok().filter(|day| (1..=31).contains(day))?;
        if !same || year.len() != 4 || month.len() > 2 || day.len() > 2 {
            return None;
        }
        Some(match language {
            Language::Chinese => format!(
                "{}年{}月{}日",
                digits(year, language, false),
                cardinal(month_number),
                cardinal(day_number)
            ),
            Language::English => {
                let name = MONTHS.get(usize::try_from(month_number).ok()?.checked_sub(1)?)?;
                format!("{name} {day_number}, {year}")
            }
        })
    }

    /// With an area code, or with parts too long to be amounts.
    fn is_dialled(&self) -> bool {
        let first = &self.parts[0];
        self.signs.iter().all(|sign| *sign == '-')
            && (first.starts_with('0') && first.len() > 2
                || matches!(first.as_str(), "400" | "800")
                || self.parts.iter().any(|part| part.len() > 4))
    }
}

fn comma(language: Language) -> &'static str {
    if language == Language::Chinese { "，" } else { ", " }
}

/// A piece without dashes: a time, a decimal, an amount with commas, a plain number.
fn piece(parts: &[&str], signs: &[char], around: Around, language: Language) -> String {
    match (parts, signs) {
        ([hour, minute], [':']) | ([hour, minute, _], [':', ':'])
            if hour.len() <= 2 && minute.len() == 2 =>
        {
            time(hour, minute, language)
        }
        ([whole, fraction], ['.']) => match language {
            Language::English => format!("{whole}.{fraction}"),
            Language::Chinese => {
                let whole = plain(whole, Around { before: None, after: None }, language);
                format!("{whole}点{}", digits(fraction, language, false))
            }
        },
        (parts, signs)
            if !signs.is_empty()
                && signs.iter().all(|sign| *sign == ',')
                && parts[1..].iter().all(|part| part.len() == 3) =>
        {
            let amount = Around { after: Some('元'), ..around };
            plain(&parts.concat(), amount, language)
        }
        _ => {
            let said: Vec<_> = parts.iter().map(|part| plain(part, around, language)).collect();
            said.join(comma(language))
        }
    }
}

fn time(hour: &str, minute: &str, language: Language) -> String {
    let (Ok(hours), Ok(minutes)) = (hour.parse::<u32>(), minute.parse::<u32>()) else {
        return String::new();
    };
    match (language, minutes) {
        (Language::Chinese, 0) => format!("{}点", hours_said(hours)),
        (Language::Chinese, 1..=9) => format!("{}点零{}分", hours_said(hours), cardinal(minutes)),
        (Language::Chinese, _) => format!("{}点{}分", hours_said(hours), cardinal(minutes)),
        (Language::English, 0) if hours <= 12 => format!("{hours} o'clock"),
        (Language::English, 0) => format!("{hours} hundred hours"),
        (Language::English, 1..=9) => format!("{hours} oh {minutes}"),
        (Language::English, _) => format!("{hours} {minutes}"),
    }
}

fn hours_said(hours: u32) -> String {
    if hours == 2 { "两".to_owned() } else { cardinal(hours) }
}

fn plain(number: &str, around: Around, language: Language) -> String {
    let year = number.len() == 4 && around.after == Some('年');
    let led = number.len() > 1 && number.starts_with('0');
    let name = around.before.is_some_and(|before| before.is_ascii_alphabetic())
        && language == Language::Chinese;
    let dialled =
        DIALLED.contains(&number) && around.before != Some('第') || number.len() >= 5 || led;
    if year {
        return digits(number, language, false);
    }
    if name || dialled && !(around.counted() && number.len() <= 8) {
        return digits(number, language, !name);
    }
    if language == Language::English {
        return number.trim_start_matches('0').to_owned();
    }
    let value = number.parse::<u32>().unwrap_or_default();
    let pair = value == 2
        && around.before != Some('第')
        && around.after.is_some_and(|after| PAIRS.contains(after));
    if pair { "两".to_owned() } else { cardinal(value) }
}

/// Digit by digit; dialled ones with 幺, which is not mistaken for 七.
fn digits(number: &str, language: Language, dialled: bool) -> String {
    let figures = number.chars().filter_map(|digit| digit.to_digit(10));
    match language {
        Language::English => figures.map(|one| one.to_string()).collect::<Vec<_>>().join(" "),
        Language::Chinese => figures
            .map(|one| if one == 1 && dialled { "幺" } else { NUMERALS[one as usize % 10] })
            .collect(),
    }
}

const NUMERALS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// An amount in Chinese, below a hundred million.
fn cardinal(value: u32) -> String {
    if value >= 100_000_000 {
        return digits(&value.to_string(), Language::Chinese, false);
    }
    let (high, low) = (value / 10_000, value % 10_000);
    if high == 0 {
        return thousands(low, true);
    }
    let mut said = thousands(high, true);
    said.push('万');
    if low > 0 {
        if low < 1_000 {
            said.push('零');
        }
        said.push_str(&thousands(low, false));
    }
    said
}

/// Below ten thousand; at the beginning of a number, 十 needs no 一.
fn thousands(value: u32, first: bool) -> String {
    if value == 0 {
        return NUMERALS[0].to_owned();
    }
    let mut said = String::new();
    let mut gap = false;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / unit % 10;
        if digit == 0 {
            gap = !said.is_empty();
            continue;
        }
        if gap {
            said.push_str(NUMERALS[0]);
            gap = false;
        }
        if !(first && said.is_empty() && unit == 10 && digit == 1) {
            said.push_str(NUMERALS[digit as usize % 10]);
        }
        said.push_str(name);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chinese(text: &str) -> String {
        spoken(text, Language::Chinese).to_string()
    }

    fn english(text: &str) -> String {
        spoken(text, Language::English).to_string()
    }

    #[test]
    fn numbers_to_dial_are_read_digit_by_digit() {
        assert_eq!(chinese("拨打12345或110"), "拨打幺二三四五或幺幺零");
        assert_eq!(chinese("028-86110000"), "零二八，八六幺幺零零零零");
        assert_eq!(english("Call 12345 or 120"), "Call 1 2 3 4 5 or 1 2 0");
        assert_eq!(english("028-86110000"), "0 2 8, 8 6 1 1 0 0 0 0");
        assert_eq!(chinese("共110页，12345人"), "共一百一十页，一万二千三百四十五人");
    }

    #[test]
    fn days_and_times_are_read_as_people_say_them() {
        for text in ["2026-03-05", "2026/3/5", "2026.03.05"] {
            assert_eq!(chinese(text), "二零二六年三月五日");
            assert_eq!(english(text), "March 5, 2026");
        }
        assert_eq!(chinese("2026年03月15日"), "二零二六年三月十五日");
        assert_eq!(chinese("2023-2024年"), "二零二三至二零二四年");
        assert_eq!(chinese("9:00-17:30，2:05"), "九点至十七点三十分，两点零五分");
        assert_eq!(english("9:00-17:30"), "9 o'clock to 17 30");
        assert_eq!(chinese("2026-13-05"), "二千零二十六，十三，零五");
    }

    #[test]
    fn amounts_are_read_as_amounts() {
        assert_eq!(chinese("第2页，共2页，3-5个"), "第二页，共两页，三至五个");
        assert_eq!(chinese("3.5%和50%"), "百分之三点五%和百分之五十%");
        assert_eq!(english("50%"), "50 percent%");
        assert_eq!(chinese("¥1,200"), "¥一千二百元");
        assert_eq!(english("¥1,200 and 3.5"), "¥1200 yuan and 3.5");
        assert_eq!(chinese("A4纸"), " A 四纸");
        assert_eq!(chinese("1.请"), "一，请");
    }

    #[test]
    fn every_cardinal_has_its_zeros_where_they_are_said() {
        for (value, said) in [
            (0, "零"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (101, "一百零一"),
            (110, "一百一十"),
            (1_001, "一千零一"),
            (1_010, "一千零一十"),
            (2_300, "二千三百"),
            (10_000, "一万"),
            (10_010, "一万零一十"),
            (120_345, "十二万零三百四十五"),
            (20_003_000, "二千万三千"),
            (123_456_789, "一二三四五六七八九"),
        ] {
            assert_eq!(cardinal(value), said, "{value}");
        }
    }

    #[test]
    fn a_persons_number_is_not_there_when_it_is_spoken() {
        assert_eq!(chinese("证号51010119900101001X。"), "证号。");
        assert_eq!(english("Card 6222 0000 0000 0000 000 here"), "Card  here");
    }
}
