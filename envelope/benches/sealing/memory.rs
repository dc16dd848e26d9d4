//! Why: a terminal has little memory and holds the photographs already; an office opens what others
//! made large. What the work takes beyond that is measured in a process of its own, by the kernel's
//! account of the most it ever held.

use std::fs::File;
use std::process::Command;

use envelope::{Inspected, Kem, Limits, Sink, Suite};

use crate::ratios::{Row, Table};
use crate::specimen::Specimen;

const FLAG: &str = "--measure-memory";
const SIZE: usize = 200 << 20;
const MOST: f64 = 8.0;

/// Asks a child for each figure.
pub fn judge(table: &mut Table) {
    let limit = || ("as much as may be needed beside the input", MOST);
    for (task, name) in [
        ("seal", "memory to seal 200 MiB from memory"),
        ("seal-x-wing", "memory to seal 200 MiB from memory, x-wing"),
        ("open", "memory to open 200 MiB part by part"),
    ] {
        let measured = measured(task);
        table.push(Row::new(name, "MiB", measured, limit(), Some(1.0)));
    }
}

fn measured(task: &str) -> f64 {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args([FLAG, task]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// The child's part; false for the parent.
pub fn be_measured(arguments: &[String]) -> bool {
    let Some(at) = arguments.iter().position(|argument| argument == FLAG) else { return false };
    let out = tempfile::tempfile().unwrap();
    let specimen = Specimen::new(SIZE);
    let grown = match arguments[at + 1].as_str() {
        "seal" => growth(|| specimen.seal(Suite::X25519ChaCha20, &mut { out })),
        "seal-x-wing" => growth(|| specimen.seal(Suite::XWingChaCha20, &mut { out })),
        "open" => {
            let mut sealed = out;
            specimen.seal(Suite::X25519ChaCha20, &mut sealed);
            growth(|| open(&mut sealed, &specimen))
        }
        other => panic!("no task {other}"),
    };
    println!("{grown}");
    true
}

fn open(sealed: &mut File, specimen: &Specimen) {
    /// Takes everything and keeps nothing.
    struct Count(u64);
    impl Sink for Count {
        type Error = std::convert::Infallible;
        fn manifest(&mut self, _: &Inspected) -> Result<(), Self::Error> {
            Ok(())
        }
        fn file(&mut self, _: &str, _: u64) -> Result<(), Self::Error> {
            Ok(())
        }
        fn part(&mut self, part: &[u8]) -> Result<(), Self::Error> {
            self.0 += part.len() as u64;
            Ok(())
        }
        fn end(&mut self) -> Result<(), Self::Error> {
            Ok(())
        }
    }
    let mut count = Count(0);
    let secret = specimen.secret(Kem::X25519HkdfSha256);
    envelope::open_into(sealed, secret, &Limits::default(), &mut count).unwrap();
    assert_eq!(count.0, SIZE as u64);
}

/// MiB by which the most memory ever held exceeds what was held before.
fn growth(work: impl FnOnce()) -> f64 {
    // Forgets the peak of making the input.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kib("VmRSS:");
    work();
    (kib("VmHWM:") - before) / 1024.0
}

fn kib(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
