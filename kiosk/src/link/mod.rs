//! Why: the terminal's only way to the outside: sealed files go to the gateway, progress comes
//! back. Both sides show certificates of the one pinned authority.
//!
//! [`tus`] speaks the protocol and knows nothing of submissions; `deliver` puts the receipt on top;
//! `answer` sorts what comes back; [`Uploader`] keeps at it, as fast as [`Pace`] allows.
//!
//! Refuses: any other authority, any redirect, and to call something delivered without a receipt
//! whose signature it has checked.

mod answer;
mod backoff;
mod chunk;
mod client;
mod deliver;
mod identity;
mod pace;
mod recipients;
pub mod tus;
mod uploader;

pub use answer::{Answer, Silence};
pub use backoff::{Backoff, delay};
pub use chunk::{ChunkSize, LARGEST as LARGEST_CHUNK};
pub use client::{GatewayClient, LinkError};
pub use pace::Pace;
pub use recipients::{HOURLY, NotTaken, OfficeKeys, follow};
pub use uploader::{Uploader, UploaderEvent, Wall};
