//! Copies for a stick: whole or told as not, however often, and never instead of the original.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::queue::export::{ExportError, Exported, INDEX, export, read_index};

fn quietly(
    fixture: &Fixture,
    items: &[Item],
    to: &std::path::Path,
) -> Result<Exported, ExportError> {
    export(fixture.dir.path(), items, to, |_, _| {})
}

#[test]
fn an_export_copies_everything_and_a_second_one_changes_nothing() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [0, 1, 2].map(|second| fixture.store(&mut queue, second));
    queue.refuse(items[1].submission_id, "refused.too_large").unwrap();
    queue.set_aside(items[2].submission_id, "staff.set_aside").unwrap();
    let items = queue.items().unwrap();
    let stick = tempfile::tempdir().unwrap();
    let to = stick.path().join("terminal-1");
    let mut steps = Vec::new();
    // Beside the terminal that runs: the queue is open.
    let first = export(fixture.dir.path(), &items, &to, |done, of| steps.push((done, of))).unwrap();
    assert_eq!((first.copied, first.already, first.damaged, first.missing), (3, 0, 0, 0));
    assert_eq!(steps, [(0, 3), (1, 3), (2, 3), (3, 3)]);
    let listed = read_index(&to.join(INDEX)).unwrap();
    assert_eq!(listed.len(), 3);
    for (entry, item) in listed.iter().zip(&items) {
        assert_eq!((entry.submission_id, &entry.digest), (item.submission_id, &item.digest));
        assert_eq!((entry.bytes, entry.state, entry.sound), (item.bytes, item.state, true));
        let copy = fs::read(to.join(&entry.file)).unwrap();
        assert!(envelope::verify(&copy[..], &envelope::Limits::default()).is_ok());
    }
    // The list holds nothing that is on the visitor's paper.
    let text = fs::read_to_string(to.join(INDEX)).unwrap();
    assert!(items.iter().all(|item| !text.contains(&format!("\"{}\"", item.receipt_number))));

    let second = quietly(&fixture, &items, &to).unwrap();
    assert_eq!((second.copied, second.already), (0, 3));
    assert_eq!(read_index(&to.join(INDEX)).unwrap(), listed);
    assert_eq!(queue.items().unwrap(), items, "nothing is deleted here");

    // A bad copy is found and made again; what another terminal left is kept.
    damage(&to.join(&listed[0].file));
    let third = quietly(&fixture, &items[..1], &to).unwrap();
    assert_eq!((third.copied, third.already), (1, 0));
    assert_eq!(read_index(&to.join(INDEX)).unwrap(), listed);
    assert!(
        fs::read_dir(&to)
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().ends_with(".part") })
    );
}

#[test]
fn damaged_ones_are_carried_apart_and_missing_ones_told() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [0, 1].map(|second| fixture.store(&mut queue, second));
    damage(&queue.path(items[0].submission_id));
    fs::remove_file(queue.path(items[1].submission_id)).unwrap();
    let stick = tempfile::tempdir().unwrap();
    let exported = quietly(&fixture, &items, stick.path()).unwrap();
    assert_eq!((exported.copied, exported.damaged, exported.missing), (1, 1, 1));
    let listed = read_index(&stick.path().join(INDEX)).unwrap();
    assert!(listed[0].file.starts_with("damaged/") && !listed[0].sound);
    assert!(stick.path().join(&listed[0].file).is_file());
}

#[test]
fn a_target_that_cannot_be_right_is_told_with_its_cure() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [fixture.store(&mut queue, 0)];
    let stick = tempfile::tempdir().unwrap();
    let code = |to: &std::path::Path| quietly(&fixture, &items, to).unwrap_err().code();
    assert_eq!(code(&stick.path().join("not/mounted")), "export.no_target");
    assert_eq!(code(&fixture.dir.path().join("spool")), "export.inside");
    fs::write(stick.path().join(INDEX), "[1, 2, 3]").unwrap();
    assert_eq!(code(stick.path()), "export.foreign_index");
    let traversal = r#"{"format":"ronggui export v1","submissions":[{"file":"../x","submission_id":
        "01939b1c-0000-7000-8000-000000000000","device_seq":1,"digest":"","bytes":1,"state":"sealed",
        "sound":true}]}"#;
    fs::write(stick.path().join(INDEX), traversal).unwrap();
    assert_eq!(code(stick.path()), "export.foreign_index");
    fs::remove_file(stick.path().join(INDEX)).unwrap();
    // The largest stick has less room than this.
    let huge = [Item { bytes: u64::MAX / 4, ..items[0].clone() }];
    let small = quietly(&fixture, &huge, stick.path()).unwrap_err();
    assert!(matches!(small, ExportError::TooSmall { .. }), "{small}");
    // Root may write everywhere; a folder without the bit tells only ordinary users.
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(stick.path(), fs::Permissions::from_mode(0o500)).unwrap();
        assert_eq!(code(stick.path()), "export.read_only");
        fs::set_permissions(stick.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let read_only = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(ExportError::io("write", stick.path())(read_only).code(), "export.read_only");
    assert!(queue.path(items[0].submission_id).exists());
}
