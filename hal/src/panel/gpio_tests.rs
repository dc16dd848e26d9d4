use super::super::memory::MemoryChip;
use super::*;

const NAMES: [&str; 9] =
    ["PRESENCE", "BUTTON", "DOOR1", "DOOR2", "TAMPER", "LAMP", "BEACON", "TWIN", "TWIN"];

fn chip() -> MemoryChip {
    MemoryChip::new("board", &NAMES, 7)
}

fn profile() -> GpioProfile {
    toml::from_str(
        "chip = 'board'\n\
         presence = { line = 'PRESENCE' }\n\
         call_staff = { line = 'BUTTON', active_low = true }\n\
         [doors]\ncabinet = { line = 'DOOR1', active_low = true }\npaper = { line = '#3' }\n\
         [tamper]\nback = { line = 'TAMPER', bias = 'pull_up' }\n\
         [lights]\nreader = { line = 'LAMP' }\nattention = { line = 'BEACON', active_low = true }\n",
    )
    .unwrap()
}

fn open(chip: &MemoryChip) -> Result<GpioPanel, PanelError> {
    GpioPanel::over(chip.open("board")?, &profile())
}

fn input(panel: &mut GpioPanel, name: &str) -> Result<bool, PanelError> {
    panel.inputs().unwrap()[&Sensor::parse(name).unwrap()].clone()
}

#[test]
fn a_profile_names_chip_and_lines() {
    let profile = profile();
    assert_eq!(profile.lights[&Light::Reader].line, "LAMP");
    assert!(profile.doors["cabinet"].active_low);
    for wrong in
        ["lights = { sofa = { line = 'a' } }", "door = { line = 'a' }", "presence = { pin = 4 }"]
    {
        assert!(toml::from_str::<GpioProfile>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_not_connected_says_no_unless_it_is_wired_to_say_yes() {
    let mut panel = open(&chip()).unwrap();
    for (name, level) in [
        ("presence", false),
        ("call-staff", false),
        ("door-cabinet", false),
        ("door-paper", false),
        ("tamper-back", true),
    ] {
        assert_eq!(input(&mut panel, name), Ok(level), "{name}");
    }
}

#[test]
fn yes_is_high_or_low_as_the_profile_says() {
    let chip = chip();
    let mut panel = open(&chip).unwrap();
    for (line, name, low_means_yes) in [
        ("PRESENCE", "presence", false),
        ("BUTTON", "call-staff", true),
        ("DOOR1", "door-cabinet", true),
        ("DOOR2", "door-paper", false),
    ] {
        for high in [true, false] {
            chip.set(line, Some(high));
            assert_eq!(input(&mut panel, name), Ok(high != low_means_yes), "{name}");
        }
    }
    assert_eq!((chip.driven("LAMP"), chip.driven("BEACON")), (Some(false), Some(true)), "dark");
    panel.light(Light::Reader, LightState::On).unwrap();
    panel.light(Light::Attention, LightState::On).unwrap();
    panel.light(Light::Documents, LightState::On).unwrap();
    assert_eq!((chip.driven("LAMP"), chip.driven("BEACON")), (Some(true), Some(false)));
}

#[test]
fn one_line_that_fails_does_not_hide_the_others() {
    let chip = chip();
    let mut panel = open(&chip).unwrap();
    let fault = PanelError::Io("odd".to_owned());
    chip.fail("DOOR1", Some(fault.clone()));
    chip.set("PRESENCE", Some(true));
    assert_eq!(input(&mut panel, "door-cabinet"), Err(fault));
    assert_eq!(input(&mut panel, "presence"), Ok(true));
    chip.fail("DOOR1", None);
    assert_eq!(input(&mut panel, "door-cabinet"), Ok(false));
}

#[test]
fn a_chip_that_went_away_is_lost_until_it_is_opened_again() {
    let chip = chip();
    let mut panel = open(&chip).unwrap();
    chip.there(false);
    assert!(matches!(panel.inputs(), Err(PanelError::Absent(_))));
    assert!(matches!(open(&chip), Err(PanelError::Absent(_))));
    chip.there(true);
    assert!(matches!(panel.inputs(), Err(PanelError::Absent(_))), "the old lines stay lost");
    let mut again = open(&chip).unwrap();
    drop(panel);
    assert!(
        again.light(Light::Reader, LightState::On).is_ok(),
        "the old panel takes nothing along"
    );
}

#[test]
fn refusals_are_told_apart() {
    let taken = chip();
    taken.hold("LAMP", true);
    assert_eq!(open(&taken).unwrap_err(), PanelError::InUse("light reader".to_owned()));
    taken.hold("LAMP", false);
    let first = open(&taken).unwrap();
    assert!(matches!(open(&taken), Err(PanelError::InUse(_))), "our own second opening too");
    drop(first);
    assert!(open(&taken).is_ok(), "given back");

    let wire = |line: &str| Wire { line: line.to_owned(), ..Wire::default() };
    let with = |change: fn(&mut GpioProfile, Wire), line: &str| {
        let mut profile = profile();
        change(&mut profile, wire(line));
        GpioPanel::over(chip().open("board").unwrap(), &profile).unwrap_err()
    };
    let presence = |profile: &mut GpioProfile, wire| profile.presence = Some(wire);
    assert!(matches!(with(presence, "NOWHERE"), PanelError::Absent(_)));
    assert!(matches!(with(presence, "#99"), PanelError::Absent(_)));
    for (line, why) in
        [("TWIN", "two lines"), ("LAMP", "given to"), ("#x", "no place"), ("", "no name")]
    {
        let error = with(presence, line);
        assert!(matches!(&error, PanelError::Profile(text) if text.contains(why)), "{error:?}");
    }
    let odd = |profile: &mut GpioProfile, wire| {
        profile.tamper.insert("../x".to_owned(), wire);
    };
    assert!(matches!(with(odd, "TWIN"), PanelError::Profile(_)));
    assert!(matches!(chip().open("other"), Err(PanelError::Absent(_))));
}

#[test]
fn a_chip_that_is_not_there_is_absent_or_may_not_be_looked_at() {
    let profile = GpioProfile { chip: "no-such-chip".to_owned(), ..GpioProfile::default() };
    let error = GpioPanel::open(&profile).unwrap_err();
    assert!(matches!(error, PanelError::Absent(_) | PanelError::NoPermission(_)), "{error:?}");
    assert!(!discover().is_empty());
}

#[test]
fn the_kernels_refusals_are_translated_by_number() {
    let os = |errno: Errno| gpiocdev::Error::from(std::io::Error::from(errno));
    assert_eq!(translate(&os(Errno::BUSY), "door"), PanelError::InUse("door".to_owned()));
    assert!(matches!(translate(&os(Errno::NODEV), "door"), PanelError::Absent(_)));
    assert!(matches!(translate(&os(Errno::PERM), "door"), PanelError::NoPermission(_)));
    assert!(matches!(translate(&os(Errno::INVAL), "door"), PanelError::Io(_)));
}
