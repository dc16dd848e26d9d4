use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn resident() -> Identity {
    Identity {
        name: "样本甲".into(),
        sex: Code(2),
        ethnicity: "01".into(),
        birth: Some("1949-12-31".into()),
        address: "样本省样本市样本区样本路 1 号".into(),
        number: "11010519491231002X".into(),
        issuer: "样本市公安局样本分局".into(),
        valid_from: Some(date(2016, 5, 1)),
        valid_until: Some(date(2036, 5, 1)),
        photo: PersonalBytes::new(vec![0x57, 0x4C, 0x66, 0x00]),
        ..Identity::blank(CardKind::Resident)
    }
}

fn round(id: &Identity) -> Identity {
    parse(&encode(id).unwrap(), id.photo.expose()).unwrap()
}

fn put_unit(text: &mut [u8], at: usize, unit: u16) {
    text[at..at + 2].copy_from_slice(&unit.to_le_bytes());
}

#[test]
fn a_residents_card_goes_there_and_back() {
    let id = resident();
    assert_eq!(round(&id), id);
    assert!(id.number_verifies());
}

#[test]
fn a_residents_fields_stand_where_the_chip_has_them() {
    let text = encode(&resident()).unwrap();
    assert_eq!(text.len(), TEXT_LENGTH);
    let at = |from: usize, units: usize| {
        String::from_utf16_lossy(
            &text[from..from + 2 * units]
                .chunks(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(at(0, 4), "样本甲 ");
    assert_eq!(at(30, 1), "2");
    assert_eq!(at(32, 2), "01");
    assert_eq!(at(36, 8), "19491231");
    assert_eq!(at(122, 18), "11010519491231002X");
    assert_eq!(at(188, 16), "2016050120360501");
    assert_eq!(at(248, 1), " ");
}

#[test]
fn a_card_without_end_and_a_rare_name() {
    let id = Identity { name: "𠮷样本".into(), valid_until: None, ..resident() };
    let read = round(&id);
    assert_eq!(read, id);
    assert!(!read.expired(date(9999, 12, 31)));
    assert!(read.doubtful.is_empty());
}

#[test]
fn a_card_expires_after_its_last_day() {
    let id = resident();
    assert!(!id.expired(date(2036, 5, 1)));
    assert!(id.expired(date(2036, 5, 2)));
}

#[test]
fn a_card_of_hong_kong_macao_and_taiwan_residents() {
    let id = Identity {
        kind: CardKind::HongKongMacaoTaiwan,
        number: "830000199001010022".into(),
        pass_number: "00000000".into(),
        issue_count: "01".into(),
        ..resident()
    };
    assert_eq!(round(&id), id);
}

#[test]
fn a_foreigners_card_of_2017() {
    let id = Identity {
        english_name: "SPECIMEN, SAMPLE ALPHA".into(),
        name: "样本丙".into(),
        sex: Code(1),
        birth: Some("1985-01-01".into()),
        number: "XXX110085010101".into(),
        country: "XXX".into(),
        version: "01".into(),
        issuer: "1500".into(),
        valid_from: Some(date(2018, 1, 1)),
        valid_until: Some(date(2028, 1, 1)),
        photo: PersonalBytes::default(),
        ..Identity::blank(CardKind::Foreigner2017)
    };
    assert_eq!(round(&id), id);
}

#[test]
fn a_foreigners_card_of_2023_with_a_name_over_both_fields() {
    let id = Identity {
        english_name: "SPECIMEN, SAMPLE BETA GAMMA DELTA EPSILON ZETA".into(),
        name: "样本丁".into(),
        sex: Code(2),
        birth: Some("1985-01-01".into()),
        number: "932682198501010017".into(),
        issue_count: "00".into(),
        country: "XXX".into(),
        valid_from: Some(date(2024, 1, 1)),
        valid_until: Some(date(2034, 1, 1)),
        photo: PersonalBytes::default(),
        ..Identity::blank(CardKind::Foreigner2023)
    };
    assert!(id.english_name.as_str().len() > 35);
    assert_eq!(round(&id), id);
    assert!(id.number_verifies());
}

#[test]
fn an_unknown_type_is_named_by_its_mark() {
    let mut text = encode(&resident()).unwrap();
    put_unit(&mut text, KIND_AT, u16::from(b'Q'));
    assert_eq!(parse(&text, &[]), Err(CardError::UnknownKind(0x51)));
    put_unit(&mut text, KIND_AT, 0);
    assert_eq!(parse(&text, &[]).unwrap().kind, CardKind::Resident);
}

#[test]
fn unpaired_surrogates_make_a_field_doubtful_and_nothing_crashes() {
    let mut text = encode(&resident()).unwrap();
    put_unit(&mut text, 2, 0xD842);
    let id = parse(&text, &[]).unwrap();
    assert_eq!(id.doubtful, [CardField::Name]);
    assert_eq!(id.name.as_str(), "样\u{FFFD}甲");

    put_unit(&mut text, 28, 0xDFB7);
    assert_eq!(parse(&text, &[]).unwrap().doubtful, [CardField::Name]);

    put_unit(&mut text, 122, 0xDC00);
    assert_eq!(parse(&text, &[]), Err(CardError::Field(CardField::Number)));
}

#[test]
fn dates_that_do_not_exist() {
    let mut text = encode(&resident()).unwrap();
    put_unit(&mut text, 36 + 8, u16::from(b'4'));
    let id = parse(&text, &[]).unwrap();
    assert_eq!(id.birth, None);
    assert_eq!(id.doubtful, [CardField::Birth]);
    put_unit(&mut text, 204, u16::from(b'x'));
    assert_eq!(parse(&text, &[]), Err(CardError::Field(CardField::ValidUntil)));
}

#[test]
fn unknown_codes_are_kept() {
    let mut text = encode(&resident()).unwrap();
    put_unit(&mut text, 30, u16::from(b'M'));
    put_unit(&mut text, 32, u16::from(b'9'));
    put_unit(&mut text, 34, u16::from(b'8'));
    let id = parse(&text, &[]).unwrap();
    assert_eq!((id.sex, id.ethnicity.as_str()), (Code(b'M'), "98"));
    put_unit(&mut text, 30, 0x5973);
    assert_eq!(parse(&text, &[]).unwrap().sex, Code(255));
}

#[test]
fn too_short_or_empty_is_an_error() {
    assert_eq!(parse(&[0; 255], &[]), Err(CardError::TextLength(255)));
    assert!(parse(&[0; 256], &[]).is_err());
    assert!(parse(&[b' ', 0].repeat(128), &[]).is_err());
}

#[test]
fn what_does_not_fit_is_refused() {
    let id = Identity { name: "样".repeat(16).as_str().into(), ..resident() };
    let error = encode(&id).unwrap_err();
    assert_eq!(error, EncodeError { field: CardField::Name, room: 15 });
}

#[test]
fn check_characters_of_the_specimen_numbers() {
    for number in ["11010519491231002X", "932682198501010017", "931586198001010028"] {
        assert!(Identity { number: number.into(), ..resident() }.number_verifies(), "{number}");
    }
    for number in
        ["110105194912310021", "11010519491231002", "", "样样样样样样", "1101051949123100２"]
    {
        assert!(!Identity { number: number.into(), ..resident() }.number_verifies(), "{number}");
    }
}

#[test]
fn nothing_personal_is_printed() {
    let shown = format!("{:?} {:?}", resident(), CardError::Field(CardField::Number));
    assert!(!shown.contains("样本") && !shown.contains("1949"), "{shown}");
}

#[test]
fn an_added_address_comes_bare_or_behind_its_length_and_may_be_missing() {
    let text: Vec<u8> = "样本路 2 号    ".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bare = parse_added_address(&text).unwrap();
    assert_eq!((bare.0.as_str(), bare.1), ("样本路 2 号", false));
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    let counted = parse_added_address(&[&length[..], &text].concat()).unwrap();
    assert_eq!(counted, bare);
    for empty in [&[][..], &[0], &[0, 0], &[b' ', 0, b' ', 0], &[0, 4, b' ', 0, 0, 0]] {
        assert_eq!(parse_added_address(empty), None, "{empty:?}");
    }
    let damaged = parse_added_address(&[0x42, 0xD8, b'1', 0]).unwrap();
    assert_eq!((damaged.0.as_str(), damaged.1), ("\u{FFFD}1", true));
}

proptest! {
    #[test]
    fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..300), kind in 0_usize..5) {
        let mut text = text;
        if let Some(place) = text.get_mut(KIND_AT..KIND_AT + 2) {
            place.copy_from_slice(&[b" JIY\0"[kind], 0]);
        }
        let _ = parse(&text, &[]);
    }

    #[test]
    fn any_name_that_fits_comes_back(name in "[\\u{4e00}-\\u{9fff}\\u{20000}-\\u{2a6df}·]{1,7}") {
        let id = Identity { name: name.as_str().into(), ..resident() };
        prop_assert_eq!(round(&id), id);
    }
}
