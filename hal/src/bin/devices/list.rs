//! Why: before anything else a technician asks what is plugged in, and whether each device of the
//! profile is where it should be.

use std::path::Path;

use hal::contract::Discovery;
use hal::profile::{DeviceProfile, Role};

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Everything on this machine by kind or, with a profile, each of its roles.
pub fn run(profile: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let Some(file) = profile else {
        for (kind, found) in hal::discover::all() {
            output.discovery(kind.word(), ("kind", kind.word()), &found);
        }
        return Ok(Exit::Fine);
    };
    let profile = DeviceProfile::load(file)?;
    let mut worst = Exit::Fine;
    for role in Role::ALL.into_iter().filter(|role| profile.has(*role)) {
        let found = hal::discover::role(&profile, role);
        let mut name = output.lang.role(role).to_owned();
        if let Some(called) = profile.name(role) {
            name.push_str(&format!(" “{called}”"));
        }
        output.discovery(&name, ("role", role.word()), &found);
        if !matches!(found, Discovery::Found { .. }) {
            worst = Exit::Unavailable;
        }
    }
    Ok(worst)
}
