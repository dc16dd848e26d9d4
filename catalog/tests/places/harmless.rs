use catalog::{Rank, Scope};
use proptest::prelude::*;

use crate::{catalog, codes, everything, regions};

#[test]
fn what_no_name_answers_to_finds_nothing() {
    let long = "j".repeat(10_000);
    let characters = "金".repeat(10_000);
    for typed in [
        "",
        " ",
        "　",
        "'",
        long.as_str(),
        characters.as_str(),
        "👍",
        "金牛👍",
        "\u{202E}金牛",
        "مرحبا",
        "\u{0}",
        "510106",
        "金牛?",
        "iii",
        "金牛区金牛区金牛区",
        "\t\n",
    ] {
        assert_eq!(codes(typed, &everything()), Vec::<String>::new(), "{:?}", typed.get(..12));
    }
}

#[test]
fn limits_are_kept() {
    for most in [0, 1, 7, 100_000] {
        let found = codes("j", &Scope { most, ..everything() });
        assert!(found.len() <= most);
        assert_eq!(found.is_empty(), most == 0);
    }
    #[allow(clippy::reversed_empty_ranges)]
    let ranks = Rank::Township..=Rank::Province;
    assert!(codes("j", &Scope { ranks, ..everything() }).is_empty());
}

fn rank() -> impl Strategy<Value = Rank> {
    prop::sample::select(vec![Rank::Province, Rank::Prefecture, Rank::County, Rank::Township])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_does_harm_and_every_hit_is_listed(
        typed in prop_oneof!["\\PC{0,12}", "[a-z]{1,6}", "[a-zA-Z' ]{0,24}", "[金牛成都区a-z]{1,5}"],
        within in prop::option::of(prop_oneof!["[0-9]{6}", "510[0-9]00", "5101[0-9]{2}", "\\PC{0,9}"]),
        home in prop::option::of(prop_oneof!["[0-9]{0,9}", "\\PC{0,6}"]),
        ranks in (rank(), rank()),
        most in 0usize..40,
    ) {
        let (within, home) = (within.as_deref(), home.as_deref());
        let scope = Scope { within, home, ranks: ranks.0..=ranks.1, most };
        let found = regions().search(&typed, &scope);
        prop_assert!(found.len() <= most);
        let mut seen = std::collections::BTreeSet::new();
        for hit in found {
            prop_assert!(seen.insert(hit.code.to_owned()), "no place twice");
            prop_assert_eq!(regions().name(hit.code), Some(hit.name));
            prop_assert_eq!(regions().full_name(hit.code), Some(hit.full_name));
            let path = regions().path(hit.code);
            prop_assert!(within.is_none_or(|area| path.contains(&area) && hit.code != area));
        }
    }

    #[test]
    fn no_text_does_harm_among_the_abolished(
        typed in prop_oneof!["\\PC{0,12}", "[a-z]{1,6}", "[双流县区a-z]{1,9}"],
        most in 0usize..40,
    ) {
        let found = catalog().abolished().find(&typed, Some("510000"), most);
        prop_assert!(found.len() <= most);
        for place in found {
            let same = |known: &catalog::AbolishedPlace<'_>| known.name == place.name;
            prop_assert!(catalog().abolished().by_code(place.old_code).iter().any(same));
            prop_assert!(place.today.is_none_or(|code| regions().name(code).is_some()));
        }
    }
}
