//! A terminal in the field must not be able to record. Its features are followed from manifest to
//! manifest, and programs are searched for the word that every recorder carries.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::Path;
use std::process::Command;

/// [`hal::record::MARKER`], which this test cannot name when the feature is absent.
const MARKER: &[u8] = b"RONGGUI-DEVICE-RECORD";

fn holds_marker(program: &Path) -> bool {
    let bytes = std::fs::read(program).unwrap();
    bytes.windows(MARKER.len()).any(|window| window == MARKER)
}

/// What cargo would build `hal` with, with a comma between.
fn features_of_hal(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}|{f}"])
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    // `(*)` marks a package that was printed above with the same features.
    let hal = text.lines().find(|line| line.starts_with("hal v")).unwrap();
    hal.rsplit('|').next().unwrap().trim_end_matches(" (*)").to_owned()
}

#[test]
fn no_build_of_the_terminal_has_the_feature() {
    let builds: [&[&str]; 3] = [
        &["--package", "kiosk"],
        &["--package", "kiosk", "--no-default-features", "--features", "device"],
        &["--package", "kiosk", "--no-default-features", "--features", "device,raspberry-pi"],
    ];
    for build in builds {
        let features = features_of_hal(build);
        assert!(!features.split(',').any(|feature| feature == "record"), "{build:?}: {features}");
    }
    // The same question about a build that has it, so that the answer above means something.
    let with = features_of_hal(&["--package", "hal", "--features", "record"]);
    assert!(with.split(',').any(|feature| feature == "record"), "{with}");
}

#[test]
fn programs_hold_the_marker_exactly_when_they_can_record() {
    let devices = Path::new(env!("CARGO_BIN_EXE_devices"));
    assert_eq!(holds_marker(devices), cfg!(feature = "record"));
    let kiosk = devices.with_file_name("kiosk");
    if kiosk.exists() && !cfg!(feature = "record") {
        assert!(!holds_marker(&kiosk), "{} can record", kiosk.display());
    }
}
