//! A receipt through the driver until the printer has proved the cut, beside the same bytes over a
//! bare line. The paper moves at once here; what paper takes is the printer's and not ours.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use hal::line::SerialPortSpec;
use hal::printer::encode::encode;
use hal::printer::sim::{PrinterSim, PrinterSimOptions};
use hal::printer::{
    Element, JobPhase, PrintJob, PrinterEvent, PrinterHandle, PrinterProfile, ReceiptDocument,
    Repertoire, spawn_printer,
};
use hal::pty::line_time;

use crate::ratios::{Found, Row, Table};
use crate::wire::{BareLine, Exchange};

const BAUD: u32 = 115_200;
const GROUP: &str = "receipt";
const PATIENCE: Duration = Duration::from_secs(60);

struct Kind {
    name: &'static str,
    says: &'static str,
    profile: fn() -> PrinterProfile,
}

const KINDS: [Kind; 2] = [
    Kind { name: "text", says: "receipt as text, 115200", profile: PrinterProfile::mm80 },
    Kind { name: "pictures", says: "receipt as pictures, 115200", profile: pictures },
];

/// A printer nobody measured: everything is drawn.
pub fn pictures() -> PrinterProfile {
    PrinterProfile { repertoire: Repertoire::Nothing, native_qr: false, ..PrinterProfile::mm80() }
}

pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(GROUP);
    group.sampling_mode(SamplingMode::Flat).sample_size(10).warm_up_time(Duration::from_millis(50));
    for kind in &KINDS {
        group.bench_function(format!("{}, bare line", kind.name), |bencher| {
            let script = vec![Exchange { question: bytes(kind), answer: vec![0x37; 7] }];
            let mut bare = BareLine::new(script, BAUD, true);
            bencher.iter_custom(|times| (0..times).map(|_| bare.talk()).sum());
        });
        group.bench_function(kind.name, |bencher| {
            let mut printer = Printer::start(kind);
            bencher.iter_custom(|times| (0..times).map(|_| printer.print()).sum());
        });
    }
    group.finish();
}

pub fn judge(found: &Found, table: &mut Table) {
    for kind in &KINDS {
        let Some(driver) = found.median(GROUP, kind.name) else { continue };
        let bytes = bytes(kind).len();
        let floor = line_time(bytes, BAUD).as_secs_f64() * 1e3;
        let computed = format!("{bytes} bytes at line rate");
        table.push(Row::new(kind.says, "ms", driver, (computed, floor), None));
        if let Some(bare) = found.median(GROUP, &format!("{}, bare line", kind.name)) {
            let limit = ("the same bytes, bare line", bare);
            table.push(Row::new(kind.says, "ms", driver, limit, None));
        }
    }
}

/// A receipt as the kiosk prints it.
pub fn receipt() -> ReceiptDocument {
    ReceiptDocument {
        lines: vec![
            Element::heading("退役军人服务一件事 回执"),
            Element::Rule,
            Element::pair("姓名", "样本甲"),
            Element::pair("公民身份号码", "1101**********002X"),
            Element::pair("受理编号", "RG20261123-0001"),
            Element::pair("办理时间", "2026-11-23 09:30"),
            Element::Rule,
            Element::text("退役报到：样本县退役军人事务局，下一步等候档案审核。"),
            Element::text("基本养老保险关系转移接续：样本县人力资源和社会保障局，等候受理。"),
            Element::text("基本医疗保险关系转移接续：样本县医疗保障局，等候受理。"),
            Element::text("户口登记：样本县公安局，请携带身份证与退役证件到场。"),
            Element::Rule,
            Element::text("材料已存入本机，尚未由服务中心收到。"),
            Element::Qr("RG1.RG20261123-0001.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
            Element::pair("服务电话", "000-00000000"),
            Element::pair("终端", "kiosk-01"),
            Element::Feed(2),
            Element::Cut,
        ],
    }
}

/// The receipt itself, without anything a driver adds.
fn bytes(kind: &Kind) -> Vec<u8> {
    let chunks = encode(&receipt(), &(kind.profile)()).unwrap();
    chunks.iter().flat_map(|chunk| chunk.bytes.expose().clone()).collect()
}

struct Printer {
    handle: PrinterHandle,
    events: Receiver<PrinterEvent>,
    jobs: u64,
    _sim: PrinterSim,
    _folder: tempfile::TempDir,
}

impl Printer {
    fn start(kind: &Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options =
            PrinterSimOptions::new(folder.path().join("printer"), folder.path().join("paper"));
        (options.speed, options.baud) = (None, Some(BAUD));
        let sim = PrinterSim::start(options).unwrap();
        sim.command("paper 60000").unwrap();
        let (sender, events) = channel();
        let handle = spawn_printer(
            Box::new(SerialPortSpec::new(sim.path(), BAUD)),
            (kind.profile)(),
            Box::new(move |event| drop(sender.send(event))),
        );
        let mut printer = Self { handle, events, jobs: 0, _sim: sim, _folder: folder };
        // Opening the line and loading the fonts happen once, before the first person comes.
        printer.print();
        printer
    }

    /// From the order to the proof of the cut.
    fn print(&mut self) -> Duration {
        self.jobs += 1;
        let begun = Instant::now();
        self.handle.print(PrintJob::new(self.jobs, receipt()));
        let deadline = begun + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("the printer said nothing in time");
            let PrinterEvent::Job { phase, .. } = event else { continue };
            match phase {
                JobPhase::Confirmed => return begun.elapsed(),
                phase => assert!(!phase.ended(), "{phase:?}"),
            }
        }
    }
}
