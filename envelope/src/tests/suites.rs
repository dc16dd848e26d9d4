//! Each suite, and each taken for another: a file names its algorithms in its header, and whoever
//! changes that name must gain nothing.

use super::*;

/// The specimen submission, sealed with a suite.
fn sealed_with(suite: Suite, office: &RecipientSecret) -> Vec<u8> {
    let device = device(1);
    let (manifest, files) = (manifest(&device), attachments());
    let mut request = request(&device, office.public(), &manifest, &files);
    request.suite = suite;
    let mut out = Vec::new();
    seal(&request, &mut out).unwrap();
    out
}

fn office_of(suite: Suite) -> RecipientSecret {
    office_for(suite.kem(), "office-1", 2)
}

/// The file with another suite in its header, properly signed by the terminal that sealed it.
fn renamed(file: &[u8], suite: Suite) -> Vec<u8> {
    let parts = parts(file);
    let mut header: serde_json::Value =
        serde_json::from_slice(&file[parts.header.clone()]).unwrap();
    header["suite"] = serde_json::to_value(suite.ids()).unwrap();
    let header = header.to_string();
    let mut body = file[..10].to_vec();
    body.extend_from_slice(&(header.len() as u32).to_be_bytes());
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(&file[parts.header.end..parts.digest]);
    sign_again(&body, &device(1))
}

#[test]
fn names_numbers_and_keys_belong_together() {
    for suite in Suite::ALL {
        assert_eq!(Suite::from_ids(suite.ids()), Some(suite));
        assert_eq!(Suite::from_name(suite.name()), Some(suite));
        assert_eq!(Kem::from_id(suite.ids().kem), Some(suite.kem()));
        assert_eq!(Suite::usual_for(suite.kem()).kem(), suite.kem());
        assert!(Suite::ALL.contains(&Suite::usual_for(suite.kem())));
    }
    assert_eq!(Suite::from_name("rot13"), None);
    assert_eq!(Kem::from_id(0), None);
}

#[test]
fn a_suite_cannot_be_taken_for_another() {
    for real in Suite::ALL {
        let office = office_of(real);
        let file = sealed_with(real, &office);
        for other in Suite::ALL.into_iter().filter(|other| *other != real) {
            let refusal = refused(&renamed(&file, other), &office);
            let expected = if other.kem() == real.kem() {
                // The suite is part of the header, and the header of the key schedule.
                Refusal::Decrypt { frame: 0 }
            } else {
                Refusal::EncapsulatedKeyLength
            };
            assert_eq!(refusal, expected, "{real:?} as {other:?}");
        }
    }
}

#[test]
fn a_key_of_another_kind_under_the_same_name_is_called_so() {
    for suite in Suite::ALL {
        let file = sealed_with(suite, &office_of(suite));
        for kem in Kem::ALL.into_iter().filter(|kem| *kem != suite.kem()) {
            let ours = KeyId::new("office-1").unwrap();
            let refusal = refused(&file, &office_for(kem, "office-1", 2));
            assert_eq!(refusal, Refusal::KeySuite { ids: suite.ids(), ours });
            assert_eq!(refusal.code(), "key_suite");
        }
    }
}

#[test]
fn nothing_is_sealed_to_a_key_of_another_kind() {
    let device = device(1);
    let (manifest, files) = (manifest(&device), attachments());
    for suite in Suite::ALL {
        for kem in Kem::ALL.into_iter().filter(|kem| *kem != suite.kem()) {
            let office = office_for(kem, "office-1", 2);
            let mut request = request(&device, office.public(), &manifest, &files);
            request.suite = suite;
            let mut out = Vec::new();
            assert_eq!(seal(&request, &mut out).unwrap_err().code(), "recipient_key");
            assert!(out.is_empty());
        }
    }
}

/// Of a post-quantum file too every part is guarded; the largest new one is the encapsulated key.
#[test]
fn the_larger_encapsulated_key_is_guarded_throughout() {
    let office = office_of(Suite::XWingChaCha20);
    let file = sealed_with(Suite::XWingChaCha20, &office);
    let parts = parts(&file);
    assert_eq!(parts.encapsulated.len(), 1120);
    for at in parts.encapsulated.clone() {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        assert_eq!(verify(&*damaged, &Limits::default()), Err(Refusal::DigestMismatch));
    }
    // Signed again: ML-KEM answers a changed ciphertext with another secret, so it is the first
    // frame that does not decrypt.
    for at in parts.encapsulated.clone().step_by(37) {
        let mut body = file[..parts.digest].to_vec();
        body[at] ^= 0x10;
        let refusal = refused(&sign_again(&body, &device(1)), &office);
        assert_eq!(refusal, Refusal::Decrypt { frame: 0 });
    }
    for length in (0..file.len()).step_by(101) {
        let refusal = verify(&file[..length], &Limits::default()).unwrap_err();
        assert_eq!(refusal.code(), "truncated", "at {length}");
    }
}
