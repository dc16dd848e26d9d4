//! Finding a place: everything that is listed is found, what is typed badly does no harm, and what a
//! question is offered it also accepts.

mod found;
mod harmless;

use std::path::Path;
use std::sync::OnceLock;

use catalog::{Catalog, Rank, Regions, Scope};

pub(crate) fn catalog() -> &'static Catalog {
    static LOADED: OnceLock<Catalog> = OnceLock::new();
    LOADED.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sichuan");
        Catalog::load(&dir).unwrap_or_else(|errors| panic!("{errors}"))
    })
}

pub(crate) fn regions() -> &'static Regions {
    catalog().regions()
}

/// Everything, seen from 四川省.
pub(crate) fn everything() -> Scope<'static> {
    let ranks = Rank::Province..=Rank::Township;
    Scope { within: None, home: Some("510000"), ranks, most: 8 }
}

pub(crate) fn codes(letters: &str, scope: &Scope<'_>) -> Vec<String> {
    regions().search(letters, scope).into_iter().map(|hit| hit.code.to_owned()).collect()
}

/// All codes of a rank.
pub(crate) fn all(rank: Rank) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut open = vec![""];
    while let Some(above) = open.pop() {
        for (code, _) in regions().children(above) {
            open.push(code);
            if Rank::of(code) == Some(rank) {
                found.push(code);
            }
        }
    }
    found.sort_unstable();
    found
}

/// The initials of a name by the first reading that a dictionary has for each character.
pub(crate) fn initials(name: &str) -> String {
    use pinyin::ToPinyin;
    let letter = |character: char| match character.to_pinyin() {
        Some(reading) => reading.plain().chars().next(),
        // 鲜 beside water, which the dictionary has no reading for.
        None => (character == '\u{3075F}').then_some('x'),
    };
    name.chars()
        .map(|character| letter(character).unwrap_or_else(|| panic!("{character}")))
        .collect()
}
