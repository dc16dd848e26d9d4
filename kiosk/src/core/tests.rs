//! Why: a visit is decided here, so here it is walked through: page by page as a person would, with
//! everything that goes wrong, and at random.

mod correction;
mod devices;
mod faults;
mod identity;
mod idle;
mod printing;
mod promises;
mod random;
mod reading;
mod self_test;
mod visit;
