//! Why: a terminal asks for a person's progress and a gateway answers, and neither the question nor
//! the gateway's index may hold the citizen identity number itself. Both sides hash it the same
//! way, with the site's secret pepper in front, so that the number cannot be found by trying.
//!
//! Refuses: a pepper that is too short to protect anything, and numbers that have not the shape of
//! one: hashing rubbish would only give an answer that never matches.

use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

/// Keeps this hash apart from every other use of SHA-256 on the same bytes.
const DOMAIN: &[u8] = b"ronggui/identity/v1";
/// Fewer random bytes than these could be searched together with the few numbers there are.
const LEAST_PEPPER_BYTES: usize = 16;
/// Characters of a citizen identity number.
const NUMBER_CHARS: usize = 18;

/// The hash cannot be made. Says nothing of the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityHashError {
    /// Not hexadecimal, or too short.
    #[error(
        "the identity pepper is not at least 16 bytes in hexadecimal; copy gateway-identity.json again from the gateway"
    )]
    Pepper,
    /// Not 17 digits and a digit or X.
    #[error("this is not a citizen identity number of 18 characters; read the card again")]
    Number,
}

/// Lower-case hexadecimal SHA-256 over the domain, the pepper and the folded number.
///
/// Folding makes full-width digits and `ｘ`, `Ｘ`, `x` the plain ones and drops white space around,
/// so that a typed number and the chip's give the same hash.
pub fn identity_hash(pepper_hex: &str, number: &str) -> Result<String, IdentityHashError> {
    let pepper =
        hex::decode(pepper_hex).map(Zeroizing::new).map_err(|_| IdentityHashError::Pepper)?;
    if pepper.len() < LEAST_PEPPER_BYTES {
        return Err(IdentityHashError::Pepper);
    }
    let folded = fold(number).ok_or(IdentityHashError::Number)?;
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    context.update(&pepper);
    context.update(folded.as_bytes());
    Ok(hex::encode(context.finish()))
}

fn fold(number: &str) -> Option<Zeroizing<String>> {
    let mut folded = Zeroizing::new(String::with_capacity(NUMBER_CHARS));
    for (index, char) in number.trim().chars().enumerate() {
        let plain = match char {
            '0'..='9' => char,
            '０'..='９' => char::from_digit(u32::from(char) - u32::from('０'), 10)?,
            'x' | 'X' | 'ｘ' | 'Ｘ' if index == NUMBER_CHARS - 1 => 'X',
            _ => return None,
        };
        if index >= NUMBER_CHARS {
            return None;
        }
        folded.push(plain);
    }
    (folded.len() == NUMBER_CHARS).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEPPER: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn every_way_of_writing_a_number_gives_one_hash() {
        let hash = identity_hash(PEPPER, "11010519491231002X").unwrap();
        for same in
            ["11010519491231002x", " 11010519491231002Ｘ ", "１１０１０５１９４９１２３１００２ｘ"]
        {
            assert_eq!(identity_hash(PEPPER, same).unwrap(), hash);
        }
        assert_eq!(hash.len(), 64);
        assert!(!hash.contains("19491231"));
    }

    #[test]
    fn the_value_is_what_the_documentation_promises() {
        let mut bytes = b"ronggui/identity/v1".to_vec();
        bytes.extend(0u8..16);
        bytes.extend_from_slice(b"11010519491231002X");
        let expected = hex::encode(ring::digest::digest(&SHA256, &bytes));
        assert_eq!(identity_hash(PEPPER, "11010519491231002X").unwrap(), expected);
    }

    #[test]
    fn other_pepper_other_hash() {
        let other = identity_hash(&"11".repeat(16), "11010519491231002X").unwrap();
        assert_ne!(other, identity_hash(PEPPER, "11010519491231002X").unwrap());
    }

    #[test]
    fn rubbish_is_refused_without_being_quoted() {
        for number in ["", "1101051949123100", "X1010519491231002X", "11010519491231002XX", "样本"]
        {
            let error = identity_hash(PEPPER, number).unwrap_err();
            assert_eq!(error, IdentityHashError::Number);
            assert!(number.is_empty() || !error.to_string().contains(number));
        }
        for pepper in ["", "0011", "zz".repeat(16).as_str()] {
            assert_eq!(identity_hash(pepper, "11010519491231002X"), Err(IdentityHashError::Pepper));
        }
    }
}
