//! Why: a power cut takes with it what was written and not synced. Ordinary file systems keep that
//! in the kernel, where killing a program loses nothing; this one keeps two states apart, what
//! programs see and what is on the platter, and a cut leaves the second.
//!
//! What makes durable: `fsync` or `fdatasync` of a file its content, `fsync` of a folder the names
//! in it. Of everything else a cut keeps what chance decides: all, nothing, the first writes, some
//! of them in any order, and of a write some sectors of 512 bytes only. A rename is never half done
//! in its folder; one between two folders never leaves a file without any name.
//!
//! Refuses: to be kinder than a disk may be. A name that was synced for a file that was not is
//! there after the cut, with an empty or a torn file behind it.

mod image;
mod mount;
mod serve;
mod state;

pub use image::Image;
pub use mount::{LossyDisk, sweep};

/// Bytes that a disk writes whole or not at all.
pub const SECTOR: u64 = 512;

type Ino = u64;
const ROOT: Ino = 1;
