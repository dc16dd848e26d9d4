//! The driver against the simulated printer.

mod desk;
mod faults;
mod field;
mod jobs;
mod judges;
