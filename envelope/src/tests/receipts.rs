use super::*;

fn gateway(key_id: &str, seed: u8) -> ReceiptKey {
    ReceiptKey::from_pkcs8(key_id, &pkcs8([seed; 32])).unwrap()
}

fn signed() -> SignedReceipt {
    gateway("gateway-1", 5).sign(
        SUBMISSION,
        sha256(b"file"),
        device(1).device_id(),
        "2026-11-23T02:31:00.25Z".parse().unwrap(),
    )
}

#[test]
fn a_receipt_survives_json_and_proves_exactly_one_file() {
    let public = gateway("gateway-1", 5).public().clone();
    let json = serde_json::to_string(&signed()).unwrap();
    let signed: SignedReceipt = serde_json::from_str(&json).unwrap();
    let (digest, id) = (sha256(b"file"), device(1).device_id());
    assert!(public.verify_for(&signed, SUBMISSION, digest, id).is_ok());
    assert_eq!(
        public.verify_for(&signed, OTHER_SUBMISSION, digest, id),
        Err(ReceiptRefusal::OtherSubmission)
    );
    assert_eq!(
        public.verify_for(&signed, SUBMISSION, sha256(b"other"), id),
        Err(ReceiptRefusal::OtherDigest)
    );
    assert_eq!(
        public.verify_for(&signed, SUBMISSION, digest, device(3).device_id()),
        Err(ReceiptRefusal::OtherDevice)
    );
}

#[test]
fn another_key_and_any_change_are_refused() {
    let public = gateway("gateway-1", 5).public().clone();
    assert!(matches!(
        gateway("gateway-2", 6).public().verify(&signed()),
        Err(ReceiptRefusal::UnknownKey { .. })
    ));
    assert_eq!(
        gateway("gateway-1", 6).public().verify(&signed()),
        Err(ReceiptRefusal::SignatureInvalid)
    );
    let changes: [fn(&mut SignedReceipt); 7] = [
        |s| s.receipt.submission_id = OTHER_SUBMISSION,
        |s| s.receipt.digest = sha256(b"other"),
        |s| s.receipt.device_id = device(3).device_id(),
        |s| s.receipt.stored_at = moment(),
        |s| s.signature.clear(),
        |s| s.signature.make_ascii_uppercase(),
        |s| s.signature = "样本".into(),
    ];
    for change in changes {
        let mut signed = signed();
        change(&mut signed);
        assert_eq!(public.verify(&signed), Err(ReceiptRefusal::SignatureInvalid));
    }
}

#[test]
fn a_submission_signature_is_no_receipt() {
    // The same key used for both by mistake must not turn one into the other.
    let key = device(5);
    let public = gateway("gateway-1", 5).public().clone();
    let mut forged = signed();
    let mut message = b"ronggui/submission/v1".to_vec();
    message.extend_from_slice(forged.receipt.digest.as_bytes());
    forged.signature = hex::encode(key.sign(&message));
    assert_eq!(public.verify(&forged), Err(ReceiptRefusal::SignatureInvalid));
}

#[test]
fn key_files_come_back_and_generated_keys_work() {
    let (key, pkcs8) = ReceiptKey::generate("gateway-1").unwrap();
    let again = ReceiptKey::from_pkcs8("gateway-1", &pkcs8).unwrap();
    let public = ReceiptPublic::from_json(&key.public().to_json().unwrap()).unwrap();
    assert_eq!(&public, key.public());
    let signed = again.sign(SUBMISSION, sha256(b""), device(1).device_id(), moment());
    assert!(public.verify(&signed).is_ok());
    assert!(ReceiptPublic::from_json("{}").is_err());
    assert!(matches!(ReceiptKey::generate(""), Err(KeyError::Name(_))));
}
