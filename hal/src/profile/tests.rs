use super::*;
use crate::contract::Recoverable as _;
use crate::line::LpSpec;

const PATH: &str = "/etc/ronggui/devices.toml";

fn parse(text: &str) -> Result<DeviceProfile, ProfileError> {
    DeviceProfile::parse(text, Path::new(PATH))
}

fn good(text: &str) -> DeviceProfile {
    parse(&format!("version = 1\n{text}")).unwrap()
}

#[test]
fn the_example_shows_every_role_and_is_what_it_says() {
    let profile = parse(DeviceProfile::example()).unwrap();
    for role in Role::ALL {
        assert!(profile.has(role), "{role}");
    }
    // "What is written here is what holds": taking the optional keys away changes nothing.
    let reader = profile.reader.as_ref().unwrap();
    assert_eq!(reader.quirks, ReaderQuirks::default());
    let printer = profile.printer.as_ref().unwrap();
    let plain = PrinterDevice::new(printer.port.clone());
    assert_eq!(printer.profile().feed_before_cut, plain.profile().feed_before_cut);
    assert_eq!(printer.model(), plain.model());
    let again = parse(&profile.to_toml().unwrap()).unwrap();
    assert_eq!(again, profile);
}

#[test]
fn the_commented_keys_of_the_example_are_keys() {
    let text = DeviceProfile::example()
        .replace("# photo_decoder", "photo_decoder")
        .replace("# tamper", "tamper");
    let profile = parse(&text).unwrap();
    assert_eq!(profile.panel.unwrap().tamper.len(), 1);
    assert!(profile.reader.unwrap().quirks.photo_decoder.is_some());
}

#[test]
fn simulators_are_looked_for_in_their_folder() {
    let profile = DeviceProfile::simulated(Path::new("/run/sim")).unwrap();
    let serial = PathBuf::from("/run/sim/reader");
    assert_eq!(profile.reader.unwrap().port, LinePort::Serial { serial, baud: 115_200 });
    let replay = PathBuf::from("/run/sim/document-camera");
    assert_eq!(profile.document_camera.unwrap().port, CameraPort::Replay { replay });
}

#[test]
fn relative_paths_start_from_the_folder_and_programs_may_be_bare() {
    let profile = good(
        "folder = 'ports'\n[reader]\nport = { serial = 'tty', baud = 9600 }\n\
         [reader.quirks]\nphoto_decoder = 'wlt2bmp'\n[speaker]\nprogram = 'bin/play'\n",
    );
    let reader = profile.reader.unwrap();
    let serial = PathBuf::from("/etc/ronggui/ports/tty");
    assert_eq!(reader.port, LinePort::Serial { serial, baud: 9600 });
    assert_eq!(reader.quirks.photo_decoder, Some(PathBuf::from("wlt2bmp")));
    let program = PathBuf::from("/etc/ronggui/ports/bin/play");
    assert_eq!(profile.speaker.unwrap().port, SpeakerPort::Program { program });
}

#[test]
fn a_profile_without_devices_is_a_profile() {
    let profile = good("");
    assert_eq!(profile, DeviceProfile::default());
    assert_eq!(parse(&profile.to_toml().unwrap()).unwrap(), profile);
}

/// Each row: what follows `version = 1`, then line, column, key and a word of the message.
#[test]
fn every_mistake_is_shown_where_it_stands() {
    let rows: &[(&str, usize, usize, &str, &str)] = &[
        ("[reder]", 2, 2, "reder", "unknown field"),
        ("[reader]\nprot = 1", 3, 1, "reader.prot", "unknown field"),
        ("[reader]\nport = { serial = 'a', baud = 'fast' }", 3, 31, "reader.port.baud", "u32"),
        ("[reader]\nport = { serial = 'a' }", 3, 8, "reader.port", "baud = 115200"),
        ("[reader]\nport = { serial = 'a', baud = 1200 }", 3, 31, "reader.port.baud", "115200"),
        ("[reader]\nport = { lp = 'a' }", 3, 8, "reader.port", "serial port"),
        ("[reader]\nport = { usb = '0400:c35a' }", 3, 8, "reader.port", "not served yet"),
        (
            "[reader]\nport = { serial = 'a', baud = 9600 }\n[reader.quirks]\npresence_poll_ms = 5",
            5,
            20,
            "reader.quirks.presence_poll_ms",
            "between 300",
        ),
        ("[printer]\nport = { tcp = 'a:0' }", 3, 16, "printer.port.tcp", "host:port"),
        ("[printer]\nport = { tcp = 'a', lp = 'b' }", 3, 8, "printer.port", "exactly one"),
        ("[printer]\nport = { lp = 'a' }\nmodel = 'x9'", 4, 9, "printer.model", "mm80, mm58"),
        (
            "[printer]\nport = { lp = 'a' }\n[printer.quirks]\n'名' = 1",
            5,
            1,
            "printer.quirks.名",
            "unknown field",
        ),
        (
            "[printer]\nport = { lp = 'a' }\nquirks = { status = 'telepathy' }",
            4,
            21,
            "printer.quirks.status",
            "telepathy",
        ),
        (
            "[printer]\nport = { lp = 'a' }\nquirks = { width_dots = 5 }",
            4,
            25,
            "printer.quirks.width_dots",
            "between 128",
        ),
        (
            "[portrait_camera]\nport = { v4l2 = 'a' }\nrotate = 45",
            4,
            10,
            "portrait_camera.rotate",
            "45",
        ),
        (
            "[document_camera]\nport = { v4l2 = 'a' }\nwidth = 640",
            4,
            9,
            "document_camera.width",
            "height beside",
        ),
        (
            "[document_camera]\nport = { v4l2 = 'a' }\ncontrols = { focus = 'near' }",
            4,
            22,
            "document_camera.controls.focus",
            "lock",
        ),
        ("[panel]\nport = { gpio = 'x', files = 'y' }", 3, 8, "panel.port", "exactly one"),
        (
            "[panel]\nport = { files = 'y' }\npresence = { line = 'A' }",
            4,
            12,
            "panel.presence",
            "take this away",
        ),
        (
            "[panel]\nport = { gpio = 'y' }\npresence = { line = 'A' }\ntamper = [{ name = 'n', line = 'A' }]",
            5,
            10,
            "panel.tamper",
            "used twice",
        ),
        (
            "[panel]\nport = { gpio = 'y' }\nlights = { sofa = { line = 'A' } }",
            4,
            12,
            "panel.lights.sofa",
            "sofa",
        ),
        ("[watchdog]\nsystemd = false", 2, 1, "watchdog", "exactly one"),
        ("[watchdog]\nsystemd = true\ntimeout_s = 1", 4, 13, "watchdog.timeout_s", "between 5"),
        ("[speaker]\nfiles = 'a'\nvolume = 101", 4, 10, "speaker.volume", "between 0"),
        ("[speaker]\nfiles = 'a'\nvolume = 300", 4, 10, "speaker.volume", "300"),
    ];
    let mut missed = Vec::new();
    for (text, line, column, key, word) in rows {
        let error = parse(&format!("version = 1\n{text}")).unwrap_err();
        let told = error.to_string();
        let place = error.place().map(|at| (at.line, at.column, at.key.as_str()));
        let whole = told.contains(word) && told.contains(PATH) && told.contains(error.cure());
        let kind = matches!(error, ProfileError::Content { .. });
        if place != Some((*line, *column, *key)) || !whole || !kind {
            missed.push(format!("{text}\n  -> {told}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn two_roles_cannot_share_a_port() {
    let text = "[reader]\nport = { serial = 'a', baud = 9600 }\n\
                [scanner]\nport = { serial = './a', baud = 9600 }";
    let error = parse(&format!("version = 1\n{text}")).unwrap_err();
    let ProfileError::PortTaken { at, other } = &error else { panic!("{error}") };
    assert_eq!((at.line, at.key.as_str(), *other), (5, "scanner.port", Role::Reader));
    good("[document_camera]\nport = { replay = 'a' }\n[portrait_camera]\nport = { replay = 'b' }");
    assert!(parse("version = 1\n[document_camera]\nport = { replay = 'a' }\n[panel]\nport = { files = 'a' }").is_err());
}

#[test]
fn another_version_is_told_before_anything_else() {
    for text in ["version = 2\n[telepathy]", "version = '1'", "version = 1.0"] {
        let error = parse(text).unwrap_err();
        assert!(matches!(&error, ProfileError::Version { .. }), "{error}");
        assert_eq!(error.place().map(|at| (at.line, at.column)), Some((1, 11)), "{error}");
    }
    let missing = parse("[reader]").unwrap_err();
    assert_eq!(missing.place().map(|at| at.key.as_str()), Some("version"), "{missing}");
}

#[test]
fn what_is_no_toml_names_its_line() {
    let error = parse("version = 1\n[reader\n").unwrap_err();
    assert!(matches!(&error, ProfileError::Syntax { at, .. } if at.line == 2), "{error}");
    let twice = parse("version = 1\nversion = 1\n").unwrap_err();
    assert!(matches!(&twice, ProfileError::Syntax { at, .. } if at.line == 2), "{twice}");
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("devices.toml");
    assert_eq!(DeviceProfile::load(&path), Err(ProfileError::NotFound(path.clone())));
    std::fs::write(&path, b"version = 1\n\xff").unwrap();
    let error = DeviceProfile::load(&path).unwrap_err();
    assert!(matches!(&error, ProfileError::NotText { at } if at.line == 2), "{error}");
    let folder = DeviceProfile::load(dir.path()).unwrap_err();
    assert_eq!(folder.code(), "profile_unreadable");
    std::fs::write(&path, "version = 1\n[reader]\nport = { serial = 'tty', baud = 9600 }").unwrap();
    let profile = DeviceProfile::load(&path).unwrap();
    assert_eq!(profile.paths(), [dir.path().join("tty")]);
}

#[test]
fn quirks_reach_the_drivers() {
    let plugs = crate::supervise::Plugs::none();
    let profile = good(
        "[reader]\nport = { serial = 'a', baud = 9600 }\n\
         quirks = { presence_poll_ms = 0, added_address = true, negotiate_baud = true }\n\
         [scanner]\nport = { serial = 'b', baud = 9600 }\nsuffix = 'crlf'\n\
         [watchdog]\nsystemd = true\ntimeout_s = 30\n\
         [printer]\nport = { lp = '/dev/usb/lp0' }\nmodel = 'mm58'",
    );
    let reader = profile.reader.unwrap().options(&plugs);
    assert_eq!((reader.presence, reader.added_address), (None, true));
    assert_eq!(reader.baud.bits_per_second(), 9600);
    assert!(reader.negotiate_baud);
    let scanner = profile.scanner.unwrap().options(&plugs);
    assert_eq!(scanner.suffix, crate::scanner::Suffix::CrLf);
    assert_eq!(profile.watchdog.unwrap().options(&plugs).every.as_secs(), 10);
    let printer = profile.printer.unwrap();
    assert_eq!(
        printer.open().describe(),
        crate::line::OpenLine::describe(&LpSpec::new("/dev/usb/lp0"))
    );
    assert_eq!(printer.options(&plugs, None).profile.width_dots, 384);
    let speaker = good("[speaker]\nfiles = '/tmp/played'\nvolume = 80").speaker.unwrap();
    assert_eq!(speaker.options(&plugs).volume, 80);
    let camera = good("[portrait_camera]\nport = { v4l2 = 'a' }\nrotate = 90\nmirror = true");
    let options = camera.portrait_camera.unwrap().options(&plugs);
    assert_eq!((options.rotation.degrees(), options.mirror_preview), (90, true));
}

#[test]
fn roles_are_words() {
    for role in Role::ALL {
        assert_eq!(role.word().parse(), Ok(role));
        assert_eq!(role.word().replace('_', "-").parse(), Ok(role));
    }
    let error = "toaster".parse::<Role>().unwrap_err().to_string();
    assert!(error.contains("toaster") && error.contains("document_camera"), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    /// Damage in one place of a sound file is found or harmless, and its place is in the file.
    #[test]
    fn damage_is_placed_inside_the_file(at in 0usize..4000, with in "\\PC{0,3}") {
        let mut text = DeviceProfile::example().to_owned();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &with);
        if let Err(error) = parse(&text) {
            let lines = text.lines().count();
            let place = error.place().unwrap();
            proptest::prop_assert!(place.line <= lines + 1, "{error}");
            proptest::prop_assert!(place.column >= 1);
        }
    }
}
