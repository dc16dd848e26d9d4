//! Why: sealing is encryption and little else, or something is wrong with it. So it stands beside
//! the bare cipher on the same bytes, and beside `age`, which seals files as a whole program and
//! does it well; and the memory it takes stands beside what it was given.
//!
//! Refuses: to be a test. A busy machine changes the figures, so nothing is asserted; the table says
//! whether a goal was met. A peer that is not installed is left out and said to be.
//!
//! Contenders take turns, so that what else the machine does hits all of them alike, and the median
//! counts. `make bench` runs it; the table's lines as JSON are in `target/bench/sealing.json`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its user")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on ends")]

mod age;
mod memory;
#[path = "../../../hal/benches/limits/ratios.rs"]
#[allow(dead_code, reason = "criterion is not used here")]
mod ratios;
mod specimen;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use envelope::{Kem, Limits, Suite};
use ring::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::ratios::{Row, Table};
use crate::specimen::Specimen;

/// How often each contender is measured.
const ROUNDS: usize = 9;
/// 0.8 of a peer's speed is 1.25 of its time.
const GOAL: f64 = 1.25;
/// What a visit with its photographs has at most, and what one usually has.
const LARGE: usize = 200 << 20;
const USUAL: usize = 10 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if memory::be_measured(&arguments) {
        return;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        // Built along with the tests; measuring a debug build would only mislead.
        println!("nothing to test here; run `make bench`");
        return;
    }
    let mut table = Table::default();
    memory::judge(&mut table);
    for (size, name) in [(LARGE, "200 MiB"), (USUAL, "10 MiB")] {
        beside_the_cipher(&mut table, size, name);
    }
    age::judge(&mut table, &Specimen::new(LARGE));
    println!("\n{table}");
    let out = target_directory().join("bench/sealing.json");
    match table.write(&out) {
        Ok(()) => println!("The same as JSON lines: {}", out.display()),
        Err(error) => eprintln!("{} could not be written: {error}", out.display()),
    }
}

/// Where this run was built, from where its program lies (`target/release/deps`).
fn target_directory() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).map_or_else(|| "target".into(), Path::to_path_buf)
}

/// Milliseconds that `work` takes.
fn time(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Medians of contenders that take turns; the first turn of each only warms up.
fn in_turns<const N: usize>(contenders: &mut [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=ROUNDS {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let took = time(&mut **contender);
            if round > 0 {
                times.push(took);
            }
        }
    }
    times.map(median)
}

fn beside_the_cipher(table: &mut Table, size: usize, name: &str) {
    let specimen = Specimen::new(size);
    let photographs = specimen.photographs();
    let sealed = specimen.sealed(Suite::X25519ChaCha20);
    let secret = specimen.secret(Kem::X25519HkdfSha256);
    let [chacha, aes, hash, measured, hashing, with_aes, with_x_wing, verify, open] =
        in_turns(&mut [
            &mut || bare_cipher(&CHACHA20_POLY1305, &photographs),
            &mut || bare_cipher(&AES_256_GCM, &photographs),
            &mut || bare_hash(&photographs),
            &mut || specimen.seal(Suite::X25519ChaCha20, &mut std::io::sink()),
            &mut || specimen.seal_unmeasured(Suite::X25519ChaCha20, &mut std::io::sink()),
            &mut || specimen.seal(Suite::X25519Aes256, &mut std::io::sink()),
            &mut || specimen.seal(Suite::XWingChaCha20, &mut std::io::sink()),
            &mut || drop(envelope::verify(&*sealed, &Limits::default()).unwrap()),
            &mut || drop(envelope::inspect(&*sealed, secret, &Limits::default()).unwrap()),
        ]);
    let ring = |what: &str, time| (format!("ring's {what} on the same bytes"), time);
    let (chacha, aes) = (ring("ChaCha20-Poly1305", chacha), ring("AES-256-GCM", aes));
    let hash = ring("SHA-256", hash);
    let mut row = |what: &str, time, limit: &(String, f64), goal| {
        table.push(Row::new(format!("{what}, {name}"), "ms", time, limit.clone(), goal));
    };
    row("seal x25519-chacha", measured, &chacha, Some(GOAL));
    row("seal x25519-chacha", measured, &hash, None);
    row("seal x25519-chacha, photographs hashed too", hashing, &chacha, None);
    row("seal x-wing", with_x_wing, &chacha, Some(GOAL));
    row("seal x25519-aes", with_aes, &aes, None);
    row("verify", verify, &hash, None);
    row("check and decrypt", open, &chacha, None);
}

/// What the digest of the file takes: sealing cannot be quicker than the slower of the two.
fn bare_hash(photographs: &[&[u8]]) {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    for photograph in photographs {
        hash.update(photograph);
    }
    std::hint::black_box(hash.finish());
}

/// What the cipher alone takes: each 64 KiB copied, because it works in place and the photograph must
/// stay, and encrypted.
fn bare_cipher(algorithm: &'static Algorithm, photographs: &[&[u8]]) {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, &[7; 32]).unwrap());
    let mut chunk = Vec::with_capacity(65536);
    let pieces = photographs.iter().flat_map(|photograph| photograph.chunks(65536));
    for (count, piece) in (0_u64..).zip(pieces) {
        chunk.clear();
        chunk.extend_from_slice(piece);
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&count.to_be_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut chunk).unwrap();
        std::io::sink().write_all(&chunk).unwrap();
        let _ = std::hint::black_box((&chunk, tag));
    }
}
