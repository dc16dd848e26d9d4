use super::*;

#[test]
fn every_single_bit_is_guarded() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    // Two halves at once: there are some 140,000 flips.
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (file, office) = (&file, &office);
            scope.spawn(move || {
                let mut file = file.clone();
                for at in (half..file.len()).step_by(2) {
                    for bit in 0..8 {
                        file[at] ^= 1 << bit;
                        assert!(verify(&*file, &Limits::default()).is_err(), "bit {bit} of {at}");
                        // Opening is the same walk with decryption beside it; one bit of each byte
                        // shows that it has no way around the walk.
                        if at % 8 == bit {
                            assert!(open(&*file, office, &Limits::default()).is_err());
                        }
                        file[at] ^= 1 << bit;
                    }
                }
                assert!(open(&*file, office, &Limits::default()).is_ok());
            });
        }
    });
}

#[test]
fn a_changed_frame_is_refused_even_when_signed_again() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    let parts = parts(&file);
    for at in (parts.frames[0].start + 4..parts.frames[0].end).step_by(61) {
        let mut body = file[..parts.digest].to_vec();
        body[at] ^= 0x10;
        let refusal = refused(&sign_again(&body, &device), &office);
        assert_eq!(refusal, Refusal::Decrypt { frame: 0 });
    }
    for at in parts.encapsulated {
        let mut body = file[..parts.digest].to_vec();
        body[at] ^= 0x10;
        let refusal = refused(&sign_again(&body, &device), &office);
        assert!(matches!(refusal, Refusal::Decrypt { .. } | Refusal::Encapsulation));
    }
}

#[test]
fn every_truncation_is_called_one() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    for length in 0..file.len() {
        let refusal = verify(&file[..length], &Limits::default()).unwrap_err();
        assert_eq!(refusal.code(), "truncated", "at {length}");
    }
    assert_eq!(
        refused(&file[..file.len() - 1], &office),
        Refusal::Truncated { place: Place::Signature }
    );
    assert_eq!(refused(&file[..5], &office), Refusal::Truncated { place: Place::Preamble });
}

#[test]
fn anything_behind_the_signature_is_refused() {
    let (device, office) = (device(1), office("office-1", 2));
    let mut file = sealed(&device, &office);
    file.push(0);
    assert_eq!(refused(&file, &office), Refusal::TrailingData);
    let twice = [sealed(&device, &office), sealed(&device, &office)].concat();
    assert_eq!(refused(&twice, &office), Refusal::TrailingData);
}

/// A file of four frames taken apart, to be put together wrongly.
fn in_frames(device: &DeviceKey, office: &RecipientSecret) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (manifest, files) = large(device, 200_000);
    let mut file = Vec::new();
    seal(&request(device, office.public(), &manifest, &files), &mut file).unwrap();
    let parts = parts(&file);
    let frames: Vec<Vec<u8>> =
        parts.frames.iter().map(|range| file[range.clone()].to_vec()).collect();
    assert_eq!(frames.len(), 4);
    (file[..parts.frames[0].start].to_vec(), frames)
}

#[test]
fn frames_cannot_be_reordered_dropped_doubled_or_cut_short() {
    let (device, office) = (device(1), office("office-1", 2));
    let (front, frames) = in_frames(&device, &office);
    let build = |order: &[usize]| {
        let mut body = front.clone();
        for index in order {
            body.extend_from_slice(&frames[*index]);
        }
        // Signed by the real terminal: what is tested is the layer below the signature.
        sign_again(&body, &device)
    };
    assert!(open(&*build(&[0, 1, 2, 3]), &office, &Limits::default()).is_ok());
    for (order, code) in [
        (&[1, 0, 2, 3][..], "decrypt"),
        (&[0, 2, 1, 3], "decrypt"),
        (&[0, 0, 1, 3], "decrypt"),
        (&[0, 1, 3], "frame_length"),
        (&[0, 1, 2], "frame_length"),
        (&[0, 1, 2, 2, 3], "frame_length"),
        (&[0, 1, 2, 3, 3], "digest_mismatch"),
        (&[3], "frame_length"),
    ] {
        let refusal = refused(&build(order), &office);
        let codes = [code, "trailing_data"];
        assert!(codes.contains(&refusal.code()), "{order:?}: {refusal}");
    }
}

#[test]
fn a_middle_frame_cannot_be_made_the_last() {
    // The header says how long the file is; with the header changed too, the key schedule changes.
    let (device, office) = (device(1), office("office-1", 2));
    let (front, frames) = in_frames(&device, &office);
    let mut body = front.clone();
    body.extend_from_slice(&frames[0]);
    let at = body.len() - frames[0].len();
    body[at] |= 0x80;
    assert_eq!(refused(&sign_again(&body, &device), &office).code(), "frame_length");

    let short = header_json(&device, "office-1", 65536).to_string();
    let mut body = b"RONGGUI\0\0\x01".to_vec();
    body.extend_from_slice(&(short.len() as u32).to_be_bytes());
    body.extend_from_slice(short.as_bytes());
    body.extend_from_slice(&front[front.len() - 34..]);
    let at = body.len();
    body.extend_from_slice(&frames[0]);
    body[at] |= 0x80;
    assert_eq!(refused(&sign_again(&body, &device), &office), Refusal::Decrypt { frame: 0 });
}

#[test]
fn two_files_cannot_be_spliced() {
    let (device, office) = (device(1), office("office-1", 2));
    let (front, frames) = in_frames(&device, &office);
    let (_, others) = in_frames(&device, &office);
    for foreign in 0..4 {
        let mut body = front.clone();
        for (index, frame) in frames.iter().enumerate() {
            body.extend_from_slice(if index == foreign { &others[index] } else { frame });
        }
        let refusal = refused(&sign_again(&body, &device), &office);
        assert_eq!(refusal, Refusal::Decrypt { frame: foreign as u64 });
    }
}

/// The specimen file with its header rewritten and the whole signed by `signer`.
fn with_header(
    file: &[u8],
    signer: &DeviceKey,
    change: impl FnOnce(&mut serde_json::Value),
) -> Vec<u8> {
    let parts = parts(file);
    let mut header = serde_json::from_slice(&file[parts.header.clone()]).unwrap();
    change(&mut header);
    let header = header.to_string();
    let mut body = file[..10].to_vec();
    body.extend_from_slice(&(header.len() as u32).to_be_bytes());
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(&file[parts.header.end..parts.digest]);
    sign_again(&body, signer)
}

#[test]
fn another_terminal_cannot_adopt_the_ciphertext() {
    let (mine, thief, office) = (device(1), device(3), office("office-1", 2));
    let file = sealed(&mine, &office);
    // Signing a file that names somebody else.
    let parts = parts(&file);
    let resigned = sign_again(&file[..parts.digest], &thief);
    assert_eq!(refused(&resigned, &office), Refusal::SignatureInvalid);
    // Naming oneself: everything verifies, but the key schedule was bound to the first header.
    let adopted = with_header(&file, &thief, |header| {
        header["device_id"] = json!(thief.device_id());
        header["device_public_key"] = json!(hex::encode(thief.public_key()));
    });
    assert!(verify(&*adopted, &Limits::default()).is_ok());
    assert_eq!(refused(&adopted, &office), Refusal::Decrypt { frame: 0 });
    // Half of it.
    let half = with_header(&file, &thief, |header| {
        header["device_public_key"] = json!(hex::encode(thief.public_key()));
    });
    assert_eq!(refused(&half, &office), Refusal::DeviceIdMismatch);
}

#[test]
fn no_part_of_the_header_can_be_exchanged() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    let change = |key: &'static str, value: serde_json::Value| {
        refused(&with_header(&file, &device, |header| header[key] = value), &office)
    };
    let decrypt = Refusal::Decrypt { frame: 0 };
    assert_eq!(change("device_seq", json!(8)), decrypt);
    assert_eq!(change("submission_id", json!(OTHER_SUBMISSION)), decrypt);
    assert_eq!(change("created_at", json!("2026-11-23T02:30:16Z")), decrypt);
    // Downgrade to another suite that is spoken, and to ones that are not.
    assert_eq!(change("suite", json!({"kem": 32, "kdf": 1, "aead": 2})), decrypt);
    let post_quantum = change("suite", json!({"kem": 0x647a, "kdf": 1, "aead": 3}));
    assert_eq!(post_quantum, Refusal::EncapsulatedKeyLength);
    for ids in [(32, 1, 1), (32, 2, 3), (16, 1, 3), (0, 0, 0), (0x647a, 1, 2), (32, 1, 0xffff)] {
        let (kem, kdf, aead) = ids;
        assert_eq!(
            change("suite", json!({"kem": kem, "kdf": kdf, "aead": aead})),
            Refusal::UnknownSuite { ids: SuiteIds { kem, kdf, aead } }
        );
    }
    assert_eq!(change("signature", json!("none")), Refusal::UnknownSignature);
    assert_eq!(change("size_class", json!(18432)).code(), "frame_length");
    for (key, value) in [
        ("size_class", json!(16385)),
        ("size_class", json!(0)),
        ("size_class", json!(-1)),
        ("submission_id", json!("00000000-0000-4000-8000-000000000000")),
        ("submission_id", json!("样本")),
        ("device_public_key", json!("00")),
        ("device_public_key", json!("zz")),
        ("device_id", json!("00")),
        ("created_at", json!("yesterday")),
        ("recipient_key_id", json!("a\nb")),
        ("extra", json!(1)),
    ] {
        assert_eq!(change(key, value.clone()).code(), "header_invalid", "{key} {value}");
    }
    let missing = with_header(&file, &device, |header| {
        header.as_object_mut().unwrap().remove("device_seq");
    });
    assert_eq!(refused(&missing, &office).code(), "header_invalid");
}

#[test]
fn the_right_key_must_be_used() {
    let device = device(1);
    let file = sealed(&device, &office("office-1", 2));
    assert_eq!(
        refused(&file, &office("office-2", 3)),
        Refusal::WrongRecipient {
            expected: KeyId::new("office-1").unwrap(),
            ours: KeyId::new("office-2").unwrap()
        }
    );
    // The right name on the wrong key, and the right key under a wrong name.
    assert_eq!(refused(&file, &office("office-1", 3)), Refusal::Decrypt { frame: 0 });
    assert_eq!(refused(&file, &office("office-2", 2)).code(), "wrong_recipient");
}

#[test]
fn damage_is_called_damage_whatever_key_is_tried() {
    let device = device(1);
    let mut file = sealed(&device, &office("office-1", 2));
    let at = parts(&file).frames[0].start + 100;
    file[at] ^= 1;
    assert_eq!(refused(&file, &office("office-1", 2)), Refusal::DigestMismatch);
    assert_eq!(refused(&file, &office("office-2", 3)), Refusal::DigestMismatch);
}

#[test]
fn what_is_not_a_sealed_file_says_so() {
    let office = office("office-1", 2);
    assert_eq!(refused(b"\xff\xd8\xff\xe0 a photograph", &office), Refusal::BadMagic);
    let mut file = sealed(&device(1), &office);
    file[9] = 2;
    assert_eq!(refused(&file, &office), Refusal::UnknownVersion { version: 2 });
}

#[test]
fn limits_are_applied_before_reading_on() {
    let (device, office) = (device(1), office("office-1", 2));
    let file = sealed(&device, &office);
    let limited = |limits: Limits| open(&*file, &office, &limits).unwrap_err();
    let base = Limits::default();
    assert_eq!(limited(Limits { max_header_bytes: 100, ..base }).code(), "header_too_long");
    assert_eq!(limited(Limits { max_bytes: 16_000, ..base }).code(), "too_large");
    assert_eq!(limited(Limits { max_manifest_bytes: 100, ..base }).code(), "too_large");
    assert_eq!(limited(Limits { max_attachments: 0, ..base }).code(), "too_large");
    assert_eq!(limited(Limits { max_attachment_bytes: 10, ..base }).code(), "too_large");

    // A header that promises the world costs nothing.
    let mut vast = b"RONGGUI\0\0\x01".to_vec();
    let header = header_json(&device, "office-1", 1 << 60).to_string();
    vast.extend_from_slice(&(header.len() as u32).to_be_bytes());
    vast.extend_from_slice(header.as_bytes());
    assert_eq!(refused(&vast, &office).code(), "too_large");
    vast.truncate(10);
    vast.extend_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(refused(&vast, &office).code(), "header_too_long");
}

#[test]
fn a_broken_disk_is_not_called_damage() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let refusal = verify(Broken, &Limits::default()).unwrap_err();
    assert_eq!(refusal, Refusal::Read { kind: std::io::ErrorKind::PermissionDenied });
    assert!(!refusal.cure().is_empty());
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(0_u8.., 0..2000)) {
        let _ = verify(&*bytes, &Limits::default());
    }

    #[test]
    fn arbitrary_bytes_behind_a_preamble_never_panic(
        bytes in proptest::collection::vec(0_u8.., 0..2000), length in 0_u32..3000
    ) {
        let mut file = b"RONGGUI\0\0\x01".to_vec();
        file.extend_from_slice(&length.to_be_bytes());
        file.extend_from_slice(&bytes);
        proptest::prop_assert!(verify(&*file, &Limits::default()).is_err());
    }

    #[test]
    fn arbitrary_bytes_behind_a_header_are_refused(
        bytes in proptest::collection::vec(0_u8.., 0..17000)
    ) {
        let (device, office) = (device(1), office("office-1", 2));
        let header = header_json(&device, "office-1", 16384).to_string();
        let mut file = b"RONGGUI\0\0\x01".to_vec();
        file.extend_from_slice(&(header.len() as u32).to_be_bytes());
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(&bytes);
        proptest::prop_assert!(open(&*file, &office, &Limits::default()).is_err());
    }
}
