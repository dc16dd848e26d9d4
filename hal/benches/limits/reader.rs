//! Find, select and read through the driver, beside the same bytes over a bare line.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use hal::line::{Line, SerialLine, SerialPortSpec};
use hal::pty::line_time;
use hal::reader::protocol::{Command, FrameParser};
use hal::reader::sim::{ReaderSim, ReaderSimOptions};
use hal::reader::{Identity, ReaderEvent, ReaderHandle, ReaderOptions, spawn_reader};

use crate::ratios::{Found, Row, Table};
use crate::wire::{BareLine, Exchange};

const BAUD: u32 = 115_200;
const GROUP: &str = "card";
const DRIVER: &str = "find+select+read";
const BARE: &str = "same bytes, bare line";
const PATIENCE: Duration = Duration::from_secs(10);

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(GROUP);
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    group.bench_function(BARE, |bencher| {
        let mut bare = BareLine::new(conversation(), BAUD, false);
        bencher.iter_custom(|times| (0..times).map(|_| bare.talk()).sum());
    });
    group.measurement_time(Duration::from_secs(25));
    group.bench_function(DRIVER, |bencher| {
        let mut reader = Reader::start();
        bencher.iter_custom(|times| (0..times).map(|_| reader.read()).sum());
    });
    group.finish();
}

pub fn judge(found: &Found, table: &mut Table) {
    let Some(driver) = found.median(GROUP, DRIVER) else { return };
    let answers: usize = conversation().iter().map(|exchange| exchange.answer.len()).sum();
    // The pseudo-terminal takes questions at once, so only the answers count: the lower floor.
    let floor = line_time(answers, BAUD).as_secs_f64() * 1e3;
    let name = "card: find, select, read at 115200";
    let computed = format!("{answers} bytes of answers at line rate");
    table.push(Row::new(name, "ms", driver, (computed, floor), Some(1.15)));
    if let Some(bare) = found.median(GROUP, BARE) {
        table.push(Row::new(name, "ms", driver, ("the same bytes, bare line", bare), Some(1.15)));
    }
}

fn card() -> Identity {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens/resident.toml");
    hal::reader::specimen::load(&file).unwrap()
}

fn simulator() -> ReaderSim {
    let options =
        ReaderSimOptions { baud: Some(BAUD), radio: Duration::ZERO, ..ReaderSimOptions::default() };
    ReaderSim::start(options).unwrap()
}

/// What is said for one card, recorded from the simulated module itself.
fn conversation() -> Vec<Exchange> {
    let sim = simulator();
    sim.insert(&card()).unwrap();
    let mut line = SerialLine::open(sim.path(), BAUD).unwrap();
    [Command::FindCard, Command::SelectCard, Command::ReadBase]
        .map(|command| {
            let question = command.encode();
            let deadline = Instant::now() + PATIENCE;
            line.write_all(&question, deadline).unwrap();
            let (mut parser, mut answer) = (FrameParser::for_answers(), Vec::new());
            let mut buffer = [0; 2048];
            loop {
                let read = line.read_some(&mut buffer, deadline).unwrap();
                answer.extend_from_slice(&buffer[..read]);
                if !parser.push(&buffer[..read]).is_empty() {
                    return Exchange { question, answer };
                }
            }
        })
        .to_vec()
}

struct Reader {
    sim: ReaderSim,
    handle: ReaderHandle,
    events: Receiver<ReaderEvent>,
}

impl Reader {
    fn start() -> Self {
        let sim = simulator();
        let (sender, events) = channel();
        // Nothing but the card is asked for meanwhile.
        let options = ReaderOptions {
            presence: None,
            idle: Duration::from_secs(3600),
            ..ReaderOptions::default()
        };
        let handle = spawn_reader(
            Box::new(SerialPortSpec::new(sim.path(), BAUD)),
            options,
            Box::new(move |event| drop(sender.send(event))),
        );
        let reader = Self { sim, handle, events };
        reader.wait(|event| {
            matches!(event, ReaderEvent::Status(hal::contract::DeviceStatus::Online))
        });
        reader
    }

    /// From the order to read, with a card lying there, to the identity.
    fn read(&mut self) -> Duration {
        for _ in 0..5 {
            self.handle.disarm();
            // The first time there is none to take away.
            let _ = self.sim.command("remove");
            self.sim.insert(&card()).unwrap();
            // Modules bear a search every 300 ms; the pause between two people is not measured.
            std::thread::sleep(ReaderOptions::default().poll + Duration::from_millis(20));
            while self.events.try_recv().is_ok() {}
            let begun = Instant::now();
            self.handle.arm();
            let end = |event: &ReaderEvent| {
                matches!(event, ReaderEvent::Read(_) | ReaderEvent::Failed(_))
            };
            match self.wait(end) {
                ReaderEvent::Read(_) => return begun.elapsed(),
                // A machine so busy that a frame pauses for longer than the driver waits.
                other => eprintln!("a reading that failed is not counted: {other:?}"),
            }
        }
        panic!("this machine is too busy to measure anything");
    }

    fn wait(&self, wanted: impl Fn(&ReaderEvent) -> bool) -> ReaderEvent {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("the reader said nothing in time");
            if wanted(&event) {
                return event;
            }
        }
    }
}
