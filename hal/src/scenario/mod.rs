//! Why: faults that happen at a moment ("the card is lifted 40 ms into the read") are data, so that
//! a test, a demonstration and a bug report can share them. A scenario names simulators and holds a
//! timeline of commands for them.
//!
//! Refuses: devices it was not told where to find, keys it does not know, and to go on after a
//! command that a simulator refused or a condition that never held: a scenario that did not happen
//! is an error.
//!
//! ```toml
//! title = "The card is lifted in the middle, then laid down again"
//! seed = 7                       # the same seed shifts the steps by the same times
//!
//! [devices.reader]               # started by whoever runs the scenario as a whole
//! options = { radio_ms = 100 }   # as on the command line of that simulator
//! [devices.document-camera]
//! kind = "camera"                # left out when the name is the kind
//!
//! [[step]]
//! after_ms = 500                 # from the beginning
//! jitter_ms = 200                # up to so much later
//! device = "reader"
//! command = "insert specimens/resident.toml"
//!
//! [[step]]                       # waits for the simulator, then 40 ms
//! when = { device = "reader", field = "reads", at_least = 1, within_ms = 5000 }
//! after_ms = 40
//! device = "reader"
//! command = "remove"
//! ```
//!
//! Times count from the moment at which the last condition above in the file held, or from the
//! beginning. Between two conditions the steps come in the order of their times.

mod format;
mod play;

pub use format::{Condition, Scenario, Setting, SimulatedDevice, Span, Step, Test};
pub use play::{ScenarioError, Silent, Watch};

#[cfg(test)]
mod tests;
