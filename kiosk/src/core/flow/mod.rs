//! Why: the rules of a visit, one file a concern. Each function takes the state apart from what is
//! outside it, changes it, and pushes the effects it wants.

pub mod cabinet;
pub mod camera;
pub mod entry;
pub mod finder;
pub mod identify;
pub mod idle;
pub mod path;
pub mod printing;
pub mod progress;
pub mod reading;
pub mod scanner;
pub mod self_test;
pub mod staff;
pub mod submit;
pub mod visit;
