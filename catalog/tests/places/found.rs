use catalog::{Rank, Scope};

use crate::{all, catalog, codes, everything, initials, regions};

#[test]
fn every_township_is_found_by_its_initials_within_its_county() {
    let mut worst = 0;
    for code in all(Rank::Township) {
        let name = regions().name(code).unwrap();
        let scope = Scope { within: regions().parent(code), most: 60, ..everything() };
        let found = codes(&initials(name), &scope);
        let at = found.iter().position(|hit| hit == code);
        worst = worst.max(at.unwrap_or_else(|| panic!("{code} {name} is not found")));
    }
    assert_eq!(all(Rank::Township).len(), 38_723);
    assert!(worst < 8, "one is only found at place {worst}");
}

#[test]
fn counties_are_among_the_first_eight_by_initials_alone() {
    let counties = all(Rank::County);
    let share = |home: &dyn Fn(&str) -> String, letters: &dyn Fn(&str) -> String, first: usize| {
        let tried: Vec<_> = counties.iter().step_by(5).collect();
        let found = tried.iter().filter(|code| {
            let home = home(code);
            let ranks = Rank::County..=Rank::County;
            let scope = Scope { home: Some(&home), ranks, most: first, ..everything() };
            codes(&letters(code), &scope).iter().any(|hit| hit == **code)
        });
        100.0 * found.count() as f64 / tried.len() as f64
    };
    let own = |code: &str| format!("{}0000", &code[..2]);
    let alone = |code: &str| initials(regions().name(code).unwrap());
    assert_eq!(share(&own, &alone, 8), 100.0);
    // 成都 and 金牛区: what is above by its first two characters, which is all of it but where it is long.
    let both = |code: &str| {
        let above = regions().parent(code).and_then(|parent| regions().name(parent)).unwrap();
        let cut =
            ["自治州", "地区", "市", "省", "盟"].iter().find_map(|kind| above.strip_suffix(kind));
        initials(cut.unwrap_or(above)) + &alone(code)
    };
    let from_sichuan = |_: &str| "510000".to_owned();
    assert!(share(&from_sichuan, &both, 5) > 97.0);
}

#[test]
fn letters_syllables_characters_and_mixtures_lead_to_one_place() {
    for typed in [
        "jnq",
        "jn",
        "JNQ",
        "ｊｎｑ",
        "jinniu",
        "jinniuqu",
        "jniu",
        "jinn",
        "jin niu",
        "jin'niu",
        "金牛区",
        "金牛",
        "金n",
        "j牛",
    ] {
        let ranks = Rank::County..=Rank::County;
        assert_eq!(codes(typed, &Scope { ranks, ..everything() })[0], "510106", "{typed}");
    }
    for typed in [
        "cdjn",
        "scjn",
        "sccdjn",
        "scscdsjnq",
        "chengdujinniu",
        "四川省成都市金牛区",
        "成都金牛",
        "成都jn",
    ] {
        assert_eq!(codes(typed, &everything())[0], "510106", "{typed}");
    }
}

#[test]
fn names_are_found_by_the_readings_that_places_use() {
    for (typed, code) in [
        ("cq", "500000"),
        ("chongqing", "500000"),
        ("la", "341500"),
        ("luan", "341500"),
        ("liuan", "341500"),
        ("yuxian", "130726"),
        ("dayi", "510129"),
        ("sf", "510682"),
        ("shifang", "510682"),
        ("ls", "511100"),
        ("leshan", "511100"),
        ("yq", "330382"),
        ("lt", "130225"),
        ("xm", "350200"),
        ("xiamen", "350200"),
        ("cy", "110105"),
        ("cyq", "110105"),
        ("chaoyang", "211300"),
        ("cs", "430100"),
        ("cc", "220100"),
        ("zz", "140400"),
        ("sx", "371722"),
        ("shanxian", "371722"),
        ("zd", "421303"),
        ("cd", "510100"),
        ("dj", "510181"),
        ("bb", "340300"),
        ("bengbu", "340300"),
        ("py", "440113"),
        ("panyu", "440113"),
        ("qw", "511123"),
        ("qianwei", "511123"),
        ("jl", "511527"),
        ("yingjing", "511822"),
        ("pd", "510117"),
        ("tanchang", "621223"),
        ("xz", "540000"),
        ("xizang", "540000"),
        ("lvliang", "141100"),
        ("luliang", "141100"),
        ("yanshan", "361124"),
        ("ys", "361124"),
        ("guoyang", "341621"),
        ("tz", "331000"),
    ] {
        let Some(name) = regions().name(code) else { panic!("{code} is not listed") };
        let home = format!("{}0000", &code[..2]);
        let ranks = Rank::Province..=Rank::County;
        let scope = Scope { home: Some(&home), most: 30, ranks, ..everything() };
        assert!(codes(typed, &scope).iter().any(|hit| hit == code), "{typed} for {name}");
    }
}

#[test]
fn a_whole_name_comes_before_a_beginning_and_a_part_before_scattered_characters() {
    let ranks = Rank::Prefecture..=Rank::County;
    let all = Scope { ranks, most: 3_000, ..everything() };
    let in_order = |typed: &str, expected: &[&str]| {
        let found = codes(typed, &all);
        let place = |code: &&str| found.iter().position(|hit| hit == code).unwrap();
        let places: Vec<usize> = expected.iter().map(place).collect();
        assert!(places.is_sorted(), "{typed}: {places:?}");
    };
    // 锦州市 far away is all of what was typed, 九寨沟县 nearby only begins with it.
    in_order("jz", &["210700", "513225"]);
    // 自贡市, then the end of 九寨沟县.
    in_order("zg", &["510300", "513225"]);
    // 剑阁县, then two characters of 九寨沟县 that do not stand together.
    in_order("jg", &["510823", "513225"]);
    // 阜阳市 by the reading of all days; 市中区 by one that no place uses (市 as fu).
    in_order("f", &["341200", "511002"]);
}

#[test]
fn what_is_near_comes_first_and_a_longer_name_later() {
    let at = |home: &'static str, typed: &str| {
        let ranks = Rank::County..=Rank::County;
        codes(typed, &Scope { home: Some(home), ranks, ..everything() })
    };
    assert_eq!(at("110000", "cy")[0], "110105", "朝阳区 in 北京");
    assert_eq!(at("211300", "cy")[0], "211321", "朝阳县, in the city of that name");
    assert_eq!(at("220100", "cyq")[0], "220104", "朝阳区 in 长春");
    // No home, or one that is none, puts nothing first and loses nothing.
    for home in ["", "51", "样本", "999999"] {
        let scope = Scope { home: Some(home), most: 60, ..everything() };
        let mut some = codes("jnq", &scope);
        let mut none = codes("jnq", &Scope { home: None, ..scope });
        some.sort();
        none.sort();
        assert_eq!(some, none, "{home}");
    }
}

#[test]
fn a_search_stays_within_its_area_and_its_ranks() {
    let within = |area, ranks| Scope { within: Some(area), ranks, most: 60, ..everything() };
    let found = codes("x", &within("510100", Rank::Township..=Rank::Township));
    assert!(
        found.len() > 10 && found.iter().all(|code| code.starts_with("5101") && code.len() == 9)
    );
    assert!(codes("jnq", &within("110000", Rank::County..=Rank::County)).is_empty());
    assert!(codes("jnq", &within("510106", Rank::County..=Rank::County)).is_empty(), "not itself");
    assert!(codes("jnq", &within("999999", Rank::County..=Rank::County)).is_empty());
    assert!(codes("jnq", &within("", Rank::County..=Rank::County)).is_empty());
    // The names above may be typed although the search is confined to what is below them.
    assert_eq!(codes("cdjn", &within("510100", Rank::County..=Rank::County)), ["510106"]);
    // 东莞市 stands in for the county that it has not; 仙桃市 for the prefecture.
    let counties = Scope { ranks: Rank::County..=Rank::County, ..everything() };
    assert!(codes("东莞市", &counties).contains(&"441900".to_owned()));
    assert!(codes("成都市", &counties).is_empty());
    let prefectures = Scope { ranks: Rank::Prefecture..=Rank::Prefecture, ..everything() };
    assert!(codes("仙桃", &prefectures).contains(&"429004".to_owned()));
    let hit = &regions().search("xpjd", &within("510117", Rank::Township..=Rank::Township))[0];
    assert_eq!((hit.code, hit.name), ("510117006", "犀浦街道"));
    assert_eq!(hit.full_name, "四川省成都市郫都区犀浦街道");
}

#[test]
fn what_is_found_for_a_question_it_accepts() {
    for question in catalog().questions() {
        for typed in ["j", "cd", "dg", "xt", "北京", "x", "tw"] {
            for hit in catalog().find_places(&question.key, typed, Some("510106"), 40) {
                let accepted = catalog().validate(&question.key, hit.code);
                assert_eq!(accepted.as_deref(), Ok(hit.code), "{} {typed}", question.key);
            }
        }
    }
    let found = catalog().find_places("intended_registration_place", "xpjd", Some("510106"), 4);
    assert!(found.first().is_some_and(|hit| hit.code == "510117006"));
    assert!(
        catalog().find_places("birthplace", "xpjd", None, 40).iter().all(|h| h.code.len() == 6)
    );
    assert!(catalog().find_places("card_issuing_city", "bj", None, 9).is_empty(), "outside 四川省");
    assert!(catalog().find_places("phone", "jn", None, 8).is_empty());
    assert!(catalog().find_places("no_such", "jn", None, 8).is_empty());
}

#[test]
fn options_lead_to_what_the_question_accepts_and_end_there() {
    let options = |question, code| catalog().place_options(question, code);
    assert_eq!(options("birthplace", "").len(), 34);
    assert_eq!(options("birthplace", "110105"), [], "a county, whatever lies below it");
    assert_eq!(options("birthplace", "441900"), []);
    assert!(options("intended_registration_place", "110105").len() > 20);
    assert_eq!(options("intended_registration_place", "441900").len(), 32);
    assert_eq!(options("card_issuing_city", "").len(), 21, "it begins inside its province");
    assert_eq!(options("card_issuing_city", "510100"), []);
    assert_eq!(options("phone", ""), []);
    for question in
        ["birthplace", "intended_registration_place", "service_place", "card_issuing_city"]
    {
        let mut open: Vec<&str> = options(question, "").iter().map(|(code, _)| *code).collect();
        let mut ends = 0;
        while let Some(code) = open.pop() {
            let below = options(question, code);
            if below.is_empty() {
                assert_eq!(catalog().validate(question, code).as_deref(), Ok(code), "{question}");
                ends += 1;
            }
            open.extend(below.iter().map(|(code, _)| *code));
        }
        assert!(ends >= 21, "{question}");
    }
}
