//! Why: whatever a device sends, no driver may panic, and "no panic" alone proves little. Each
//! function here feeds bytes to one reader of bytes and asserts what must hold besides: what was
//! found was really there, how the bytes were chopped makes no difference, and after any noise the
//! next good answer is understood.
//!
//! The fuzzer calls these functions, and `hal/tests/corpus.rs` compiles this very file and calls
//! them with every kept input, so that a fault found once is looked for ever after.
//!
//! Refuses: I/O, clocks and randomness; the bytes alone decide what happens.

pub mod camera;
pub mod chop;
pub mod printer;
pub mod profile;
pub mod reader;
pub mod scanner;
