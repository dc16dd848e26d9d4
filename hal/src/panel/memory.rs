//! Why: a chip whose every line a test can move, with the faults of real ones: contacts that
//! bounce, lines that cannot be read, another program that was quicker, a chip that goes away.
//!
//! Refuses: to be kinder than a kernel. A line is taken once, an output is not read as an input,
//! and a chip that was away has forgotten who had its lines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::PanelError;
use super::lines::{Bias, Direction, LineId, LineName, Lines};
use crate::dice::Dice;

/// A chip in memory; all clones are the same chip.
#[derive(Debug, Clone)]
pub struct MemoryChip(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    label: String,
    names: Vec<String>,
    lines: Vec<Wired>,
    there: bool,
    /// Rises when the chip goes away: what was taken before is taken no more.
    life: u64,
    dice: Dice,
}

#[derive(Debug, Clone, Default)]
struct Wired {
    /// What the world drives it to; `None` is not connected.
    outside: Option<bool>,
    /// What we drive it to.
    inside: Option<bool>,
    bias: Option<Bias>,
    taken: bool,
    foreign: bool,
    /// How many more readings bounce before the level is the real one.
    bounces: usize,
    fault: Option<PanelError>,
}

impl MemoryChip {
    /// A chip with named lines that nothing is connected to. The same seed bounces alike.
    pub fn new(label: &str, names: &[&str], seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            label: label.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            lines: vec![Wired::default(); names.len()],
            there: true,
            life: 0,
            dice: Dice::new(seed),
        })))
    }

    /// Its lines, as a panel takes them.
    pub fn open(&self, label: &str) -> Result<Box<dyn Lines>, PanelError> {
        let state = self.lock();
        if !state.there || state.label != label {
            return Err(PanelError::Absent(format!("chip {label}")));
        }
        let life = state.life;
        drop(state);
        Ok(Box::new(MemoryLines { chip: self.clone(), life, taken: BTreeMap::new() }))
    }

    /// Drives a line from outside; `None` disconnects it. A name that is not there is passed over,
    /// as in all that follows.
    pub fn set(&self, name: &str, level: Option<bool>) {
        self.change(name, |line| line.outside = level);
    }

    /// Drives a line to a level that the next `count` readings do not agree about.
    pub fn bounce(&self, name: &str, level: bool, count: usize) {
        self.change(name, |line| {
            line.outside = Some(level);
            line.bounces = count;
        });
    }

    /// Lets every reading and writing of a line fail like this, or not any more.
    pub fn fail(&self, name: &str, fault: Option<PanelError>) {
        self.change(name, |line| line.fault = fault);
    }

    /// Another program takes a line, or gives it back.
    pub fn hold(&self, name: &str, held: bool) {
        self.change(name, |line| line.foreign = held);
    }

    /// The chip goes away, or comes back with nothing taken.
    pub fn there(&self, there: bool) {
        let mut state = self.lock();
        if state.there && !there {
            state.life += 1;
            for line in &mut state.lines {
                line.taken = false;
                line.inside = None;
            }
        }
        state.there = there;
    }

    /// What we drive a line to; `None` while we do not.
    pub fn driven(&self, name: &str) -> Option<bool> {
        let state = self.lock();
        let index = state.names.iter().position(|known| known == name)?;
        state.lines[index].inside
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Wired)) {
        let mut state = self.lock();
        if let Some(index) = state.names.iter().position(|known| known == name) {
            change(&mut state.lines[index]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct MemoryLines {
    chip: MemoryChip,
    life: u64,
    taken: BTreeMap<usize, Direction>,
}

impl MemoryLines {
    fn state(&self) -> Result<MutexGuard<'_, State>, PanelError> {
        let state = self.chip.lock();
        if !state.there || state.life != self.life {
            return Err(PanelError::Absent(format!("chip {}", state.label)));
        }
        Ok(state)
    }
}

impl Lines for MemoryLines {
    fn request(
        &mut self,
        name: LineName<'_>,
        direction: Direction,
        label: &str,
    ) -> Result<LineId, PanelError> {
        let mut state = self.state()?;
        let index = match name {
            LineName::Name(name) => {
                let mut found = state.names.iter().enumerate().filter(|(_, known)| *known == name);
                match (found.next(), found.next()) {
                    (Some((index, _)), None) => Some(index),
                    (Some(_), Some(_)) => {
                        return Err(PanelError::Profile(format!("two lines are called {name}")));
                    }
                    (None, _) => None,
                }
            }
            LineName::Offset(offset) => {
                usize::try_from(offset).ok().filter(|offset| *offset < state.lines.len())
            }
        };
        let index = index.ok_or_else(|| PanelError::Absent(format!("line of {label}")))?;
        let line = &mut state.lines[index];
        if line.taken || line.foreign {
            return Err(PanelError::InUse(label.to_owned()));
        }
        line.taken = true;
        match direction {
            Direction::Input { bias } => line.bias = Some(bias),
            Direction::Output { high } => line.inside = Some(high),
        }
        drop(state);
        self.taken.insert(index, direction);
        Ok(LineId(index))
    }

    fn read(&mut self, line: LineId) -> Result<bool, PanelError> {
        let mut state = self.state()?;
        if !matches!(self.taken.get(&line.0), Some(Direction::Input { .. })) {
            return Err(PanelError::Io("the line is not an input".to_owned()));
        }
        let noise = state.dice.flip();
        let wired = &mut state.lines[line.0];
        if let Some(fault) = &wired.fault {
            return Err(fault.clone());
        }
        if wired.bounces > 0 {
            wired.bounces -= 1;
            return Ok(noise);
        }
        Ok(wired.outside.unwrap_or(match wired.bias {
            Some(Bias::PullUp) => true,
            Some(Bias::PullDown) => false,
            // It floats.
            _ => noise,
        }))
    }

    fn write(&mut self, line: LineId, high: bool) -> Result<(), PanelError> {
        let mut state = self.state()?;
        if !matches!(self.taken.get(&line.0), Some(Direction::Output { .. })) {
            return Err(PanelError::Io("the line is not an output".to_owned()));
        }
        let wired = &mut state.lines[line.0];
        if let Some(fault) = &wired.fault {
            return Err(fault.clone());
        }
        wired.inside = Some(high);
        Ok(())
    }
}

impl Drop for MemoryLines {
    fn drop(&mut self) {
        let mut state = self.chip.lock();
        if state.life == self.life {
            for index in self.taken.keys() {
                state.lines[*index].taken = false;
                state.lines[*index].inside = None;
            }
        }
    }
}
