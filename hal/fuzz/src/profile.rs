//! What a technician writes: the device profile. Half of the inputs are the shipped example with
//! lines taken out, doubled, moved or changed, because arbitrary bytes are seldom a profile.

use std::path::Path;

use hal::contract::Recoverable as _;
use hal::profile::{DeviceProfile, Role};

const PATH: &str = "/etc/ronggui/devices.toml";

/// The first byte chooses whether the rest is a profile's text or changes to the shipped example.
pub fn text(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    if how & 1 == 0 {
        if let Ok(text) = std::str::from_utf8(rest) {
            check(text);
        }
    } else {
        check(&edited(rest));
    }
}

fn check(text: &str) {
    match DeviceProfile::parse(text, Path::new(PATH)) {
        Ok(profile) => {
            let written = profile.to_toml().expect("what was read can be written");
            let again = DeviceProfile::parse(&written, Path::new(PATH));
            assert_eq!(again.as_ref(), Ok(&profile), "a profile changed when it was written");
            for path in profile.paths() {
                assert!(path.is_absolute(), "{} depends on the folder", path.display());
            }
            for role in Role::ALL {
                assert!(profile.has(role) || profile.name(role).is_none());
            }
        }
        Err(error) => {
            let said = error.to_string();
            let place = error.place().expect("a mistake in a text has a place");
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
            let line = text.split('\n').nth(place.line - 1).unwrap_or_default();
            assert!((1..=line.chars().count() + 1).contains(&place.column), "{said}");
            assert!(said.contains(&format!("line {}", place.line)) && said.contains(PATH));
            assert!(said.contains(error.cure()), "a mistake without its cure: {said}");
        }
    }
}

/// The example with changes, three bytes each: what to do, in which line, and what with.
fn edited(changes: &[u8]) -> String {
    let mut lines: Vec<String> = DeviceProfile::example()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    for change in changes.chunks_exact(3).take(16) {
        let &[what, which, with] = change else { continue };
        if lines.is_empty() {
            break;
        }
        let at = usize::from(which) % lines.len();
        let other = usize::from(with) % lines.len();
        match what % 8 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            // One character becomes another.
            3 | 4 => {
                let spot = usize::from(what >> 3) * 7 % (lines[at].chars().count() + 1);
                lines[at] = lines[at]
                    .chars()
                    .enumerate()
                    .map(|(place, ch)| if place == spot { char::from(with) } else { ch })
                    .collect();
            }
            // A value becomes that of another line.
            5 | 6 => {
                let value = lines[other].split_once('=').map(|(_, value)| value.to_owned());
                if let (Some(value), Some((key, _))) = (value, lines[at].split_once('=')) {
                    lines[at] = format!("{key}={value}");
                }
            }
            // Every digit becomes a number; not again and again, which would fill the memory.
            _ if lines[at].len() < 200 => {
                lines[at] = lines[at].replace(char::is_numeric, &with.to_string());
            }
            _ => {}
        }
    }
    lines.join("\n")
}
