//! Why: `age` seals a file as a whole program would: read, encrypted in pieces of 64 KiB with the
//! same cipher, written. Sealing does the same from file to file, and signs and hashes besides.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use envelope::{Content, Suite};

use crate::in_turns;
use crate::ratios::{Row, Table};
use crate::specimen::Specimen;

pub fn judge(table: &mut Table, specimen: &Specimen) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("photographs"), specimen.photographs().concat()).unwrap();
    let Some(recipient) = recipient(&file("key")) else {
        println!("age is not installed (Debian package `age`): not compared");
        return;
    };
    let by_age = || {
        let status = Command::new("age")
            .args(["--encrypt", "--recipient", &recipient, "--output"])
            .args([file("by-age"), file("photographs")])
            .status();
        assert!(status.unwrap().success());
    };
    let by_us = || {
        // One file, read once from front to back, as age reads it.
        let photographs = File::open(file("photographs")).unwrap();
        let content = specimen.photographs().into_iter().map(|photograph| {
            let bytes = photograph.len() as u64;
            let from = Box::new(photographs.try_clone().unwrap().take(bytes));
            Content::Reader { bytes, from }
        });
        let content = content.collect();
        let mut out = File::create(file("by-us")).unwrap();
        specimen.seal_from(Suite::X25519ChaCha20, content, &mut out);
    };
    let [age, us] = in_turns(&mut [&mut { by_age }, &mut { by_us }]);
    let limit = ("age on the same file", age);
    table.push(Row::new("seal x25519-chacha, 200 MiB, file to file", "ms", us, limit, None));
}

/// A recipient of age's own kind; nothing where age is not installed.
fn recipient(key: &Path) -> Option<String> {
    let made = Command::new("age-keygen")
        .arg("--output")
        .arg(key)
        .stderr(Stdio::null())
        .status()
        .ok()?
        .success();
    let shown = Command::new("age-keygen").arg("-y").arg(key).output().ok()?;
    let recipient = String::from_utf8(shown.stdout).ok()?.trim().to_owned();
    (made && !recipient.is_empty()).then_some(recipient)
}
