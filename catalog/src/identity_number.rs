//! Why: 公民身份号码 (GB 11643) is typed by tired people on touch screens and read from worn cards,
//! so it is checked where it enters and masked wherever it is shown.
//!
//! Refuses: 15-digit numbers of the first generation, dates that never were, a wrong check
//! character. Does not refuse an unknown region: regions are abolished, their people are not.

use jiff::civil::Date;
use personal::PersonalText;
use thiserror::Error;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// A number that passed every check, in canonical form: 18 characters, `X` upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityNumber {
    text: PersonalText,
    birth_date: Date,
    sex: Sex,
}

/// Sex by the 17th digit, with the codes of GB/T 2261.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// 男, code 1.
    Male,
    /// 女, code 2.
    Female,
}

impl Sex {
    /// The code of GB/T 2261.1.
    pub fn code(self) -> &'static str {
        match self {
            Sex::Male => "1",
            Sex::Female => "2",
        }
    }
}

/// Why a text is no identity number. Never repeats the number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdentityNumberError {
    /// The number of the first generation.
    #[error("an identity number of 15 digits is no longer valid")]
    FirstGeneration,
    /// Too short or too long.
    #[error("an identity number has 18 characters, not {found}")]
    Length {
        /// How many characters there were.
        found: usize,
    },
    /// Something that is neither a digit nor the final X.
    #[error("character {position} of the identity number is not a digit")]
    Character {
        /// Counted from 1.
        position: usize,
    },
    /// Digits 7 to 14 are no day of the calendar.
    #[error("digits 7 to 14 of the identity number are no date")]
    BirthDate,
    /// The last character does not fit the others.
    #[error("the check character of the identity number does not fit")]
    Check,
}

impl IdentityNumberError {
    /// What the person can do.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::FirstGeneration => "use the 18-digit number of the current card",
            Self::Length { .. } => "enter all 18 characters as printed on the card",
            Self::Character { .. } => "enter digits only; the last character may be X",
            Self::BirthDate => "compare digits 7 to 14 with the date of birth on the card",
            Self::Check => "compare every digit with the card; two may be swapped",
        }
    }
}

impl IdentityNumber {
    /// Reads a number as typed: full-width forms and a small x are folded, blanks at the ends are
    /// dropped.
    pub fn parse(text: &str) -> Result<Self, IdentityNumberError> {
        let folded = PersonalText::new(text.trim().chars().map(fold).collect::<String>());
        let count = folded.as_str().chars().count();
        if count == 15 && folded.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdentityNumberError::FirstGeneration);
        }
        if count != 18 {
            return Err(IdentityNumberError::Length { found: count });
        }
        let mut sum = 0;
        let mut last = '0';
        for (index, character) in folded.as_str().chars().enumerate() {
            let bad = IdentityNumberError::Character { position: index + 1 };
            match WEIGHTS.get(index) {
                Some(weight) => sum += weight * character.to_digit(10).ok_or(bad)?,
                None if character.is_ascii_digit() || character == 'X' => last = character,
                None => return Err(bad),
            }
        }
        // Every character is ASCII from here on, so byte ranges are character ranges.
        let digits = folded.as_str();
        let birth_date = compact_date(&digits[6..14]).ok_or(IdentityNumberError::BirthDate)?;
        if char::from(CHECKS[(sum % 11) as usize]) != last {
            return Err(IdentityNumberError::Check);
        }
        let odd = digits.as_bytes()[16] % 2 == 1;
        let sex = if odd { Sex::Male } else { Sex::Female };
        Ok(Self { text: folded, birth_date, sex })
    }

    /// The canonical 18 characters.
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The six digits of the place of first registration, which may exist no longer.
    pub fn region_code(&self) -> &str {
        &self.as_str()[..6]
    }

    /// The date of birth.
    pub fn birth_date(&self) -> Date {
        self.birth_date
    }

    /// Sex by the 17th digit.
    pub fn sex(&self) -> Sex {
        self.sex
    }
}

/// `110105********002X`: enough to recognise one's own, not enough to copy. A text that is no
/// identity number is starred out whole, because what it holds is unknown.
pub fn mask(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    if characters.len() != 18 {
        return "*".repeat(characters.len());
    }
    let shown = |index: usize| !(6..14).contains(&index);
    let starred = |(index, c): (usize, &char)| if shown(index) { *c } else { '*' };
    characters.iter().enumerate().map(starred).collect()
}

/// Full-width ASCII to ASCII, small x to capital X.
fn fold(character: char) -> char {
    match crate::answer::fold_width(character) {
        'x' => 'X',
        other => other,
    }
}

fn compact_date(digits: &str) -> Option<Date> {
    let year = digits.get(..4)?.parse().ok()?;
    let month = digits.get(4..6)?.parse().ok()?;
    let day = digits.get(6..8)?.parse().ok()?;
    if year < 1800 {
        return None;
    }
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const STANDARD: &str = "11010519491231002X";

    /// Completes 17 digits with the check character, computed the long way round.
    fn completed(digits: &str) -> String {
        for check in "0123456789X".chars() {
            let value = |c: char| if c == 'X' { 10 } else { c.to_digit(10).unwrap() };
            let total: u32 = digits
                .chars()
                .enumerate()
                .map(|(index, c)| value(c) * (2u32.pow(17 - index as u32) % 11))
                .sum();
            if (total + value(check)) % 11 == 1 {
                return format!("{digits}{check}");
            }
        }
        unreachable!("one of eleven check characters always fits")
    }

    #[test]
    fn the_standards_own_example_is_read() {
        let number = IdentityNumber::parse(STANDARD).unwrap();
        assert_eq!(number.as_str(), STANDARD);
        assert_eq!(number.birth_date(), date(1949, 12, 31));
        assert_eq!(number.sex(), Sex::Female);
        assert_eq!(number.sex().code(), "2");
        assert_eq!(number.region_code(), "110105");
        assert_eq!(IdentityNumber::parse(&completed("51010619990229001")).err(), bad_date());
        assert_eq!(
            IdentityNumber::parse(&completed("51010620000229001")).unwrap().sex(),
            Sex::Male
        );
    }

    fn bad_date() -> Option<IdentityNumberError> {
        Some(IdentityNumberError::BirthDate)
    }

    #[test]
    fn full_width_and_small_x_are_folded() {
        for written in
            ["１１０１０５１９４９１２３１００２Ｘ", "11010519491231002ｘ", " 11010519491231002x　"]
        {
            assert_eq!(IdentityNumber::parse(written).unwrap().as_str(), STANDARD);
        }
    }

    #[test]
    fn an_abolished_region_is_accepted() {
        assert!(IdentityNumber::parse(&completed("99999919900101001")).is_ok());
    }

    #[test]
    fn each_fault_has_its_own_error() {
        use IdentityNumberError as E;
        for (text, error) in [
            ("", E::Length { found: 0 }),
            ("110105491231002", E::FirstGeneration),
            ("11010519491231002", E::Length { found: 17 }),
            ("1101051949123100201", E::Length { found: 19 }),
            ("1101051949123I002X", E::Character { position: 14 }),
            ("11010519491231002Y", E::Character { position: 18 }),
            ("X1010519491231002X", E::Character { position: 1 }),
            ("110105194912310020", E::Check),
            ("11010519491301002X", E::BirthDate),
            ("11010500001231002X", E::BirthDate),
            ("样本样本样本样本样本样本样本样本样本", E::Character { position: 1 }),
        ] {
            assert_eq!(IdentityNumber::parse(text).err(), Some(error.clone()), "{text}");
            assert!(!error.cure().is_empty());
            assert!(!error.to_string().contains("11010"));
        }
    }

    #[test]
    fn masks_keep_the_ends_and_nothing_of_unknown_texts() {
        assert_eq!(mask(STANDARD), "110105********002X");
        assert_eq!(mask("样本甲"), "***");
        assert_eq!(mask(""), "");
    }

    #[test]
    fn debug_does_not_show_the_number() {
        assert!(!format!("{:?}", IdentityNumber::parse(STANDARD)).contains("110105"));
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC{0,24}") {
            let _ = IdentityNumber::parse(&text);
            prop_assert_eq!(mask(&text).chars().count(), text.chars().count());
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(position in 0usize..17, other in 0u8..10) {
            let mut bytes = STANDARD.as_bytes().to_vec();
            prop_assume!(bytes[position] != b'0' + other);
            bytes[position] = b'0' + other;
            prop_assert!(IdentityNumber::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }
    }
}
