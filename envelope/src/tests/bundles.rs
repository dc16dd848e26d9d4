use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn root(seed: u8) -> RootKey {
    RootKey::from_pkcs8("root-1", &pkcs8([seed; 32])).unwrap()
}

fn key(key_id: &str, suite: Suite, seed: u8, not_before: &str) -> BundleKey {
    let public = office_for(suite.kem(), key_id, seed).public().clone();
    BundleKey { public, suites: vec![suite], not_before: at(not_before) }
}

/// Epoch 2: the second key has followed the first.
fn bundle() -> RecipientBundle {
    RecipientBundle {
        epoch: 2,
        issued_at: at("2026-11-01T00:00:00Z"),
        expires_at: at("2028-11-01T00:00:00Z"),
        current: KeyId::new("office-2").unwrap(),
        keys: vec![
            key("office-1", Suite::X25519ChaCha20, 2, "2026-01-01T00:00:00Z"),
            key("office-2", Suite::XWingChaCha20, 3, "2026-11-01T00:00:00Z"),
        ],
    }
}

fn signed() -> serde_json::Value {
    serde_json::from_str(&root(5).sign(bundle()).unwrap().to_json()).unwrap()
}

fn read(json: &serde_json::Value) -> Result<RecipientBundle, BundleRefusal> {
    let signed = SignedBundle::from_json(json.to_string().as_bytes())?;
    signed.verify(root(5).public()).cloned()
}

#[test]
fn what_the_root_signed_is_what_a_terminal_reads() {
    assert_eq!(read(&signed()), Ok(bundle()));
    // Any JSON library may have passed it on.
    let mut reordered = serde_json::Map::new();
    for (name, value) in signed().as_object().unwrap().iter().rev() {
        reordered.insert(name.clone(), value.clone());
    }
    assert_eq!(read(&serde_json::Value::Object(reordered)), Ok(bundle()));
}

#[test]
fn no_part_can_be_changed_left_out_or_added() {
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = signed();
        change(&mut json);
        read(&json).unwrap_err()
    };
    let invalid = BundleRefusal::SignatureInvalid;
    assert_eq!(refused(&|json| json["epoch"] = json!(3)), invalid);
    assert_eq!(refused(&|json| json["issued_at"] = json!("2026-11-01T00:00:01Z")), invalid);
    assert_eq!(refused(&|json| json["expires_at"] = json!("2029-11-01T00:00:00Z")), invalid);
    assert_eq!(refused(&|json| json["current"] = json!("office-1")), invalid);
    assert_eq!(
        refused(&|json| json["keys"][0]["not_before"] = json!("2026-01-02T00:00:00Z")),
        invalid
    );
    assert_eq!(refused(&|json| json["keys"][0]["key_id"] = json!("office-3")), invalid);
    let other = hex::encode(office("office-1", 9).public().public_key());
    assert_eq!(refused(&|json| json["keys"][0]["public_key"] = json!(other)), invalid);
    let aes = serde_json::to_value(Suite::X25519Aes256.ids()).unwrap();
    assert_eq!(refused(&|json| json["keys"][0]["suites"] = json!([aes])), invalid);
    assert_eq!(refused(&|json| json["keys"].as_array_mut().unwrap().reverse()), invalid);
    assert_eq!(
        refused(&|json| json["keys"].as_array_mut().unwrap().truncate(0)).code(),
        "bundle_invalid"
    );
    assert_eq!(refused(&|json| json["signature"] = json!("00".repeat(64))), invalid);
    assert_eq!(refused(&|json| json["signature"] = json!("zz")), invalid);
    assert_eq!(refused(&|json| json["more"] = json!(1)).code(), "bundle_invalid");
    for name in ["epoch", "issued_at", "expires_at", "current", "keys", "root", "signature"] {
        let refusal = refused(&|json| drop(json.as_object_mut().unwrap().remove(name)));
        assert_eq!(refusal.code(), "bundle_invalid", "without {name}");
    }
}

#[test]
fn another_root_cannot_speak_for_the_office() {
    let json = root(6).sign(bundle()).unwrap().to_json();
    let forged = SignedBundle::from_json(json.as_bytes()).unwrap();
    assert_eq!(forged.verify(root(5).public()), Err(BundleRefusal::SignatureInvalid));
    let other = RootKey::from_pkcs8("root-2", &pkcs8([6; 32])).unwrap();
    let honest = other.sign(bundle()).unwrap();
    assert_eq!(
        honest.verify(root(5).public()),
        Err(BundleRefusal::UnknownRoot {
            theirs: KeyId::new("root-2").unwrap(),
            ours: KeyId::new("root-1").unwrap()
        })
    );
}

#[test]
fn a_terminal_never_goes_back_and_takes_nothing_that_is_past_its_time() {
    let now = at("2026-11-23T00:00:00Z");
    let (held, mut offered) = (bundle(), bundle());
    assert_eq!(offered.succeeds(None, now), Ok(Succession::Newer));
    assert_eq!(offered.succeeds(Some(&held), now), Ok(Succession::Same));
    offered.epoch = 1;
    assert_eq!(
        offered.succeeds(Some(&held), now),
        Err(BundleRefusal::OlderEpoch { held: 2, offered: 1 })
    );
    offered.epoch = 3;
    assert_eq!(offered.succeeds(Some(&held), now), Ok(Succession::Newer));
    let late = at("2028-11-01T00:00:00Z");
    assert_eq!(
        offered.succeeds(Some(&held), late),
        Err(BundleRefusal::Expired { epoch: 3, expired_at: late })
    );
    // What is held goes on being used: a forgotten signature must lose nothing.
    assert_eq!(held.succeeds(Some(&held), late), Ok(Succession::Same));
    offered.epoch = 2;
    offered.current = KeyId::new("office-1").unwrap();
    assert_eq!(offered.succeeds(Some(&held), now), Err(BundleRefusal::SameEpoch { epoch: 2 }));
}

#[test]
fn the_current_key_is_sealed_to_once_its_time_has_come() {
    let bundle = bundle();
    let (first, second) = (&bundle.keys[0].public, &bundle.keys[1].public);
    for (now, key, suite) in [
        ("2026-11-01T00:00:00Z", second, Suite::XWingChaCha20),
        ("2031-01-01T00:00:00Z", second, Suite::XWingChaCha20),
        ("2026-10-31T23:59:59Z", first, Suite::X25519ChaCha20),
        ("2026-01-01T00:00:00Z", first, Suite::X25519ChaCha20),
        // A clock that was never set: the office can open it all the same.
        ("1970-01-01T00:00:00Z", second, Suite::XWingChaCha20),
    ] {
        assert_eq!(bundle.sealing_key(at(now)), Some((key, suite)), "{now}");
    }
}

#[test]
fn a_bundle_that_contradicts_itself_is_neither_signed_nor_read() {
    use BundleProblem as P;
    let refused = |change: &dyn Fn(&mut RecipientBundle)| {
        let mut bundle = bundle();
        change(&mut bundle);
        root(5).sign(bundle).unwrap_err()
    };
    assert_eq!(refused(&|b| b.epoch = 0), P::Epoch);
    assert_eq!(refused(&|b| b.expires_at = b.issued_at), P::Times);
    assert_eq!(refused(&|b| b.keys.clear()), P::KeyCount);
    let many =
        |b: &mut RecipientBundle| {
            b.keys.extend((0..20).map(|n| {
                key(&format!("more-{n}"), Suite::X25519ChaCha20, 8, "2026-01-01T00:00:00Z")
            }));
        };
    assert_eq!(refused(&many), P::KeyCount);
    assert_eq!(refused(&|b| b.keys.push(b.keys[0].clone())), P::DoubledKey);
    assert_eq!(refused(&|b| b.keys[0].suites.clear()), P::Suites);
    assert_eq!(refused(&|b| b.keys[0].suites = vec![Suite::XWingChaCha20]), P::Suites);
    assert_eq!(refused(&|b| b.keys[0].suites = vec![Suite::X25519ChaCha20; 2]), P::Suites);
    assert_eq!(refused(&|b| b.current = KeyId::new("office-3").unwrap()), P::Current);

    let read_as = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = signed();
        change(&mut json);
        match read(&json).unwrap_err() {
            BundleRefusal::Invalid { problem } => problem,
            other => panic!("refused for another reason: {other}"),
        }
    };
    assert_eq!(read_as(&|json| json["epoch"] = json!(0)), P::Epoch);
    assert_eq!(read_as(&|json| json["current"] = json!("office-3")), P::Current);
    assert_eq!(read_as(&|json| json["format"] = json!("ronggui recipients v2")), P::Format);
    assert_eq!(
        read_as(&|json| json["keys"][0]["public_key"] = json!("00ff")),
        P::Key(KeyError::NotAKey)
    );
    assert_eq!(
        read_as(&|json| json["keys"][0]["kem"] = json!(16)),
        P::Key(KeyError::UnknownKem(16))
    );
    assert!(matches!(read_as(&|json| json["epoch"] = json!(-1)), P::Shape { line: 1, .. }));
    let vast = vec![b' '; MAX_BUNDLE_BYTES + 1];
    assert_eq!(SignedBundle::from_json(&vast), Err(P::TooLarge.into()));
}

#[test]
fn a_suite_of_a_later_program_is_called_one() {
    let mut json = signed();
    json["keys"][1]["suites"] = json!([{"kem": 0x0051, "kdf": 1, "aead": 3}]);
    let refusal = read(&json).unwrap_err();
    let ids = SuiteIds { kem: 0x51, kdf: 1, aead: 3 };
    assert_eq!(refusal, BundleRefusal::UnknownSuite { ids });
    assert!(refusal.cure().contains("update"));
}

#[test]
fn a_root_key_comes_back_from_its_file_and_shows_no_secret() {
    let (made, pkcs8) = RootKey::generate("root-1").unwrap();
    let again = RootKey::from_pkcs8("root-1", &pkcs8).unwrap();
    assert_eq!(again.public(), made.public());
    let json = serde_json::to_string(made.public()).unwrap();
    assert_eq!(&serde_json::from_str::<RootPublic>(&json).unwrap(), made.public());
    assert!(serde_json::from_str::<RootPublic>(&json.replace("root public", "x")).is_err());
    assert!(!format!("{made:?}").contains(&hex::encode(&pkcs8[16..48])));
    assert!(RootKey::from_pkcs8("root-1", b"rubbish").is_err());
    assert!(RootKey::from_pkcs8("a b", &pkcs8).is_err());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(0_u8.., 0..600)) {
        proptest::prop_assert!(SignedBundle::from_json(&bytes).is_err());
    }

    /// One byte of the JSON changed: either it says the same, or it is refused.
    #[test]
    fn a_changed_byte_is_harmless_or_refused(at in 0_usize..10_000, value in 0_u8..) {
        let mut json = root(5).sign(bundle()).unwrap().to_json().into_bytes();
        let at = at % json.len();
        json[at] = value;
        let read = SignedBundle::from_json(&json)
            .and_then(|signed| signed.verify(root(5).public()).cloned());
        if let Ok(read) = read {
            proptest::prop_assert_eq!(read, bundle());
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        epoch in 1_u64.., days in 1_i64..20_000, first in proptest::bool::ANY, wing in proptest::bool::ANY
    ) {
        let mut bundle = bundle();
        bundle.epoch = epoch;
        bundle.expires_at =
            bundle.issued_at + jiff::SignedDuration::from_hours(24 * days);
        if first {
            bundle.current = KeyId::new("office-1").unwrap();
        }
        if !wing {
            bundle.keys[1] = key("office-2", Suite::X25519Aes256, 4, "2026-10-01T00:00:00.5Z");
        }
        let json = root(5).sign(bundle.clone()).unwrap().to_json();
        proptest::prop_assert!(json.len() < MAX_BUNDLE_BYTES);
        let signed = SignedBundle::from_json(json.as_bytes()).unwrap();
        proptest::prop_assert_eq!(signed.verify(root(5).public()), Ok(&bundle));
        proptest::prop_assert_eq!(signed.to_json(), json);
    }
}
