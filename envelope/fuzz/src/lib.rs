//! Why: whatever a stranger sends, no reader of sealed files may panic, and "no panic" alone proves
//! little. Each function here feeds bytes to one reader and asserts what must hold besides: what was
//! not sealed by the terminal is refused, all ways of reading agree, and what is read can be written
//! again.
//!
//! The fuzzer calls these functions, and `envelope/tests/corpus.rs` compiles these very files and
//! calls them with every kept input, so that a fault found once is looked for ever after.
//!
//! Refuses: I/O, clocks and randomness; the bytes alone decide what happens.

pub mod archive;
pub mod bundle;
pub mod edits;
pub mod forge;
pub mod header;
pub mod receipt;
pub mod sealed;
pub mod specimen;
