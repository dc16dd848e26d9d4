//! Why: the floor of a conversation is the conversation itself without anybody thinking: the same
//! bytes to and fro over the same kind of line at the same pace. What a driver takes beyond that
//! is its own.
//!
//! Refuses: parsing. The far end counts bytes and knows nothing of what they mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hal::line::{Line, SerialLine};
use hal::pty::{Pty, line_time};

/// One question and its answer; either may be empty.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub question: Vec<u8>,
    pub answer: Vec<u8>,
}

/// A line whose far end answers by counting.
pub struct BareLine {
    line: SerialLine,
    script: Vec<Exchange>,
    stop: Arc<AtomicBool>,
    far: Option<JoinHandle<()>>,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl BareLine {
    /// `baud` paces answers; with `paced_questions` also what the far end takes.
    pub fn new(script: Vec<Exchange>, baud: u32, paced_questions: bool) -> Self {
        let mut pty = Pty::open(None).unwrap();
        let line = SerialLine::open(pty.path(), baud).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let far = {
            let (script, stop) = (script.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    for exchange in &script {
                        if !take(&mut pty, exchange.question.len(), baud, paced_questions, &stop) {
                            return;
                        }
                        send(&mut pty, &exchange.answer, baud);
                    }
                }
            })
        };
        Self { line, script, stop, far: Some(far) }
    }

    /// Goes through the whole conversation once.
    pub fn talk(&mut self) -> Duration {
        let begun = Instant::now();
        let deadline = begun + PATIENCE;
        let mut buffer = [0; 2048];
        for exchange in &self.script {
            self.line.write_all(&exchange.question, deadline).unwrap();
            let mut left = exchange.answer.len();
            while left > 0 {
                left -= self.line.read_some(&mut buffer, deadline).unwrap().min(left);
            }
        }
        begun.elapsed()
    }
}

impl Drop for BareLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(far) = self.far.take() {
            let _ = far.join();
        }
    }
}

/// Reads `count` bytes, no faster than the line carries them if they are paced; false at the end.
fn take(pty: &mut Pty, count: usize, baud: u32, paced: bool, stop: &AtomicBool) -> bool {
    let mut buffer = [0; 64];
    let mut taken = 0;
    let mut begun = None;
    while taken < count {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let room = buffer.len().min(count - taken);
        taken += pty.read_some(&mut buffer[..room], Duration::from_millis(10)).unwrap();
        if paced && taken > 0 {
            let due = *begun.get_or_insert_with(Instant::now) + line_time(taken, baud);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    true
}

/// Sends as the simulated devices do: in small pieces, each when its last bit would have passed.
fn send(pty: &mut Pty, bytes: &[u8], baud: u32) {
    const CHUNK: usize = 16;
    let begun = Instant::now();
    let mut sent = 0;
    for chunk in bytes.chunks(CHUNK) {
        sent += chunk.len();
        let due = begun + line_time(sent, baud);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        pty.write(chunk).unwrap();
    }
}
