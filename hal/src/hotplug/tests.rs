use std::time::{Duration, Instant};

use super::*;
use crate::contract::Backoff;
use crate::supervise::Reopen;

/// Generous: the machine may be busy.
const SOON: Duration = Duration::from_secs(3);

fn rises(plugs: &Plugs, from: u64) -> bool {
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        if plugs.generation() > from {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn what_appears_raises_the_counter() {
    let dir = tempfile::tempdir().unwrap();
    let watch = watch([dir.path().to_path_buf()]).unwrap();
    let plugs = watch.plugs();
    assert_eq!(plugs.generation(), 0, "what is there already was not plugged in");
    std::os::unix::fs::symlink("/dev/null", dir.path().join("reader")).unwrap();
    assert!(rises(&plugs, 0));
    let before = plugs.generation();
    std::fs::write(dir.path().join(".new"), "").unwrap();
    std::fs::rename(dir.path().join(".new"), dir.path().join("printer")).unwrap();
    assert!(rises(&plugs, before));
}

#[test]
fn a_permission_given_later_counts() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let device = dir.path().join("ttyUSB0");
    std::fs::write(&device, "").unwrap();
    let watch = watch([dir.path().to_path_buf()]).unwrap();
    std::fs::set_permissions(&device, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(rises(&watch.plugs(), 0));
}

#[test]
fn a_folder_that_appears_later_is_watched_and_again_when_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("serial/by-id");
    let watch = watch([folder.clone()]).unwrap();
    let plugs = watch.plugs();
    for round in ["first", "second"] {
        let before = plugs.generation();
        std::fs::create_dir_all(&folder).unwrap();
        assert!(rises(&plugs, before), "{round}: the folder");
        // The folder may have been noticed before or after it was complete.
        std::thread::sleep(Duration::from_millis(100));
        let before = plugs.generation();
        std::fs::write(folder.join("reader"), "").unwrap();
        assert!(rises(&plugs, before), "{round}: the device");
        std::fs::remove_dir_all(dir.path().join("serial")).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn only_the_names_of_the_profile_matter_beside_a_simulator() {
    let dir = tempfile::tempdir().unwrap();
    let profile = DeviceProfile::simulated(dir.path()).unwrap();
    let wanted = wanted_for(&profile);
    assert!(matters_in(&wanted, dir.path(), OsStr::new("reader")));
    assert!(matters_in(&wanted, dir.path(), OsStr::new("panel")));
    assert!(!matters_in(&wanted, dir.path(), OsStr::new("reader.sock")));
    assert!(matters_in(&wanted, Path::new("/dev"), OsStr::new("ttyACM0")));
    assert!(!matters_in(&wanted, Path::new("/tmp/elsewhere"), OsStr::new("reader")));
}

#[test]
fn a_driver_that_waits_opens_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let device = dir.path().join("reader");
    let watch = watch([dir.path().to_path_buf()]).unwrap();
    let hour = Duration::from_secs(3600);
    let mut reopen = Reopen::new(Backoff::new(hour, hour), watch.plugs());
    reopen.failed(Instant::now());
    let (open, opened) = std::sync::mpsc::channel();
    let port = device.clone();
    let waiting = std::thread::spawn(move || {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            let now = Instant::now();
            if reopen.due(now) {
                if port.exists() {
                    let _ = open.send(());
                    return;
                }
                reopen.failed(now);
            }
            std::thread::sleep(reopen.wait(now));
        }
    });
    assert!(opened.recv_timeout(Duration::from_millis(50)).is_err(), "nothing is there yet");
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    assert!(opened.recv_timeout(SOON).is_ok(), "an hour was not waited for");
    waiting.join().unwrap();
}

#[test]
fn the_thread_ends_with_its_handle() {
    let dir = tempfile::tempdir().unwrap();
    let watch = watch([dir.path().to_path_buf()]).unwrap();
    let plugs = watch.plugs();
    let start = Instant::now();
    drop(watch);
    assert!(start.elapsed() < SOON);
    std::fs::write(dir.path().join("late"), "").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(plugs.generation(), 0);
}
