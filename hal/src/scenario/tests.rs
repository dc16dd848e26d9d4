use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::contract::Clock;
use crate::control::ControlServer;

const TEXT: &str = "seed = 7\n\
    [[step]]\nafter_ms = 900\ndevice = 'reader'\ncommand = 'remove'\n\
    [[step]]\nafter_ms = 100\njitter_ms = 50\ndevice = 'reader'\ncommand = 'insert a'\n";

/// Time that passes only when somebody sleeps.
struct Bent(Mutex<Instant>);

impl Bent {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Clock for Bent {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

/// A simulator that writes down what it hears and counts how often its state was asked for.
fn simulator(socket: &Path) -> (ControlServer, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let mut asked = 0;
    let server = ControlServer::start(
        socket,
        Box::new(move |line| {
            if line == "state" {
                asked += 1;
                return Ok(format!("{{\"counters\": {{\"asked\": {asked}}}, \"plugged\": true}}"));
            }
            ears.lock().unwrap().push(line.to_owned());
            if line == "remove" { Err("there is no card".to_owned()) } else { Ok(String::new()) }
        }),
    )
    .unwrap();
    (server, heard)
}

#[test]
fn steps_come_in_order_and_jitter_is_repeatable() {
    let scenario = Scenario::parse(TEXT).unwrap();
    let first = scenario.spans();
    assert_eq!(first[0].steps[0].2.command, "insert a");
    let due = first[0].steps[0].0;
    assert!((100..=150).contains(&due.as_millis()), "{due:?}");
    assert_eq!(first, scenario.spans());
    let other = Scenario { seed: 8, ..scenario.clone() };
    assert_ne!(due, other.spans()[0].steps[0].0);
}

#[test]
fn a_scenario_drives_a_simulator() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let (_server, heard) = simulator(&socket);
    let scenario = Scenario::parse(TEXT).unwrap();
    let sockets = BTreeMap::from([("reader".to_owned(), socket)]);
    let clock = Bent::new();
    let start = clock.now();
    let error = scenario.play(&sockets, &clock).unwrap_err().to_string();
    assert_eq!(error, "step 1 (reader: remove) did not happen: there is no card");
    assert_eq!(*heard.lock().unwrap(), ["insert a", "remove"]);
    assert_eq!(clock.now() - start, Duration::from_millis(900));
    let nobody = scenario.play(&BTreeMap::new(), &clock);
    assert!(matches!(nobody, Err(ScenarioError::UnknownDevice(_))));
}

#[test]
fn a_step_waits_for_its_condition_and_times_count_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let (_server, heard) = simulator(&socket);
    let text = "[[step]]\nafter_ms = 50\ndevice = 'reader'\ncommand = 'first'\n\
        [[step]]\nwhen = { device = 'reader', field = 'counters.asked', at_least = 4 }\n\
        after_ms = 40\ndevice = 'reader'\ncommand = 'second'\n\
        [[step]]\nafter_ms = 10\ndevice = 'reader'\ncommand = 'between'\n";
    let scenario = Scenario::parse(text).unwrap();
    let sockets = BTreeMap::from([("reader".to_owned(), socket)]);
    let clock = Bent::new();
    let start = clock.now();
    scenario.play(&sockets, &clock).unwrap();
    assert_eq!(*heard.lock().unwrap(), ["first", "between", "second"]);
    // 50 for the first, three looks in vain, 40 from the fourth.
    assert_eq!(clock.now() - start, Duration::from_millis(50 + 30 + 40));
}

#[test]
fn a_condition_that_never_holds_says_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let (_server, heard) = simulator(&socket);
    let step = |condition: &str| {
        let text = format!(
            "[[step]]\nwhen = {{ device = 'reader', {condition}, within_ms = 60 }}\n\
             device = 'reader'\ncommand = 'never'\n"
        );
        let sockets = BTreeMap::from([("reader".to_owned(), socket.clone())]);
        let scenario = Scenario::parse(&text).unwrap();
        scenario.play(&sockets, &Bent::new()).unwrap_err().to_string()
    };
    assert_eq!(
        step("field = 'plugged', equals = false"),
        "step 1 waited 60 ms in vain for reader: plugged equals false; the last state showed true"
    );
    assert!(step("field = 'colour', equals = 'red'").ends_with("no such field"));
    assert!(step("field = 'counters.asked', at_most = 0").contains("at most 0"));
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn a_watcher_can_end_it() {
    struct Impatient(u32);
    impl Watch for Impatient {
        fn go_on(&mut self) -> Result<(), ScenarioError> {
            self.0 += 1;
            if self.0 > 3 { Err(ScenarioError::Stopped) } else { Ok(()) }
        }
    }
    let text = "[[step]]\nafter_ms = 60000\ndevice = 'reader'\ncommand = 'x'\n";
    let scenario = Scenario::parse(text).unwrap();
    let sockets = BTreeMap::from([("reader".to_owned(), "/nonexistent".into())]);
    let clock = Bent::new();
    let start = clock.now();
    let ended = scenario.play_watched(&sockets, &clock, &mut Impatient(0));
    assert!(matches!(ended, Err(ScenarioError::Stopped)));
    assert_eq!(clock.now() - start, Duration::from_millis(300));
}

#[test]
fn devices_carry_options_for_their_command_line() {
    let scenario = Scenario::parse(
        "title = 't'\n[devices.reader]\noptions = { radio_ms = 100, quiet = true, loud = false }\n\
         [devices.document-camera]\nkind = 'camera'\n",
    )
    .unwrap();
    assert_eq!(scenario.devices["reader"].arguments(), ["--quiet", "--radio-ms", "100"]);
    assert_eq!(scenario.devices["document-camera"].kind.as_deref(), Some("camera"));
    let stranger =
        Scenario::parse("[devices.reader]\n[[step]]\ndevice = 'printer'\ncommand = 'paper 0'\n");
    assert!(matches!(stranger, Err(ScenarioError::NotInDevices(name)) if name == "printer"));
}

#[test]
fn a_mistake_names_its_line() {
    for (text, words) in [
        ("[[step]]\nafter = 3\n", "line 2"),
        ("[devices.reader]\noptions = { x = 1.5 }\n", "line 2"),
        (
            "[[step]]\ndevice = 'a'\ncommand = 'b'\nwhen = { device = 'a', field = 'b' }\n",
            "one of at_least, at_most and equals",
        ),
        (
            "[[step]]\ndevice = 'a'\ncommand = 'b'\nwhen = { device = 'a', at_least = 1 }\n",
            "line 4",
        ),
    ] {
        let error = Scenario::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
