//! Bad input at every boundary of the product: a clear end, a code or a cure, nothing lost.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::{play, play_with, program, root, search};

#[test]
fn a_damaged_card_frame_is_read_again_after_lifting_the_card() {
    let played = play("tests/fixtures/bad/damaged-card-frame.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(summary["submissions"], json!(0));
}

#[test]
fn a_card_of_another_kind_is_answered_politely() {
    play("tests/fixtures/bad/foreign-card.toml").unwrap().summary().unwrap();
}

#[test]
fn a_card_of_an_unknown_type_is_answered_politely_too() {
    play("tests/fixtures/bad/unknown-card.toml").unwrap().summary().unwrap();
}

#[test]
fn what_a_visit_asks_for_and_does_not_happen_is_named() {
    for (visit, missing) in [
        ("tests/fixtures/bad/unfired-fault.toml", "fault"),
        ("tests/fixtures/bad/unused-answer.toml", "shoe_size"),
        ("tests/fixtures/bad/unreached-page.toml", "receipt"),
    ] {
        let played = play(visit).unwrap();
        assert!(!played.output.status.success(), "{visit}");
        assert!(played.errors().contains(missing), "{visit}: {}", played.errors());
    }
}

#[test]
fn an_expired_card_is_shown_and_served() {
    play("tests/fixtures/bad/expired-card.toml").unwrap().summary().unwrap();
}

#[test]
fn a_visit_may_be_abandoned_at_any_page() {
    let played = play("tests/fixtures/bad/abandoned.toml").unwrap();
    let summary = played.summary().unwrap();
    assert_eq!(summary["submissions"], json!(0));
    assert_eq!(fs::read_dir(played.out.path().join("sealed")).unwrap().count(), 0);
    let searched = tests::files(played.out.path()).unwrap();
    let found = search(&searched, &["样本乙", "930100200203151010", "13800000000"]).unwrap();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_photograph_that_is_no_image_is_refused_on_the_page() {
    play("tests/fixtures/bad/not-an-image.toml").unwrap().summary().unwrap();
}

#[test]
fn without_paper_the_receipt_is_on_the_screen_only() {
    let summary = play("tests/fixtures/bad/no-paper.toml").unwrap().summary().unwrap();
    assert_eq!(summary["print"], json!("on_screen_only"));
    assert_eq!(summary["acknowledged"], json!(true));
}

/// Needs a small file system, mounted in a name space of its own, which needs no rights.
#[test]
fn a_full_disk_promises_nothing_and_a_second_attempt_succeeds() {
    let out = tempfile::tempdir().unwrap();
    let queue = out.path().join("site/kiosk-01/queue");
    fs::create_dir_all(&queue).unwrap();
    let script = r#"mount -t tmpfs -o size=80m tmpfs "$1" && shift && exec "$@""#;
    let output = Command::new("unshare")
        .current_dir(root())
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(&queue)
        .arg(program("kiosk").unwrap())
        .args(["demo", "--headless", "--no-pictures", "--json", "--visit"])
        .arg("tests/fixtures/bad/full-disk.toml")
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let summary = fs::read(out.path().join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["submissions"], json!(1));
    assert!(errors.contains("queue.full"), "{errors}");
}

#[test]
fn a_catalogue_with_a_hole_names_file_line_and_cure() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = dir.path().join("data/sichuan");
    copy(&root().join("catalog/data"), &dir.path().join("data"));
    let services = catalog.join("services.toml");
    let text = fs::read_to_string(&services).unwrap();
    let broken = text.replacen("\"phone\"", "\"telephone\"", 1);
    let line = 1 + broken[..broken.find("\"telephone\"").unwrap()].matches('\n').count();
    fs::write(&services, &broken).unwrap();
    let played = play_with(
        "tests/fixtures/bad/expired-card.toml",
        &["--catalog", catalog.to_str().unwrap()],
    )
    .unwrap();
    assert!(!played.output.status.success());
    let errors = played.errors();
    assert!(errors.contains("services.toml") && errors.contains("telephone"), "{errors}");
    assert!(errors.contains(&format!("services.toml:{line}")), "line {line}: {errors}");
}

#[test]
fn a_visit_that_does_not_exist_or_is_misspelt_says_so() {
    let played = play("tests/fixtures/visits/none.toml").unwrap();
    assert!(!played.output.status.success());
    assert!(played.errors().contains("none.toml"), "{}", played.errors());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
