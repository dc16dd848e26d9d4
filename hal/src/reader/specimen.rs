//! Why: tests, demonstrations and training need cards, and a real person's card is out of the
//! question. A specimen card is a small TOML file.
//!
//! Refuses: fields it does not know, dates that do not exist, and text that would not fit the chip.
//!
//! ```toml
//! kind = "resident"        # resident, hong_kong_macao_taiwan, foreigner_2017, foreigner_2023
//! name = "样本甲"
//! sex = 1                  # GB/T 2261.1: 1 male, 2 female
//! ethnicity = "01"         # GB/T 3304
//! birth = "1949-12-31"
//! address = "样本省样本市样本区样本路 1 号"
//! number = "11010519491231002X"
//! issuer = "样本市公安局样本分局"
//! valid_from = "2016-05-01"
//! valid_until = "long-term"   # or a date
//! # also: english_name, pass_number, issue_count, country, version, added_address
//! ```
//!
//! The photo is not given: every specimen carries 1024 bytes that only look like WLT.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use personal::{PersonalBytes, PersonalText};
use serde::Deserialize;
use thiserror::Error;

use super::card::{self, CardKind, Code, EncodeError, Identity};

/// Why a specimen gave no card.
#[derive(Debug, Error)]
pub enum SpecimenError {
    /// The file could not be read.
    #[error("the specimen {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a specimen; the message names the line.
    #[error("not a specimen card: {0}")]
    Format(#[from] toml::de::Error),
    /// A field does not fit the chip.
    #[error("not a specimen card: {0}")]
    Encode(#[from] EncodeError),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Resident,
    HongKongMacaoTaiwan,
    #[serde(rename = "foreigner_2017")]
    Foreigner2017,
    #[serde(rename = "foreigner_2023")]
    Foreigner2023,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Until {
    Date(Date),
    LongTerm(LongTerm),
}

#[derive(Deserialize)]
enum LongTerm {
    #[serde(rename = "long-term", alias = "长期")]
    Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Kind,
    #[serde(default)]
    name: PersonalText,
    #[serde(default)]
    english_name: PersonalText,
    sex: u8,
    #[serde(default)]
    ethnicity: PersonalText,
    birth: Date,
    #[serde(default)]
    address: PersonalText,
    number: PersonalText,
    #[serde(default)]
    issuer: PersonalText,
    valid_from: Date,
    valid_until: Until,
    #[serde(default)]
    pass_number: PersonalText,
    #[serde(default)]
    issue_count: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    version: String,
    added_address: Option<PersonalText>,
}

/// Reads a specimen from a file.
pub fn load(path: &Path) -> Result<Identity, SpecimenError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SpecimenError::Unreadable { path: path.to_path_buf(), source })?;
    parse(&text)
}

/// Reads a specimen from its TOML text, and makes sure that it fits a chip.
pub fn parse(text: &str) -> Result<Identity, SpecimenError> {
    let file: File = toml::from_str(text)?;
    let kind = match file.kind {
        Kind::Resident => CardKind::Resident,
        Kind::HongKongMacaoTaiwan => CardKind::HongKongMacaoTaiwan,
        Kind::Foreigner2017 => CardKind::Foreigner2017,
        Kind::Foreigner2023 => CardKind::Foreigner2023,
    };
    let identity = Identity {
        name: file.name,
        english_name: file.english_name,
        sex: Code(file.sex),
        ethnicity: file.ethnicity,
        birth: Some(PersonalText::new(file.birth.to_string())),
        address: file.address,
        number: file.number,
        issuer: file.issuer,
        valid_from: Some(file.valid_from),
        valid_until: match file.valid_until {
            Until::Date(date) => Some(date),
            Until::LongTerm(LongTerm::Word) => None,
        },
        kind,
        pass_number: file.pass_number,
        issue_count: file.issue_count,
        country: file.country,
        version: file.version,
        added_address: file.added_address,
        photo: PersonalBytes::new(photo()),
        portrait: None,
        doubtful: Vec::new(),
    };
    card::encode(&identity)?;
    Ok(identity)
}

/// The head of a WLT photo and then a pattern that shows nobody.
fn photo() -> Vec<u8> {
    let mut bytes = vec![0x57, 0x4C, 0x66, 0x00, 0x7E, 0x00];
    bytes.extend((0..=u8::MAX).cycle().take(1024 - bytes.len()));
    bytes
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn shipped() -> Vec<(String, Identity)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens");
        let mut all: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
            .map(|path| {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let identity = load(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
                (name, identity)
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn every_shipped_specimen_goes_through_a_chip_unchanged() {
        let all = shipped();
        let residents = all.iter().filter(|(_, id)| id.kind == CardKind::Resident).count();
        assert!(residents >= 4, "{residents} residents");
        for kind in
            [CardKind::HongKongMacaoTaiwan, CardKind::Foreigner2017, CardKind::Foreigner2023]
        {
            assert!(all.iter().any(|(_, id)| id.kind == kind), "{kind:?}");
        }
        for (name, id) in &all {
            let text = card::encode(id).unwrap();
            let read = card::parse(&text, id.photo.expose()).unwrap();
            assert!(read == *id, "{name}");
            let eighteen = id.kind != CardKind::Foreigner2017;
            assert!(!eighteen || id.number_verifies(), "{name}: the number does not verify");
        }
        let today = date(2026, 11, 23);
        assert!(all.iter().any(|(_, id)| id.name.as_str().starts_with('𠮷')));
        assert!(all.iter().any(|(_, id)| id.expired(today)));
        assert!(all.iter().any(|(_, id)| id.valid_until.is_none()));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let good = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens/resident.toml"),
        )
        .unwrap();
        assert!(parse(&good).is_ok());
        let unknown = parse(&format!("{good}\ncolour = \"red\"\n")).unwrap_err().to_string();
        assert!(unknown.contains("colour") && unknown.contains("line"), "{unknown}");
        let year = good.replace("long-term", "2026-02-30");
        assert!(year == good || parse(&year).is_err());
        let long = parse(&good.replace("name = \"", &format!("name = \"{}", "样".repeat(20))));
        assert!(matches!(long, Err(SpecimenError::Encode(_))));
        assert!(matches!(
            load(Path::new("/nonexistent.toml")),
            Err(SpecimenError::Unreadable { .. })
        ));
    }
}
