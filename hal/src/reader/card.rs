//! Why: a card's chip holds 256 bytes of UTF-16LE text in fixed places, laid out differently for
//! residents, for residents of Hong Kong, Macao and Taiwan, and for two generations of foreigners'
//! permits. This file turns them into an [`Identity`] and back, without any I/O.
//!
//! Refuses: to crash or to guess on a damaged chip. A character that cannot exist makes its field
//! doubtful, codes outside the tables stay as they are, and a card without a number or a validity
//! that can be read is an error, because nothing may be decided on it. The photo is coded in a
//! closed format (WLT) and is carried as it is.

use std::fmt;

use jiff::civil::Date;
use personal::{PersonalBytes, PersonalText};
use thiserror::Error;
use zeroize::Zeroizing;

/// Length of the card's text in bytes.
pub const TEXT_LENGTH: usize = 256;
const LONG_TERM: &str = "长期";
const KIND_AT: usize = 248;

/// What kind of card lies on the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// 居民身份证: what veterans hold.
    Resident,
    /// 港澳台居民居住证.
    HongKongMacaoTaiwan,
    /// 外国人永久居留身份证, 2017.
    Foreigner2017,
    /// 外国人永久居留身份证, 2023.
    Foreigner2023,
    /// A type mark nobody has published.
    Unknown(u16),
}

impl CardKind {
    /// The kind that a type mark stands for.
    pub fn from_unit(unit: u16) -> Self {
        match u8::try_from(unit) {
            Ok(b' ' | 0) => Self::Resident,
            Ok(b'J') => Self::HongKongMacaoTaiwan,
            Ok(b'I') => Self::Foreigner2017,
            Ok(b'Y') => Self::Foreigner2023,
            _ => Self::Unknown(unit),
        }
    }

    /// The type mark on the card.
    pub fn unit(self) -> u16 {
        match self {
            Self::Resident => u16::from(b' '),
            Self::HongKongMacaoTaiwan => u16::from(b'J'),
            Self::Foreigner2017 => u16::from(b'I'),
            Self::Foreigner2023 => u16::from(b'Y'),
            Self::Unknown(unit) => unit,
        }
    }
}

/// A code of one character, such as GB/T 2261.1 for sex (1 male, 2 female, 0 and 9 not known or
/// not stated). A digit is its number; another character that fits a byte is kept as that byte,
/// and anything else is 255, so that an unknown code stays visible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Code(pub u8);

/// A place on the card, for errors that must not quote what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardField {
    /// Name in Chinese.
    Name,
    /// Name in Latin letters.
    EnglishName,
    /// Code of the sex.
    Sex,
    /// Code of the ethnic group.
    Ethnicity,
    /// Date of birth.
    Birth,
    /// Address.
    Address,
    /// Number of the card.
    Number,
    /// Issuing authority.
    Issuer,
    /// First day of validity.
    ValidFrom,
    /// Last day of validity.
    ValidUntil,
    /// Number of the travel permit.
    PassNumber,
    /// How often the card was issued or renewed.
    IssueCount,
    /// Country or region.
    Country,
    /// Version of the card.
    Version,
    /// The address added to the card after it was made.
    AddedAddress,
}

/// Why a card's text gave no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CardError {
    /// Fewer bytes than a card has.
    #[error("the card's text is {0} bytes long, shorter than the {TEXT_LENGTH} of a card")]
    TextLength(usize),
    /// A type mark nobody has published.
    #[error("the card is of an unknown type (mark {0:04X})")]
    UnknownKind(u16),
    /// A field without which nothing can be decided is empty or unreadable.
    #[error("the card's field {0:?} is empty or unreadable")]
    Field(CardField),
}

/// What a card says about its holder.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name in Chinese; may be empty on a foreigner's card.
    pub name: PersonalText,
    /// Name in Latin letters; empty on a resident's card.
    pub english_name: PersonalText,
    /// GB/T 2261.1.
    pub sex: Code,
    /// GB/T 3304, two digits; empty where the card has none.
    pub ethnicity: PersonalText,
    /// `YYYY-MM-DD`; `None` when the card's date does not exist.
    pub birth: Option<PersonalText>,
    /// Address as printed; empty on a foreigner's card.
    pub address: PersonalText,
    /// Number of the card.
    pub number: PersonalText,
    /// Issuing authority, or its code on a card of 2017; empty where the card has none.
    pub issuer: PersonalText,
    /// First day of validity; `None` when the card's date does not exist.
    pub valid_from: Option<Date>,
    /// Last day of validity; `None` means 长期, without end.
    pub valid_until: Option<Date>,
    /// The kind of card.
    pub kind: CardKind,
    /// Number of the travel permit, on a card of Hong Kong, Macao and Taiwan residents.
    pub pass_number: PersonalText,
    /// How often the card was issued or renewed; empty where the card has none.
    pub issue_count: String,
    /// Country or region, on a foreigner's card.
    pub country: String,
    /// Version of a foreigner's card of 2017.
    pub version: String,
    /// The address added to the card after it was made; `None` when there is none or nobody asked.
    pub added_address: Option<PersonalText>,
    /// The photo in WLT coding, opaque.
    pub photo: PersonalBytes,
    /// The photo as a picture (BMP or PNG), where a decoder was named and did its work.
    pub portrait: Option<PersonalBytes>,
    /// Fields with characters that cannot exist; they show U+FFFD in their place and want a look
    /// at the printed card.
    pub doubtful: Vec<CardField>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("kind", &self.kind)
            .field("doubtful", &self.doubtful)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// An empty card of a kind, to be filled in by a specimen.
    pub fn blank(kind: CardKind) -> Self {
        Self {
            name: PersonalText::default(),
            english_name: PersonalText::default(),
            sex: Code::default(),
            ethnicity: PersonalText::default(),
            birth: None,
            address: PersonalText::default(),
            number: PersonalText::default(),
            issuer: PersonalText::default(),
            valid_from: None,
            valid_until: None,
            kind,
            pass_number: PersonalText::default(),
            issue_count: String::new(),
            country: String::new(),
            version: String::new(),
            added_address: None,
            photo: PersonalBytes::default(),
            portrait: None,
            doubtful: Vec::new(),
        }
    }

    /// True when the last day of validity is over on `today`.
    pub fn expired(&self, today: Date) -> bool {
        self.valid_until.is_some_and(|last| last < today)
    }

    /// True when the number has 18 characters and its check character is right.
    pub fn number_verifies(&self) -> bool {
        let number = self.number.as_str();
        number.is_char_boundary(17)
            && number.len() == 18
            && check_character(&number[..17]).is_some_and(|check| number.ends_with(check))
    }
}

/// The check character of an 18-character number (ISO 7064 MOD 11-2) from its first 17 digits.
pub fn check_character(digits: &str) -> Option<char> {
    if digits.len() != 17 {
        return None;
    }
    let remainder =
        digits.chars().try_fold(0, |sum, c| c.to_digit(10).map(|digit| (sum + digit) * 2 % 11))?;
    char::from_digit((12 - remainder) % 11, 11).map(|c| if c == 'a' { 'X' } else { c })
}

/// Where a field stands: first byte and length in bytes.
type Place = (usize, usize);

const NAME: Place = (0, 30);
const SEX: Place = (30, 2);
const ETHNICITY: Place = (32, 4);
const BIRTH: Place = (36, 16);
const ADDRESS: Place = (52, 70);
const NUMBER: Place = (122, 36);
const ISSUER: Place = (158, 30);
const FROM: Place = (188, 16);
const UNTIL: Place = (204, 16);

const J_PASS: Place = (220, 18);
const J_COUNT: Place = (238, 4);

const I_ENGLISH: Place = (0, 120);
const I_SEX: Place = (120, 2);
const I_NUMBER: Place = (122, 30);
const I_COUNTRY: Place = (152, 6);
const I_NAME: Place = (158, 30);
const I_BIRTH: Place = (220, 16);
const I_VERSION: Place = (236, 4);
const I_AUTHORITY: Place = (240, 8);

const Y_RENEWALS: Place = (32, 4);
const Y_ENGLISH: Place = (52, 70);
const Y_ENGLISH_MORE: Place = (220, 22);
const Y_COUNTRY: Place = (242, 6);

/// Reads a card's text; the photo is taken along as it is.
pub fn parse(text: &[u8], photo: &[u8]) -> Result<Identity, CardError> {
    let bytes: &[u8; TEXT_LENGTH] = text.first_chunk().ok_or(CardError::TextLength(text.len()))?;
    let kind = CardKind::from_unit(u16::from_le_bytes([bytes[KIND_AT], bytes[KIND_AT + 1]]));
    let mut card = Fields { bytes, doubtful: Vec::new() };
    let mut id = Identity::blank(kind);
    match kind {
        CardKind::Resident | CardKind::HongKongMacaoTaiwan => {
            id.name = card.text(NAME, CardField::Name);
            id.sex = card.code(SEX);
            id.ethnicity = card.text(ETHNICITY, CardField::Ethnicity);
            id.birth = card.birth(BIRTH);
            id.address = card.text(ADDRESS, CardField::Address);
            id.number = card.text(NUMBER, CardField::Number);
            id.issuer = card.text(ISSUER, CardField::Issuer);
            if kind == CardKind::HongKongMacaoTaiwan {
                id.pass_number = card.text(J_PASS, CardField::PassNumber);
                id.issue_count = card.plain(J_COUNT, CardField::IssueCount);
            }
        }
        CardKind::Foreigner2017 => {
            id.english_name = card.text(I_ENGLISH, CardField::EnglishName);
            id.sex = card.code(I_SEX);
            id.number = card.text(I_NUMBER, CardField::Number);
            id.country = card.plain(I_COUNTRY, CardField::Country);
            id.name = card.text(I_NAME, CardField::Name);
            id.birth = card.birth(I_BIRTH);
            id.version = card.plain(I_VERSION, CardField::Version);
            id.issuer = card.text(I_AUTHORITY, CardField::Issuer);
        }
        CardKind::Foreigner2023 => {
            id.name = card.text(NAME, CardField::Name);
            id.sex = card.code(SEX);
            id.issue_count = card.plain(Y_RENEWALS, CardField::IssueCount);
            id.birth = card.birth(BIRTH);
            // The name runs on from one field into the other, so only its end is trimmed.
            let mut whole = [0; Y_ENGLISH.1 + Y_ENGLISH_MORE.1];
            let (first, more) = whole.split_at_mut(Y_ENGLISH.1);
            first.copy_from_slice(card.raw(Y_ENGLISH));
            more.copy_from_slice(card.raw(Y_ENGLISH_MORE));
            let whole = Zeroizing::new(whole);
            id.english_name = card.decode(&whole[..], CardField::EnglishName);
            id.number = card.text(NUMBER, CardField::Number);
            id.country = card.plain(Y_COUNTRY, CardField::Country);
        }
        CardKind::Unknown(unit) => return Err(CardError::UnknownKind(unit)),
    }
    id.valid_from = card.date(FROM);
    if id.valid_from.is_none() {
        card.doubtful.push(CardField::ValidFrom);
    }
    id.valid_until = card.until()?;
    if id.number.is_empty() || card.doubtful.contains(&CardField::Number) {
        return Err(CardError::Field(CardField::Number));
    }
    id.photo = PersonalBytes::new(photo.to_vec());
    id.doubtful = card.doubtful;
    Ok(id)
}

/// Reads the answer to the command for the added address; the second value is true when it holds
/// characters that cannot exist. `None` when there is no text.
///
/// The published notes name the command and not the answer's shape. Both that are met are taken:
/// the text alone, and the text behind its own length (u16 BE).
pub fn parse_added_address(data: &[u8]) -> Option<(PersonalText, bool)> {
    let text = match data.split_first_chunk::<2>() {
        Some((length, rest)) if usize::from(u16::from_be_bytes(*length)) == rest.len() => rest,
        _ => data,
    };
    let (text, damaged) = decode(text);
    (!text.is_empty()).then_some((text, damaged))
}

/// Text and whether a character in it cannot exist; trailing blanks are dropped.
fn decode(bytes: &[u8]) -> (PersonalText, bool) {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    // Three bytes of UTF-8 are the most a unit can become; room for all at once, because a text
    // that grows leaves unwiped copies behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 2 * 3));
    let mut damaged = false;
    for decoded in char::decode_utf16(units) {
        text.push(decoded.unwrap_or_else(|_| {
            damaged = true;
            char::REPLACEMENT_CHARACTER
        }));
    }
    let kept = text.trim_end_matches([' ', '\0', '\u{3000}']).len();
    (PersonalText::new(text[..kept].to_owned()), damaged)
}

struct Fields<'a> {
    bytes: &'a [u8; TEXT_LENGTH],
    doubtful: Vec<CardField>,
}

impl Fields<'_> {
    fn raw(&self, (at, length): Place) -> &[u8] {
        &self.bytes[at..at + length]
    }

    fn text(&mut self, place: Place, field: CardField) -> PersonalText {
        let bytes = self.bytes;
        let (at, length) = place;
        self.decode(&bytes[at..at + length], field)
    }

    fn plain(&mut self, place: Place, field: CardField) -> String {
        self.text(place, field).as_str().to_owned()
    }

    fn decode(&mut self, bytes: &[u8], field: CardField) -> PersonalText {
        let (text, damaged) = decode(bytes);
        if damaged {
            self.doubtful.push(field);
        }
        text
    }

    fn code(&mut self, (at, _): Place) -> Code {
        let unit = u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]);
        Code(match u8::try_from(unit) {
            Ok(digit @ b'0'..=b'9') => digit - b'0',
            Ok(other) => other,
            Err(_) => u8::MAX,
        })
    }

    fn date(&self, place: Place) -> Option<Date> {
        let mut digits = [0_u8; 8];
        for (digit, pair) in digits.iter_mut().zip(self.raw(place).chunks_exact(2)) {
            let unit = u16::from_le_bytes([pair[0], pair[1]]);
            *digit = u8::try_from(unit).ok().filter(u8::is_ascii_digit)? - b'0';
        }
        let number = |part: &[u8]| part.iter().fold(0_i16, |sum, &d| sum * 10 + i16::from(d));
        let month = i8::try_from(number(&digits[4..6])).ok()?;
        let day = i8::try_from(number(&digits[6..])).ok()?;
        Date::new(number(&digits[..4]), month, day).ok()
    }

    fn birth(&mut self, place: Place) -> Option<PersonalText> {
        let date = self.date(place);
        if date.is_none() {
            self.doubtful.push(CardField::Birth);
        }
        date.map(|date| PersonalText::new(date.to_string()))
    }

    fn until(&mut self) -> Result<Option<Date>, CardError> {
        if let Some(date) = self.date(UNTIL) {
            return Ok(Some(date));
        }
        if self.text(UNTIL, CardField::ValidUntil).as_str() == LONG_TERM {
            return Ok(None);
        }
        // Treating an unreadable end as 长期 would make every damaged card valid for ever.
        Err(CardError::Field(CardField::ValidUntil))
    }
}

/// Why an identity does not fit on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the field {field:?} does not fit: it has room for {room} UTF-16 units")]
pub struct EncodeError {
    /// The field.
    pub field: CardField,
    /// Its room.
    pub room: usize,
}

/// Writes a card's text as the chip would hold it, for the simulator.
pub fn encode(id: &Identity) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let mut card = Blank(Zeroizing::new([b' ', 0].repeat(TEXT_LENGTH / 2)));
    let sex = match id.sex.0 {
        digit @ 0..=9 => char::from(b'0' + digit),
        other => char::from(other),
    };
    match id.kind {
        CardKind::Foreigner2017 => {
            card.put(I_ENGLISH, CardField::EnglishName, id.english_name.as_str())?;
            card.put(I_SEX, CardField::Sex, sex.encode_utf8(&mut [0; 4]))?;
            card.put(I_NUMBER, CardField::Number, id.number.as_str())?;
            card.put(I_COUNTRY, CardField::Country, &id.country)?;
            card.put(I_NAME, CardField::Name, id.name.as_str())?;
            card.put_birth(I_BIRTH, id)?;
            card.put(I_VERSION, CardField::Version, &id.version)?;
            card.put(I_AUTHORITY, CardField::Issuer, id.issuer.as_str())?;
        }
        CardKind::Foreigner2023 => {
            card.put(NAME, CardField::Name, id.name.as_str())?;
            card.put(SEX, CardField::Sex, sex.encode_utf8(&mut [0; 4]))?;
            card.put(Y_RENEWALS, CardField::IssueCount, &id.issue_count)?;
            card.put_birth(BIRTH, id)?;
            let english = id.english_name.as_str();
            let split = english.char_indices().nth(Y_ENGLISH.1 / 2).map_or(english.len(), |x| x.0);
            card.put(Y_ENGLISH, CardField::EnglishName, &english[..split])?;
            card.put(Y_ENGLISH_MORE, CardField::EnglishName, &english[split..])?;
            card.put(NUMBER, CardField::Number, id.number.as_str())?;
            card.put(Y_COUNTRY, CardField::Country, &id.country)?;
        }
        CardKind::Resident | CardKind::HongKongMacaoTaiwan | CardKind::Unknown(_) => {
            card.put(NAME, CardField::Name, id.name.as_str())?;
            card.put(SEX, CardField::Sex, sex.encode_utf8(&mut [0; 4]))?;
            card.put(ETHNICITY, CardField::Ethnicity, id.ethnicity.as_str())?;
            card.put_birth(BIRTH, id)?;
            card.put(ADDRESS, CardField::Address, id.address.as_str())?;
            card.put(NUMBER, CardField::Number, id.number.as_str())?;
            card.put(ISSUER, CardField::Issuer, id.issuer.as_str())?;
            if id.kind == CardKind::HongKongMacaoTaiwan {
                card.put(J_PASS, CardField::PassNumber, id.pass_number.as_str())?;
                card.put(J_COUNT, CardField::IssueCount, &id.issue_count)?;
            }
        }
    }
    let compact = |date: Date| date.strftime("%Y%m%d").to_string();
    card.put(FROM, CardField::ValidFrom, &id.valid_from.map(compact).unwrap_or_default())?;
    let until = id.valid_until.map_or_else(|| LONG_TERM.to_owned(), compact);
    card.put(UNTIL, CardField::ValidUntil, &until)?;
    card.0[KIND_AT..KIND_AT + 2].copy_from_slice(&id.kind.unit().to_le_bytes());
    Ok(card.0)
}

struct Blank(Zeroizing<Vec<u8>>);

impl Blank {
    fn put(&mut self, place: Place, field: CardField, text: &str) -> Result<(), EncodeError> {
        let (at, length) = place;
        if text.encode_utf16().count() > length / 2 {
            return Err(EncodeError { field, room: length / 2 });
        }
        for (pair, unit) in self.0[at..at + length].chunks_exact_mut(2).zip(text.encode_utf16()) {
            pair.copy_from_slice(&unit.to_le_bytes());
        }
        Ok(())
    }

    fn put_birth(&mut self, place: Place, id: &Identity) -> Result<(), EncodeError> {
        let digits = id
            .birth
            .as_ref()
            .map(|birth| Zeroizing::new(birth.as_str().replace('-', "")))
            .unwrap_or_default();
        self.put(place, CardField::Birth, &digits)
    }
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
