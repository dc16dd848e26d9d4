use super::*;
use crate::line::TcpAddress;

fn profile(text: &str) -> DeviceProfile {
    DeviceProfile::parse(&format!("version = 1\n{text}"), Path::new("/nonexistent/x.toml")).unwrap()
}

#[test]
fn every_kind_says_something() {
    let all = all();
    for kind in [Kind::Serial, Kind::UsbPrinter, Kind::Camera, Kind::Gpio, Kind::Watchdog] {
        assert!(all.iter().any(|(found, _)| *found == kind), "{kind}");
    }
}

#[test]
fn a_role_without_a_port_is_absent() {
    for one in Role::ALL {
        let Discovery::Absent { looked_for } = role(&DeviceProfile::default(), one) else {
            panic!("{one} is not named and cannot be found");
        };
        assert!(looked_for.contains(one.word()), "{looked_for}");
    }
}

#[test]
fn every_role_is_looked_for_on_its_port() {
    let profile = profile(
        "[reader]\nport = { serial = 'reader', baud = 115200 }\n\
         [printer]\nport = { lp = 'lp0' }\n\
         [document_camera]\nport = { v4l2 = 'video0' }\n\
         [portrait_camera]\nport = { replay = 'frames' }\n\
         [scanner]\nport = { serial = 'scanner', baud = 9600 }\n\
         [panel]\nport = { files = 'panel' }\n\
         [watchdog]\ndevice = 'watchdog9'\n\
         [speaker]\nprogram = './no-such-program'\n",
    );
    for one in Role::ALL {
        assert!(matches!(role(&profile, one), Discovery::Absent { .. }), "{one}");
    }
}

#[test]
fn simulated_devices_are_found_where_they_publish_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let profile = DeviceProfile::simulated(dir.path()).unwrap();
    std::fs::create_dir(dir.path().join("panel")).unwrap();
    std::os::unix::fs::symlink("/dev/null", dir.path().join("reader")).unwrap();
    std::fs::write(dir.path().join("portrait-camera"), "a file is no folder").unwrap();
    assert!(matches!(role(&profile, Role::Panel), Discovery::Found { .. }));
    assert!(matches!(role(&profile, Role::Reader), Discovery::Found { .. }));
    assert!(matches!(role(&profile, Role::DocumentCamera), Discovery::Absent { .. }));
    assert!(matches!(role(&profile, Role::PortraitCamera), Discovery::Absent { .. }));
}

#[test]
fn a_network_printer_is_knocked_at() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: TcpAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
    let text = format!("[printer]\nport = {{ tcp = '{address}' }}");
    assert!(matches!(role(&profile(&text), Role::Printer), Discovery::Found { .. }));
    drop(listener);
    assert!(matches!(role(&profile(&text), Role::Printer), Discovery::Absent { .. }));
}

#[test]
fn programs_and_files_are_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(files::program(Path::new("sh")), Discovery::Found { .. }));
    assert!(matches!(files::program(Path::new("no-such-program")), Discovery::Absent { .. }));
    assert!(matches!(files::program(dir.path()), Discovery::Absent { .. }), "a folder");
    assert!(matches!(files::writable_file(&dir.path().join("new")), Discovery::Found { .. }));
    let nowhere = dir.path().join("none/new");
    assert!(matches!(files::writable_file(&nowhere), Discovery::Absent { .. }));
}

/// Root may do everything, so there is nothing to see then.
#[test]
fn what_may_not_be_opened_is_told_apart_from_what_is_not_there() {
    use std::os::unix::fs::PermissionsExt as _;
    if rustix::process::getuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let port = dir.path().join("ttyUSB0");
    std::fs::write(&port, "").unwrap();
    std::fs::set_permissions(&port, std::fs::Permissions::from_mode(0o000)).unwrap();
    assert!(matches!(look_at(&port), Discovery::NoPermission { .. }));
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    assert!(matches!(look_at(&port), Discovery::NoPermission { .. }));
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
}
