//! The shipped visits, what they leave, and what they must not leave.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::{files, play, play_with, program, search};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[test]
fn a_self_directed_soldier_applies_for_all_and_comes_back_to_answer() {
    let played = play("tests/fixtures/visits/self-directed.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(summary["acknowledged"], json!(true));
    assert_eq!(summary["submissions"], json!(2));
    assert_eq!(summary["services"].as_array().unwrap().len(), 11);
    assert_eq!(
        keys(&summary["departments"]),
        [
            "armed_forces",
            "human_resources",
            "medical_insurance",
            "public_security",
            "veterans_affairs",
            "youth_league"
        ]
    );
    // 4 before 5: the police have the registration, and the identity card waits for it.
    assert_eq!(summary["inboxes"]["public_security"], json!(["household_registration"]));
    assert_eq!(summary["progress"]["identity_card"], json!("waiting"));
    nothing_about_the_person_outside_the_case_store(
        played.out.path(),
        &["样本乙", "930100200203151010", "13800000000", "样本户主", "11010519491231002X"],
    );
    everything_can_be_opened_with_the_gateways_key(played.out.path(), 2);
}

#[test]
fn a_name_with_a_rare_character_arrives_as_it_is() {
    let played = play("tests/fixtures/visits/monthly-pension.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(
        keys(&summary["departments"]),
        ["human_resources", "medical_insurance", "veterans_affairs", "youth_league"]
    );
    let manifests = everything_can_be_opened_with_the_gateways_key(played.out.path(), 1);
    assert_eq!(manifests[0]["fields"]["name"], json!("𠮷样本"));
    assert_eq!(manifests[0]["identity"]["name"], json!("𠮷样本"));
}

#[test]
fn an_unreviewed_archive_waits_and_pictures_of_every_page_are_kept() {
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(program("kiosk").unwrap())
        .current_dir(tests::root())
        .args(["demo", "--headless", "--visit"])
        .arg("tests/fixtures/visits/officer-archive-pending.toml")
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("awaiting_archive") && table.contains("party_transfer"), "{table}");

    for name in ["receipt.png", "receipt.bin", "summary.json"] {
        assert!(out.path().join(name).is_file(), "{name}");
    }
    let screens = files(&out.path().join("screens")).unwrap();
    assert!(screens.len() > 20, "{}", screens.len());
    for page in ["attract", "identify", "consent", "question", "services", "capture", "receipt"] {
        assert!(screens.iter().any(|path| path.to_string_lossy().contains(page)), "{page}");
    }
    // Chinese text went to the printer as GB 18030, English as it is; both are cut off at the end.
    let bytes = std::fs::read(out.path().join("receipt.bin")).unwrap();
    assert!(bytes.windows(3).any(|window| window == [0x1d, b'V', 66]), "no cut");
}

#[test]
fn without_a_readable_card_staff_lets_the_person_in() {
    let played = play("tests/fixtures/visits/without-card.toml").unwrap();
    assert_eq!(played.summary().unwrap()["acknowledged"], json!(true));
    let manifests = everything_can_be_opened_with_the_gateways_key(played.out.path(), 1);
    assert_eq!(manifests[0]["identity"]["medium"], json!("typed"));
}

#[test]
fn an_unreachable_gateway_delays_delivery_and_nothing_else() {
    let played = play("tests/fixtures/visits/gateway-down.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(summary["acknowledged"], json!(true));
    assert_eq!(summary["print"], json!("printed"));
}

#[test]
fn the_same_folder_can_be_used_again() {
    let played = play("tests/fixtures/bad/expired-card.toml").unwrap();
    played.summary().unwrap();
    let again = Command::new(program("kiosk").unwrap())
        .current_dir(tests::root())
        .args(["demo", "--headless", "--no-pictures", "--json"])
        .args(["--visit", "tests/fixtures/bad/expired-card.toml", "--out"])
        .arg(played.out.path())
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn an_expectation_that_does_not_hold_is_an_error_that_names_it() {
    let played =
        play_with("tests/fixtures/bad/wrong-expectation.toml", &["--no-pictures"]).unwrap();
    assert!(!played.output.status.success());
    assert!(played.errors().contains("page receipt was never shown"), "{}", played.errors());
}

/// Everything but the gateway's case store, its keys (which hold no person), the pictures of the
/// screens and what was printed.
fn nothing_about_the_person_outside_the_case_store(out: &Path, texts: &[&str]) {
    let searched: Vec<_> = files(out)
        .unwrap()
        .into_iter()
        .filter(|path| {
            let inside = path.strip_prefix(out).unwrap().to_string_lossy().into_owned();
            !inside.starts_with("gateway/cases")
        })
        .collect();
    assert!(searched.iter().any(|path| path.ends_with("gateway.log")), "{searched:?}");
    assert!(searched.iter().any(|path| path.ends_with("index.db")), "{searched:?}");
    assert_eq!(search(&searched, texts).unwrap(), Vec::<String>::new());
}

/// Opens every sealed file with the product's own opener; answers the manifests.
fn everything_can_be_opened_with_the_gateways_key(out: &Path, expected: usize) -> Vec<Value> {
    let sealed = files(&out.join("sealed")).unwrap();
    assert_eq!(sealed.len(), expected);
    sealed
        .iter()
        .map(|file| {
            let opened = tempfile::tempdir().unwrap();
            let output = Command::new(program("gateway").unwrap())
                .arg("open")
                .arg(file)
                .arg("--key")
                .arg(out.join("gateway/keys/recipient.json"))
                .arg("--out")
                .arg(opened.path().join("opened"))
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let manifest = std::fs::read(opened.path().join("opened/manifest.json")).unwrap();
            serde_json::from_slice(&manifest).unwrap()
        })
        .collect()
}

#[test]
fn typed_identity_reaches_the_office_with_a_service_that_asks_for_no_identity_card() {
    let played = play("tests/fixtures/visits/typed-reserve-only.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(summary["acknowledged"], json!(true));
    assert_eq!(summary["case_state"], json!("awaiting_archive"));
}
