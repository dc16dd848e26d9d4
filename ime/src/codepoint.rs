//! Why: a character that nobody can spell has a number, and a certificate or a police station can
//! tell it. It is the last way, and it reaches every character there is.
//!
//! Refuses: numbers of nothing: halves of pairs, controls, private ones that mean something else on
//! each machine, and what is no Chinese character at all.

/// Why a number is no character to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotACharacter {
    /// Not four to six hexadecimal digits.
    #[error("a code point is four to six digits of 0-9 and A-F")]
    Form,
    /// No Chinese character has it.
    #[error("no Chinese character has this code point")]
    NotChinese,
}

/// Where Chinese characters are: the first and the last of each block.
const BLOCKS: [(u32, u32); 13] = [
    (0x3007, 0x3007),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0xf900, 0xfaff),
    (0x20000, 0x2a6df),
    (0x2a700, 0x2b73f),
    (0x2b740, 0x2b81f),
    (0x2b820, 0x2ceaf),
    (0x2ceb0, 0x2ebef),
    (0x2ebf0, 0x2ee5f),
    (0x2f800, 0x2fa1f),
    (0x30000, 0x3134f),
    (0x31350, 0x323af),
];

/// True for a character of Chinese writing, in whichever extension.
pub fn is_chinese(one: char) -> bool {
    let number = u32::from(one);
    BLOCKS.iter().any(|(first, last)| (*first..=*last).contains(&number))
}

/// The character of a code point: `20BB7`, `U+20BB7` and `u+20bb7` are the same.
pub fn read(text: &str) -> Result<char, NotACharacter> {
    let digits = text.trim();
    let digits = digits.strip_prefix("U+").or_else(|| digits.strip_prefix("u+")).unwrap_or(digits);
    if !(4..=6).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(NotACharacter::Form);
    }
    let number = u32::from_str_radix(digits, 16).map_err(|_| NotACharacter::Form)?;
    char::from_u32(number).filter(|one| is_chinese(*one)).ok_or(NotACharacter::NotChinese)
}

/// As it is written for people: `U+20BB7`.
pub fn write(one: char) -> String {
    format!("U+{:04X}", u32::from(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_rare_characters_are_read() {
        for (text, one) in [("20BB7", '𠮷'), ("u+20bb7", '𠮷'), ("U+738B", '王'), (" 3007 ", '〇')]
        {
            assert_eq!(read(text), Ok(one), "{text}");
        }
        assert_eq!(write('𠮷'), "U+20BB7");
    }

    #[test]
    fn what_is_no_character_is_refused() {
        for text in ["", "U+", "73", "1234567", "73G1", "+738B", "７３８Ｂ"] {
            assert_eq!(read(text), Err(NotACharacter::Form), "{text}");
        }
        for text in ["D842", "E000", "0041", "110000", "1F600", "202E"] {
            assert_eq!(read(text), Err(NotACharacter::NotChinese), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_chinese_character_comes_back(one in proptest::char::any()) {
            let expected = if is_chinese(one) { Ok(one) } else { Err(NotACharacter::NotChinese) };
            prop_assert_eq!(read(&write(one)), expected);
        }
    }
}
