//! The program, killed between sending and noting that it has sent.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::deliveries::{ACCEPTED, case_of, state};
use crate::fake::{Fake, Mood, connect};
use crate::support::{Site, catalog_dir};

struct Program(Child, SocketAddr);

impl Program {
    fn start(site: &Site) -> Self {
        let ready = site.dir.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--until-stdin-closes", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(site.dir.path())
            .arg("--catalog")
            .arg(catalog_dir())
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !ready.exists() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let address = std::fs::read_to_string(&ready).unwrap();
        Self(child, address.trim().parse().unwrap())
    }

    /// As a power cut would, as far as a process can tell.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_dies_between_sending_and_noting_sends_the_same_key_again() {
    let site = Site::new();
    let fake = Fake::start(&site, "human_resources").await;
    // More patience than the fake needs to be slow, so that only the kill loses the answer.
    let table = fake.push_table().replace("timeout = \"1s\"", "timeout = \"60s\"");
    connect(&site, &[table]);
    let held = Mood::Forgetful(Duration::from_secs(30));
    fake.mood([held.clone(), held.clone(), held]);
    let terminal = site.terminal();
    let mut program = Program::start(&site);
    let case = case_of(&site, program.1, &terminal, &["social_insurance"], &ACCEPTED).await;
    for requests in 1..=3 {
        let seen = fake.seen_when(requests).await;
        assert_eq!(seen.len(), requests);
        program.kill();
        program = Program::start(&site);
    }
    let key = format!("{case}_social_insurance_1");
    let seen = fake.seen_when(4).await;
    assert!(seen.iter().all(|one| one.key == key && one.body == seen[0].body));
    assert_eq!(fake.taken().len(), 1);
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
    assert_eq!(state(&site, program.1, &terminal, "social_insurance").await, "not_reported");
    let said = json!({ "request_key": key, "status": "FINISHED" });
    assert_eq!(fake.say(&site, program.1, said).await.0, 200);
    tokio::time::sleep(Duration::from_millis(800)).await;
    program.kill();
    // Noted, it is not sent again.
    let program = Program::start(&site);
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(fake.seen().len(), 4);
    assert_eq!(state(&site, program.1, &terminal, "social_insurance").await, "done");
    program.kill();
}
