use super::*;

fn national() -> Regions {
    Regions::parse(include_str!("../../data/regions.tsv")).unwrap()
}

#[test]
fn the_national_list_has_the_expected_size() {
    let regions = national();
    assert_eq!(regions.len(), 3_212);
    assert_eq!(regions.children("").len(), 34);
    let cities = regions.children("510000");
    assert_eq!(cities.len(), 21);
    let counties: usize = cities.iter().map(|(code, _)| regions.children(code).len()).sum();
    assert_eq!(counties, 183);
}

#[test]
fn names_are_whole_paths() {
    let regions = national();
    assert_eq!(regions.full_name("510106").as_deref(), Some("四川省成都市金牛区"));
    assert_eq!(regions.full_name("110105").as_deref(), Some("北京市朝阳区"));
    assert_eq!(regions.full_name("441900").as_deref(), Some("广东省东莞市"));
    assert_eq!(regions.full_name("429004").as_deref(), Some("湖北省仙桃市"));
    assert_eq!(regions.full_name("710000").as_deref(), Some("台湾省"));
    assert_eq!(regions.full_name("999999"), None);
    assert!(regions.children("441900").is_empty());
    assert_eq!(regions.level("110105"), 2);
    assert_eq!(regions.level("510106"), 3);
    assert_eq!(regions.level("999999"), 0);
}

#[test]
fn every_place_is_reached_from_the_provinces() {
    let regions = national();
    let mut reached = 0;
    let mut open: Vec<&str> = regions.children("").iter().map(|(code, _)| *code).collect();
    while let Some(code) = open.pop() {
        reached += 1;
        open.extend(regions.children(code).iter().map(|(code, _)| *code));
    }
    assert_eq!(reached, regions.len());
}

#[test]
fn strange_codes_are_unknown_and_harmless() {
    let regions = national();
    for code in ["", "5", "51", "样本", "5101061", "\u{0}"] {
        assert_eq!(regions.name(code), None);
        assert_eq!(regions.parent(code), None);
        assert_eq!(regions.full_name(code), None);
        assert!(code.is_empty() || regions.children(code).is_empty());
    }
}

#[test]
fn all_bad_rows_are_named_with_their_lines() {
    let bad = Regions::parse("# x\n51\t四川省\n510000\t\n110000 北京市\n110000\t甲\n110000\t乙\n")
        .unwrap_err();
    assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 6]);
}

fn with_townships() -> Regions {
    national().with_townships(include_str!("../../data/townships.tsv")).unwrap()
}

fn gone(regions: &Regions) -> Abolished {
    Abolished::parse(include_str!("../../data/abolished.tsv"), regions).unwrap()
}

#[test]
fn townships_lie_below_their_county_or_below_a_city_without_counties() {
    let regions = with_townships();
    assert_eq!(regions.len(), 3_212 + 38_723);
    assert_eq!(regions.parent("510106012"), Some("510106"));
    assert_eq!(regions.full_name("510117006").as_deref(), Some("四川省成都市郫都区犀浦街道"));
    assert_eq!(regions.level("510117006"), 4);
    for (city, townships) in [("441900", 32), ("442000", 23), ("460400", 17), ("620200", 6)] {
        let children = regions.children(city);
        assert_eq!(children.len(), townships, "{city}");
        assert!(children.iter().all(|(code, _)| regions.parent(code) == Some(city)));
    }
    assert_eq!(regions.path("441900003"), ["440000", "441900", "441900003"]);
    // The upper levels are what they were.
    assert_eq!(regions.children("510000"), national().children("510000"));
    assert_eq!(regions.children("").len(), 34);
    assert_eq!(regions.children("710000"), []);
}

#[test]
fn everything_is_reached_from_the_provinces_by_choices_too() {
    let regions = with_townships();
    let mut count = [0usize; 4];
    let mut open = vec![""];
    while let Some(above) = open.pop() {
        let choices = regions.choices(above, Rank::Township);
        assert_eq!(choices, regions.children(above));
        for (code, name) in choices {
            count[Rank::of(code).unwrap().level() - 1] += 1;
            assert_eq!(regions.name(code), Some(name));
            assert_eq!(regions.path(code).last(), Some(&code));
            let six = regions.county_of(code).unwrap();
            assert!(six.len() == 6 && code.starts_with(six) && regions.name(six).is_some());
            open.push(code);
        }
    }
    assert_eq!(count, [34, 333, 2_845, 38_723]);
}

#[test]
fn choices_end_where_the_question_ends() {
    let regions = with_townships();
    assert_eq!(regions.choices("510100", Rank::County).len(), 20);
    assert_eq!(regions.choices("510100", Rank::Prefecture), []);
    assert_eq!(regions.choices("510106", Rank::County), []);
    assert_eq!(
        regions.choices("110105", Rank::County),
        [],
        "two steps down, and as precise as asked"
    );
    assert_eq!(regions.choices("441900", Rank::County), []);
    assert_eq!(regions.choices("441900", Rank::Township).len(), 32);
    // 海西州 has counties, and two towns that belong to none.
    let mixed = regions.choices("632800", Rank::Township);
    let counties = regions.choices("632800", Rank::County);
    assert_eq!(mixed.len(), counties.len() + 2);
    // A county that its province governs is offered where prefectures are.
    assert!(regions.choices("420000", Rank::Prefecture).contains(&("429004", "仙桃市")));
    assert_eq!(regions.choices("", Rank::Province).len(), 34);
    assert_eq!(regions.choices("999999", Rank::Township), []);
}

#[test]
fn ranks_are_told_by_the_code_and_not_by_the_steps() {
    let regions = with_townships();
    let fit = |code: &str, least: usize, most: usize| {
        let level = |level| Rank::from_level(level).unwrap();
        regions.fit(code, level(least), level(most)).unwrap()
    };
    for (code, least, most, expected) in [
        // 金牛区, 成都市, 四川省.
        ("510106", 3, 3, Fit::Fits),
        ("510106", 3, 4, Fit::Fits),
        ("510106", 4, 4, Fit::TooWide),
        ("510106", 2, 2, Fit::TooNarrow),
        ("510100", 3, 3, Fit::TooWide),
        ("510000", 2, 2, Fit::TooWide),
        ("510000", 1, 3, Fit::Fits),
        // One of its subdistricts.
        ("510106012", 3, 3, Fit::TooNarrow),
        ("510106012", 3, 4, Fit::Fits),
        ("510106012", 4, 4, Fit::Fits),
        // 朝阳区 is two steps down, and a county; its townships are three.
        ("110105", 3, 3, Fit::Fits),
        ("110105", 2, 2, Fit::Fits),
        ("110105001", 3, 3, Fit::TooNarrow),
        ("110105001", 3, 4, Fit::Fits),
        ("110000", 2, 2, Fit::TooWide),
        // 东莞市 has no counties, and its towns are no counties either.
        ("441900", 3, 3, Fit::Fits),
        ("441900", 3, 4, Fit::Fits),
        ("441900", 4, 4, Fit::TooWide),
        ("441900003", 3, 3, Fit::TooNarrow),
        ("441900003", 3, 4, Fit::Fits),
        // 仙桃市 has no prefecture above it and stands in for one.
        ("429004", 3, 3, Fit::Fits),
        ("429004", 2, 2, Fit::Fits),
        ("429004", 1, 1, Fit::TooNarrow),
        ("429004001", 2, 2, Fit::TooNarrow),
        // Nothing is listed below these.
        ("710000", 3, 3, Fit::Fits),
        ("810000", 4, 4, Fit::Fits),
        ("330383", 4, 4, Fit::Fits),
    ] {
        assert_eq!(fit(code, least, most), expected, "{code} for {least} to {most}");
    }
    assert_eq!(regions.fit("999999", Rank::Province, Rank::Township), None);
}

#[test]
fn without_townships_ranks_judge_as_the_number_of_steps_did() {
    let regions = national();
    let mut open = vec![""];
    while let Some(above) = open.pop() {
        for (code, _) in regions.children(above) {
            open.push(code);
            for (least, most) in [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)] {
                let steps = regions.level(code);
                let before = if steps > most {
                    Fit::TooNarrow
                } else if steps < least && !regions.children(code).is_empty() {
                    Fit::TooWide
                } else {
                    Fit::Fits
                };
                let level = |level| Rank::from_level(level).unwrap();
                let now = regions.fit(code, level(least), level(most)).unwrap();
                assert_eq!(now, before, "{code} for {least} to {most}");
            }
        }
    }
}

#[test]
fn six_digits_are_kept_for_those_who_know_no_townships() {
    let regions = with_townships();
    for (code, six) in [
        ("510106012", Some("510106")),
        ("441900003", Some("441900")),
        ("510106", Some("510106")),
        ("510000", Some("510000")),
        ("510106999", None),
        ("", None),
        ("样本样", None),
    ] {
        assert_eq!(regions.county_of(code), six, "{code}");
    }
}

#[test]
fn bad_townships_are_all_named_with_their_lines() {
    let lines = |text: &str| -> Vec<usize> {
        national().with_townships(text).unwrap_err().iter().map(|row| row.line).collect()
    };
    let text = "# x\n510106001\t甲街道\n510106\t乙\n510106000\t丙\n519999001\t丁\n510106002\t\n\
                510106003\n510106001\t戊街道\n51010600x\t己\n510106004\t庚\u{7}街道\n\
                ５10106005\t辛\n";
    assert_eq!(lines(text), [3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(lines(&format!("510106001\t{}", "长".repeat(41))), [1]);
    assert!(national().with_townships("510106001\t甲街道\r\n\n").is_ok());
}

#[test]
fn bad_abolished_places_are_all_named_with_their_lines() {
    let regions = national();
    let text = "510122\t双流县\t510116\n510122\t双流县\t\n51012\t甲\t\n510123\t\t510115\n\
                510124\t乙\t519999\n510125\t丙\n510125\t丙\t510114\t丁\n510126\t戊\t510106001\n";
    let bad = Abolished::parse(text, &regions).map(|_| ()).unwrap_err();
    assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn the_abolished_are_found_by_name_letters_and_old_code() {
    let regions = with_townships();
    let gone = gone(&regions);
    assert_eq!(gone.len(), 4_453);
    let found = |text: &str| -> Vec<(String, Option<String>)> {
        let places = gone.find(text, Some("510000"), 5);
        places.iter().map(|p| (p.name.to_owned(), p.today.map(str::to_owned))).collect()
    };
    let shuangliu = ("双流县".to_owned(), Some("510116".to_owned()));
    for text in [
        "双流县",
        "双流",
        "slx",
        "sl",
        "shuangliu",
        "shuangl",
        "四川省双流县",
        "ＳＬ",
        "四川样本双流县一村",
    ] {
        assert!(found(text).contains(&shuangliu), "{text}: {:?}", found(text));
    }
    assert_eq!(found("江北县"), [("江北县".to_owned(), None)], "nobody knows, and that is said");
    for text in ["", " ", "👍", "样本县", "123"] {
        assert_eq!(found(text), [], "{text}");
    }
    let places = gone.by_code("510122");
    assert!(places.iter().any(|place| place.name == "双流县" && place.today == Some("510116")));
    assert!(gone.by_code("").is_empty() && gone.by_code("510106001").is_empty());
    // What only got another code is found in the list of today, under its name.
    for place in gone.find("a", None, usize::MAX) {
        assert_ne!(place.today.and_then(|today| regions.name(today)), Some(place.name));
    }
    assert!(gone.find("双流", None, 0).is_empty());
    assert!(Abolished::default().find("双流", None, 5).is_empty());
}
