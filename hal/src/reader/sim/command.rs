//! Why: a person, a test, a scenario and another process change the simulated reader by the same
//! few words, or by its state file, and see from outside everything that matters inside.
//!
//! Refuses: to show anything of a card but how far it has got and which file it came from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::specimen;
use super::fault::{self, Fault, Noise, Strikes};
use super::module::{Card, Counters, Phase, SelfTest, State};

/// What lies in the state file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Durable {
    /// The specimen on the reader; `null` is none.
    card: Option<PathBuf>,
    plugged: bool,
    powered: bool,
    self_test: SelfTest,
    /// The module's rate; `null` takes the line's.
    baud: Option<u32>,
}

#[derive(Serialize)]
struct Shown<'a> {
    card: Option<Phase>,
    card_file: Option<&'a Path>,
    fault: Option<(Fault, Strikes)>,
    plugged: bool,
    powered: bool,
    self_test: SelfTest,
    authorised: bool,
    silent: bool,
    slow: u32,
    baud: Option<u32>,
    readable: bool,
    stolen: bool,
    max_rf_bytes: Option<u8>,
    seed: u64,
    unplugs: u64,
    #[serde(flatten)]
    counters: Counters,
}

const COMMANDS: &str = "unknown command; there are: insert FILE, remove, fault KIND [COMMAND], \
                        unplug [MS], plug, power on|off, self-test pass|fail|fail-until-reset, \
                        unauthorised on|off, silent-always on|off, slow N, module-baud N|any, \
                        permission allow|deny, steal, release, seed N, state";

impl State {
    /// One command; the text that comes back is for the one who gave it.
    pub(super) fn command(&mut self, line: &str) -> Result<String, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("insert", "") => return Err("insert which card? name a specimen's file".to_owned()),
            ("insert", file) => self.insert_file(Path::new(file))?,
            ("remove", "") if self.card.is_none() => return Err("there is no card".to_owned()),
            ("remove", "") => self.remove(),
            ("fault", sticky)
                if ["slow ", "silent-always "].iter().any(|it| sticky.starts_with(it)) =>
            {
                return self.command(sticky);
            }
            ("fault", what) => self.fault = fault::parse(what)?,
            ("unplug", "") => self.unplug(None),
            ("unplug", millis) => {
                let back = millis.parse().map_err(|_| "unplug for how many milliseconds?")?;
                self.unplug(Some(Duration::from_millis(back)));
            }
            ("plug", "") => self.plugged = true,
            ("power", "off") => self.set_power(false),
            ("power", "on") => self.set_power(true),
            ("self-test", "pass") => self.self_test = SelfTest::Pass,
            ("self-test", "fail") => self.self_test = SelfTest::Fail,
            ("self-test", "fail-until-reset") => self.self_test = SelfTest::FailUntilReset,
            ("unauthorised", "on") => self.authorised = false,
            ("unauthorised", "off") => self.authorised = true,
            ("silent-always", "on") => self.silent = true,
            ("silent-always", "off") => self.silent = false,
            ("slow", times) => {
                let times = times.parse().ok().filter(|times| (1..=10_000).contains(times));
                self.slow = times.ok_or("slow wants how many times slower, from 1 to 10000")?;
            }
            ("module-baud", "any") => self.baud = None,
            ("module-baud", baud) => {
                let baud = baud.parse().ok().filter(|baud| *baud > 0);
                self.baud = Some(baud.ok_or("module-baud wants a rate in baud, or any")?);
            }
            ("permission", "allow") => self.readable = true,
            ("permission", "deny") => self.readable = false,
            ("steal", "") => self.stolen = true,
            ("release", "") => self.stolen = false,
            ("seed", seed) => {
                self.noise = Noise::new(seed.parse().map_err(|_| "seed wants a number")?);
            }
            ("state", "") => return self.show(),
            _ => return Err(COMMANDS.to_owned()),
        }
        Ok(String::new())
    }

    fn insert_file(&mut self, file: &Path) -> Result<(), String> {
        let id = specimen::load(file).map_err(|error| error.to_string())?;
        let card = Card::new(&id, Some(file.to_path_buf())).map_err(|error| error.to_string())?;
        self.insert(card);
        Ok(())
    }

    fn show(&self) -> Result<String, String> {
        let shown = Shown {
            card: self.card.as_ref().map(|card| card.phase),
            card_file: self.card.as_ref().and_then(|card| card.file.as_deref()),
            fault: self.fault,
            plugged: self.plugged,
            powered: self.powered,
            self_test: self.self_test,
            authorised: self.authorised,
            silent: self.silent,
            slow: self.slow,
            baud: self.baud,
            readable: self.readable,
            stolen: self.stolen,
            max_rf_bytes: self.max_rf_bytes,
            seed: self.noise.seed,
            unplugs: self.unplugs,
            counters: self.counters,
        };
        serde_json::to_string(&shown).map_err(|error| error.to_string())
    }

    /// What the state file should say.
    pub(super) fn durable(&self) -> Durable {
        Durable {
            card: self.card.as_ref().map(|card| match &card.file {
                Some(file) => file.clone(),
                // Laid down by the program itself and not from a file.
                None => PathBuf::from("-"),
            }),
            plugged: self.plugged,
            powered: self.powered,
            self_test: self.self_test,
            baud: self.baud,
        }
    }

    /// Makes true what somebody wrote into the state file; what is as it was is left alone, so that
    /// a card on its way through a read does not start anew.
    pub(super) fn take_over(&mut self, wanted: &Durable) -> Result<(), String> {
        let now = self.durable();
        if wanted.plugged != now.plugged {
            match wanted.plugged {
                true => self.plugged = true,
                false => self.unplug(None),
            }
        }
        if wanted.powered != now.powered {
            self.set_power(wanted.powered);
        }
        self.self_test = wanted.self_test;
        if wanted.baud != now.baud {
            self.baud = wanted.baud;
        }
        if wanted.card != now.card {
            match &wanted.card {
                Some(file) => self.insert_file(file)?,
                None => self.remove(),
            }
        }
        Ok(())
    }
}
